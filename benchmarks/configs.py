"""Configurations of published models, as their config.json has them, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.plan.unloaded_model import PlannedModel, StandIn, skeleton
from harness.types import ModelRef


def llama(
    hidden: int, intermediate: int, layers: int, heads: int, key_heads: int, words: int
) -> dict[str, Any]:
    """Return the config.json of a model of LLaMA's architecture."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "vocab_size": words,
        "max_position_embeddings": 8192,
        "tie_word_embeddings": False,
        "dtype": "bfloat16",
    }


CONFIGS: dict[str, dict[str, Any]] = {
    "llama-3-8b": llama(4096, 14336, 32, 32, 8, 128256),
    "llama-3-70b": llama(8192, 28672, 80, 64, 8, 128256),
    "llama-2-7b": llama(4096, 11008, 32, 32, 32, 32000),
    "llama-2-13b": llama(5120, 13824, 40, 40, 40, 32000),
    "llama-2-70b": llama(8192, 28672, 80, 64, 8, 32000),
    "llama-65b": llama(8192, 22016, 80, 64, 64, 32000),
    "bloomz-7b1": {
        "architectures": ["BloomForCausalLM"],
        "model_type": "bloom",
        "hidden_size": 4096,
        "n_layer": 30,
        "n_head": 32,
        "vocab_size": 250880,
    },
    "t0-3b": {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "is_encoder_decoder": True,
        "d_model": 2048,
        "d_ff": 5120,
        "d_kv": 64,
        "num_heads": 32,
        "num_layers": 24,
        "num_decoder_layers": 24,
        "vocab_size": 32128,
        "feed_forward_proj": "gated-gelu",
        "tie_word_embeddings": False,
    },
}


def write_config(folder: Path, name: str) -> Path:
    """Write a model's config.json; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIGS[name]))
    return folder


def planned(folder: Path, name: str) -> PlannedModel:
    """Return a model as forecasts see it that know its config.json alone."""
    location = str(write_config(folder / name, name))
    return PlannedModel(ModelRef(name, location), skeleton(location), StandIn())
