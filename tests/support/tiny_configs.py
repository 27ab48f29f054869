"""Configurations of tiny models, one for each way in which families differ."""

from __future__ import annotations

import copy
from typing import Any

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
TOKENS = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
SEEN = {  # a tower for images
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "head_dim": 8,
    "image_size": 16,
    "patch_size": 4,
}
QWEN_SEEN = {
    "depth": 1,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_heads": 2,
    "patch_size": 4,
    "out_hidden_size": 32,
    "fullatt_block_indexes": [0],
    "deepstack_visual_indexes": [0],
}
ROTATED = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [1, 1, 2]}
QWEN_VL = SMALL | TOKENS | {"rope_parameters": ROTATED, "head_dim": 8}
PLACES = {"image_token_id": 5, "video_token_id": 6, "vision_start_token_id": 7}
PLACES |= {"vision_end_token_id": 8}
GEMMA4 = SMALL | WINDOW | TOKENS
GEMMA4 |= {
    "num_hidden_layers": 4,
    "global_head_dim": 16,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "hidden_size_per_layer_input": 8,
}
GEMMA3N = SMALL | WINDOW | TOKENS
GEMMA3N |= {
    "num_hidden_layers": 4,
    "layer_types": ["sliding_attention", "full_attention"] * 2,
    "hidden_size_per_layer_input": 8,
    "num_kv_shared_layers": 0,
    "laurel_rank": 4,
    "altup_num_inputs": 2,
    "activation_sparsity_pattern": [0.0] * 4,
}
STATES = {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_state": 8, "mamba_chunk_size": 16}
NEMOTRON_H = SMALL | TOKENS
NEMOTRON_H |= {
    "layers_block_type": ["mamba", "attention", "mlp"],
    "head_dim": 8,
    "ssm_state_size": 8,
    "mamba_num_heads": 4,
    "mamba_head_dim": 16,
    "n_groups": 2,
    "chunk_size": 16,
}
del NEMOTRON_H["num_hidden_layers"]
HALF_T5 = SMALL | WINDOW | TOKENS
LLAMA4 = SMALL | TOKENS
LLAMA4 |= {
    "intermediate_size_mlp": 48,
    "head_dim": 8,
    "num_local_experts": 4,
    "attention_chunk_size": 16,
}
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
    "gemma4": ("Gemma4TextConfig", GEMMA4),
    "gemma4-experts": (
        "Gemma4TextConfig",
        GEMMA4
        | {
            "enable_moe_block": True,
            "num_experts": 4,
            "top_k_experts": 2,
            "moe_intermediate_size": 24,
            "hidden_size_per_layer_input": 0,
        },
    ),
    "gemma4-seen": (
        "Gemma4Config",
        {"text_config": GEMMA4, "vision_config": SEEN, "audio_config": None}
        | {"image_token_id": 5, "video_token_id": 6, "audio_token_id": 7},
    ),
    "gemma3-seen": (
        "Gemma3Config",
        {
            "text_config": SMALL | WINDOW | TOKENS,
            "vision_config": SEEN,
            "image_token_index": 5,
            "mm_tokens_per_image": 4,
        },
    ),
    "mistral3-seen": (
        "Mistral3Config",
        {
            "text_config": SMALL | TOKENS | {"model_type": "mistral", "head_dim": 8},
            "vision_config": SEEN | {"model_type": "pixtral"},
            "image_token_index": 5,
            "tie_word_embeddings": False,
        },
    ),
    "qwen2.5-seen": (
        "Qwen2_5_VLConfig",
        {
            "text_config": QWEN_VL,
            "vision_config": {k: v for k, v in QWEN_SEEN.items() if "deep" not in k},
            **PLACES,
        },
    ),
    "qwen3-seen": (
        "Qwen3VLConfig",
        {
            "text_config": QWEN_VL,
            "vision_config": {k: v for k, v in QWEN_SEEN.items() if "full" not in k},
            **PLACES,
        },
    ),
    "gemma3n": ("Gemma3nTextConfig", GEMMA3N),
    "falcon-h1": ("FalconH1Config", SMALL | TOKENS | STATES | {"mamba_d_head": 8}),
    "nemotron-h": ("NemotronHConfig", NEMOTRON_H),
    "phimoe": ("PhimoeConfig", SMALL | TOKENS | {"num_local_experts": 4}),
    "llama4": ("Llama4TextConfig", LLAMA4),
    "t5gemma": (
        "T5GemmaConfig",
        {"encoder": HALF_T5, "decoder": HALF_T5, "vocab_size": WORDS} | TOKENS,
    ),
    "switch": (
        "SwitchTransformersConfig",
        T5
        | {
            "num_decoder_layers": 2,
            "num_experts": 4,
            "num_sparse_encoder_layers": 1,
            "num_sparse_decoder_layers": 1,
        },
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
    "gemma4",
    "gemma4-experts",
    "gemma4-seen",
    "gemma3-seen",
    "mistral3-seen",
    "qwen2.5-seen",
    "qwen3-seen",
    "gemma3n",
    "phimoe",
}
ENCODER_DECODER = {"t5", "t5-gated", "t5gemma", "switch"}
SEES = {name for name in CONFIGS if name.endswith("-seen")}
"""Those with a tower for images, which no text reaches."""


def config_of(name: str, words: int = WORDS, **more: int) -> Any:
    """Return a configuration with so many words.

    Args:
        name: in `CONFIGS`.
        words: rows of the embedding.
        **more: other keys of the part that writes text.
    """
    import transformers

    config_class, keys = CONFIGS[name]
    keys = copy.deepcopy(keys)
    parts = [keys[part] for part in ("text_config", "encoder", "decoder") if part in keys]
    for part in parts or [keys]:
        part |= {"vocab_size": words, **more}
        if "hidden_size_per_layer_input" in part:
            part["vocab_size_per_layer_input"] = words
    if "vocab_size" in keys:
        keys |= {"vocab_size": words, **more}
    return getattr(transformers, config_class)(**keys)
