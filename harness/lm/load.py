"""Loads a model and its tokenizer, and says what was really loaded."""

from __future__ import annotations

import weakref
from pathlib import Path

from harness.errors import ModelError
from harness.lm.engine import packing_is_exact
from harness.lm.model import LanguageModel
from harness.records import LoadedModel
from harness.types import Context, ModelRef

_LOADED: weakref.WeakSet[LanguageModel] = weakref.WeakSet()
_FACTS: list[LoadedModel] = []
"""What was loaded, kept for the record when the models themselves are gone."""


def load(
    ref: ModelRef, device: str, dtype: str, seed: int = 0, adapter: Path | None = None
) -> LanguageModel:
    """Load a model for scoring, generation or tuning.

    Args:
        ref: which model, as `harness.lm.models.resolve` found it.
        device: "cpu" or "cuda".
        dtype: "float32", "bfloat16" or "float16".
        seed: for torch's random numbers (new adapter weights, dropout).
        adapter: a folder written by `save_adapter`; it is merged into the weights, so that serving
            costs what the base model costs.

    Raises:
        ModelError: the files cannot be read as a causal language model.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(seed)
    try:
        tokenizer = AutoTokenizer.from_pretrained(ref.location)
        model = AutoModelForCausalLM.from_pretrained(ref.location, dtype=getattr(torch, dtype))
    except (OSError, ValueError, KeyError) as problem:
        raise ModelError(f"model '{ref.name}' cannot be loaded: {problem}") from problem
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    model = model.to(device).eval()
    with torch.inference_mode():
        for weight in model.parameters():
            weight.sum()  # touched now, so that mapped pages count here and not when predicting
    loaded = LanguageModel(ref, model, tokenizer, packed=False)
    loaded.packed = packing_is_exact(loaded)
    _LOADED.add(loaded)
    _FACTS.append(loaded.facts())
    return loaded


def open_model(context: Context, adapter: Path | None = None) -> LanguageModel:
    """Load the task's model as a strategy's context has it.

    Raises:
        ModelError: the context has no model (`needs_model` is not set), or it cannot be loaded.
    """
    if context.model is None:
        raise ModelError("this strategy was given no model → set `needs_model = True` on its class")
    return load(context.model, context.device, context.dtype, context.seed, adapter)


def loaded_models() -> tuple[LoadedModel, ...]:
    """Return the facts of every model that was loaded in this process, in order."""
    return tuple(_FACTS)


def clear_prefixes() -> None:
    """Drop every kept prefix in this process: the next request is a cold one."""
    for model in _LOADED:
        model.prefix.clear()
