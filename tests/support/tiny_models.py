"""Tiny random models of many architectures, built from configs, in memory or in a folder.

Each is built once a session; whoever asks gets a copy of its own, to change at will.
"""

from __future__ import annotations

import atexit
import copy
import shutil
import tempfile
from functools import cache
from pathlib import Path

from harness.lm import LanguageModel
from harness.lm.inference import attention, routes
from harness.lm.loading.packing_check import check_packing
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
NEOX = {key: value for key, value in SMALL.items() if key != "num_key_value_heads"}
GPT2 = {
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
}
GPT_NEO = {
    "vocab_size": WORDS,
    "hidden_size": 32,
    "num_layers": 2,
    "num_heads": 4,
    "attention_types": [[["global", "local"], 1]],
    "window_size": 8,
    "max_position_embeddings": 512,
    "resid_dropout": 0,
    "embed_dropout": 0,
    "attention_dropout": 0,
}
BLOOM = {"vocab_size": WORDS, "hidden_size": 32, "n_layer": 2, "n_head": 4}
MPT = {"vocab_size": WORDS, "d_model": 32, "n_heads": 4, "n_layers": 2, "max_seq_len": 512}
MAMBA = {"vocab_size": WORDS, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 8}
T5 = {
    "vocab_size": WORDS,
    "d_model": 32,
    "d_ff": 48,
    "num_layers": 2,
    "num_heads": 4,
    "d_kv": 8,
    "dropout_rate": 0,
    "decoder_start_token_id": 0,
}
GATED = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
WINDOW = {"head_dim": 8, "sliding_window": 8}
CONFIGS = {
    "llama": ("LlamaConfig", SMALL),
    "llama-tied": ("LlamaConfig", SMALL | {"tie_word_embeddings": True}),
    "qwen2": ("Qwen2Config", SMALL),
    "qwen3": ("Qwen3Config", SMALL | {"head_dim": 8}),
    "mistral-window": ("MistralConfig", SMALL | {"sliding_window": 8}),
    "gemma2-window": ("Gemma2Config", SMALL | WINDOW),
    "gemma3-window": ("Gemma3TextConfig", SMALL | WINDOW | {"num_hidden_layers": 7}),
    "mixtral": ("MixtralConfig", SMALL | {"num_local_experts": 4}),
    "gpt2": ("GPT2Config", GPT2),
    "gpt-neox": ("GPTNeoXConfig", NEOX),
    "gpt-neo-local": ("GPTNeoConfig", GPT_NEO),
    "phi3": ("Phi3Config", SMALL | {"pad_token_id": 0}),
    "bloom": ("BloomConfig", BLOOM),
    "mpt": ("MptConfig", MPT),
    "mamba": ("MambaConfig", MAMBA),
    "t5": ("T5Config", T5),
    "t5-gated": (
        "T5Config",
        T5 | {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False},
    ),
}
PACKED = {
    "llama",
    "llama-tied",
    "qwen2",
    "qwen3",
    "mistral-window",
    "gemma2-window",
    "gemma3-window",
    "mixtral",
    "gpt2",
    "gpt-neox",
    "phi3",
}
ENCODER_DECODER = {"t5", "t5-gated"}


def build(name: str) -> LanguageModel:
    """Return a copy of a model in memory; random numbers begin at 0."""
    import torch

    lm = copy.deepcopy(_built(name))
    torch.manual_seed(0)
    return lm


@cache
def _built(name: str) -> LanguageModel:
    import torch
    import transformers

    config_class, keys = CONFIGS[name]
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(**keys)
    two_parts = name in ENCODER_DECODER
    kind = transformers.AutoModelForSeq2SeqLM if two_parts else transformers.AutoModelForCausalLM
    model = kind.from_config(config).eval()
    with torch.no_grad():  # larger weights: differences between paths would show
        for weight in model.parameters():
            weight.mul_(4) if weight.dim() > 1 else None
    attention.install(model)  # as loading does
    lm = LanguageModel(ModelRef(name, ""), model, tokenizer=None)
    if two_parts:
        lm.route = routes.ENCODER_DECODER
    elif check_packing(lm.model).packs:
        lm.route = routes.PACKED
    return lm


CHAT = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<s>", "</s>", "<pad>", "<|user|>", "<|assistant|>", "<|end|>"]


def write_tokenizer(folder, begins, chat):
    """A byte-level tokenizer, so that any text has tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = {token: number for number, token in enumerate([*SPECIAL, *alphabet])}
    core = Tokenizer(models.BPE(vocab=tokens, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    if begins:
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", 0)]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token="<s>" if begins else None,
        eos_token="</s>",
        pad_token="<pad>",
        additional_special_tokens=SPECIAL[3:],
    )
    tokenizer.chat_template = CHAT if chat else None
    tokenizer.save_pretrained(folder)
    return len(tokens)


def write_model(folder, name, begins=True, chat=False):
    """Lay a copy of a model with its tokenizer down in a folder."""
    shutil.copytree(_written(name, begins, chat), folder, dirs_exist_ok=True)
    return ModelRef(name, str(folder))


@cache
def _written(name, begins, chat):
    import torch
    import transformers

    folder = Path(tempfile.mkdtemp(prefix="tiny-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    words = write_tokenizer(folder, begins, chat)
    config_class, keys = CONFIGS[name]
    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    config = getattr(transformers, config_class)(**{**keys, **ends, "vocab_size": words})
    two_parts = name in ENCODER_DECODER
    kind = transformers.AutoModelForSeq2SeqLM if two_parts else transformers.AutoModelForCausalLM
    model = kind.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(3) if weight.dim() > 1 else None
    model.save_pretrained(folder)
    return folder
