"""A model of a billion random weights: for what a size takes, where none can be fetched."""

from __future__ import annotations

from pathlib import Path


def write_random_model(folder: Path, tokenizer_of: str) -> None:
    """Write a model of Llama 3.2 1B's shape (its config.json), if it is not there yet.

    Args:
        folder: for the model.
        tokenizer_of: the model whose tokenizer it gets, and whose vocabulary it has.
    """
    if (folder / "config.json").is_file():
        return
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from harness.lm.loading.resolve import resolve

    tokenizer = AutoTokenizer.from_pretrained(resolve(tokenizer_of, Path()).location)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=16,
        num_attention_heads=32,
        num_key_value_heads=8,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)
