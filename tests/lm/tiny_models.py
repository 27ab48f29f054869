"""Tiny random models of many architectures, built from configs."""

from __future__ import annotations

from harness.lm import LanguageModel
from harness.lm.engine import packing_is_exact
from harness.types import ModelRef

WORDS = 120

SMALL = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
CONFIGS = {
    "llama": ("LlamaConfig", {}),
    "llama-tied": ("LlamaConfig", {"tie_word_embeddings": True}),
    "qwen2": ("Qwen2Config", {}),
    "qwen3": ("Qwen3Config", {"head_dim": 8}),
    "mistral-window": ("MistralConfig", {"sliding_window": 8}),
    "gemma2-window": ("Gemma2Config", {"head_dim": 8, "sliding_window": 8}),
    "mixtral": ("MixtralConfig", {"num_local_experts": 4}),
    "gpt2": ("GPT2Config", None),
    "gpt-neox": ("GPTNeoXConfig", None),
}
OWN_KEYS = {
    "gpt2": {
        "resid_pdrop": 0,
        "embd_pdrop": 0,
        "attn_pdrop": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "vocab_size": WORDS,
        "n_embd": 32,
        "n_layer": 3,
        "n_head": 4,
        "n_positions": 512,
    },
    "gpt-neox": {key: value for key, value in SMALL.items() if key != "num_key_value_heads"},
}


def build(name: str) -> LanguageModel:
    import torch
    import transformers

    config_class, extra = CONFIGS[name]
    keys = OWN_KEYS[name] if extra is None else SMALL | extra
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(**keys)
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    with torch.no_grad():  # larger weights: differences between paths would show
        for weight in model.parameters():
            weight.mul_(4) if weight.dim() > 1 else None
    lm = LanguageModel(ModelRef(name, ""), model, tokenizer=None, packed=False)
    lm.packed = packing_is_exact(lm)
    return lm
