"""The model that all benchmarks run: loaded by our engine for us, by transformers for a peer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.lm import LanguageModel, load
from harness.lm.loading.resolve import resolve

MODEL = "smollm2-135m-instruct-q4"
SEED = 0


def fetch() -> None:
    """See to it that the model's files are on this machine, before anything is timed."""
    resolve(MODEL, Path())


def our_model(device: str, dtype: str) -> LanguageModel:
    """Load the model as every strategy does."""
    return load(resolve(MODEL, Path()), device, dtype, SEED)


def plain_model(device: str, dtype: str) -> tuple[Any, Any]:
    """Load the model as a user of transformers does; return it with its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    location = resolve(MODEL, Path()).location
    model = AutoModelForCausalLM.from_pretrained(location, dtype=getattr(torch, dtype))
    return model.to(device).eval(), AutoTokenizer.from_pretrained(location)
