"""Loads a model and its tokenizer, and says what was really loaded."""

from __future__ import annotations

import weakref
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError, is_out_of_memory
from harness.lm.hosted import open_hosted
from harness.lm.inference import attention
from harness.lm.inference.routes import ENCODER_DECODER, PACKED
from harness.lm.inference.soft_prompt import soft_tokens, underneath
from harness.lm.loading.adapter_files import refuse_unsafe
from harness.lm.loading.auto_class import auto_class
from harness.lm.loading.four_bits import four_bit_folder
from harness.lm.loading.merging import merged
from harness.lm.loading.model_kind import refuse_both_ways
from harness.lm.loading.packing_verdict import verdict_on
from harness.lm.local_model import LanguageModel
from harness.lm.model import Model
from harness.lm.sizing.budget import row_limit
from harness.lm.sizing.footprint import scoring_bytes_per_token, shape
from harness.store.records import LoadedModel
from harness.types import Context, ModelRef

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOADED: weakref.WeakSet[LanguageModel] = weakref.WeakSet()
_DESCRIBED: list[LoadedModel] = []
_HOSTED: list[Model] = []
"""What was loaded or asked, kept for the record when the models themselves are gone."""


def load(
    ref: ModelRef,
    device: str,
    dtype: str,
    seed: int = 0,
    adapter: Path | None = None,
    merge: bool = True,
) -> LanguageModel:
    """Load a model for scoring, generation or tuning.

    Args:
        ref: which model, as `harness.lm.loading.resolve.resolve` found it.
        device: "cpu" or "cuda".
        dtype: "float32", "bfloat16" or "float16".
        seed: for torch's random numbers (new adapter weights, dropout).
        adapter: a folder written by `save_trained`.
        merge: make the adapter part of the weights, so that serving costs what the base model
            costs. Weights of 4 bits keep it beside them, and a soft prompt cannot be merged.

    Raises:
        ModelError: the files cannot be read as a language model.
    """
    import torch

    torch.manual_seed(seed)
    try:
        model, tokenizer = _read(ref.location, getattr(torch, dtype), device)
        if adapter is not None:
            model = _adapted(model, adapter, merge)
        if model is None:  # merging changed what it says, and its weights
            model = _adapted(_read(ref.location, getattr(torch, dtype), device)[0], adapter, False)
    except ModelError as problem:
        raise ModelError(f"model '{ref.name}': {problem}") from None
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as problem:
        if is_out_of_memory(problem):
            raise
        raise ModelError(f"model '{ref.name}' cannot be loaded: {problem}") from problem
    model = model.to(device).eval()
    if device == "cpu":
        _touch_pages(model)
    # Packing is checked on the model underneath: a soft prompt stands before every row alike.
    loaded = LanguageModel(ref, underneath(model), tokenizer)
    if model.config.is_encoder_decoder:
        loaded.route = ENCODER_DECODER
    elif verdict_on(loaded.model).packs:
        loaded.route = PACKED
    loaded.model = model
    _limit_memory(loaded)
    _LOADED.add(loaded)
    _DESCRIBED.append(loaded.loaded())
    return loaded


def _read(
    location: str, dtype: torch.dtype, device: str
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Return the model and its tokenizer as transformers reads them.

    Raises:
        ModelError: it is no whole model that writes; without its name.
    """
    from transformers import AutoConfig, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    # Code in the model's folder is never run; without the word, transformers would ask a person.
    config = AutoConfig.from_pretrained(location, trust_remote_code=False)
    refuse_both_ways(config.to_dict())
    tokenizer = AutoTokenizer.from_pretrained(location, trust_remote_code=False)
    quantised = getattr(config, "quantization_config", None) is not None
    # Quantised weights are laid out for the device that they are read to.
    model, found = auto_class(config).from_pretrained(
        location,
        dtype=dtype,
        device_map=device if quantised else None,
        output_loading_info=True,
        trust_remote_code=False,
    )
    missing = sorted(found["missing_keys"])
    if missing:
        raise ModelError(
            f"{len(missing)} of its weights are not in its files and were newly drawn at random"
            f" ({missing[0]} first) → name the checkpoint that has them"
        )
    for module in model.modules() if quantised else ():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            # It would repack the weights in place at the first forward pass without gradients,
            # into a form that the backward pass cannot read (bitsandbytes 0.50.2, Linear4bit).
            module.support_avx512bf16_for_cpu = False
    attention.install(model)
    return model, tokenizer


def _touch_pages(model: PreTrainedModel) -> None:
    """Read every weight once, so that mapped pages count here and not when predicting."""
    import torch

    with torch.inference_mode():
        for weight in model.parameters():
            # torch has no sum of 8-bit floats; their bytes it can add up.
            (weight.data.view(torch.uint8) if weight.dtype.itemsize == 1 else weight).sum()


def _adapted(model: PreTrainedModel, adapter: Path | None, merge: bool) -> Any:
    """Return the model with an adapter: merged into its weights if that can be done exactly.

    None if merging changed what the model says: the weights have to be read again.
    """
    from peft import PeftModel

    assert adapter is not None
    refuse_unsafe(adapter)
    model = PeftModel.from_pretrained(model, adapter)
    return merged(model) if merge and _can_merge(model) else model


def _can_merge(model: Any) -> bool:
    """Tell whether an adapter can be part of the weights: not of packed ones, nor a soft prompt."""
    return not getattr(model, "is_quantized", False) and not soft_tokens(model)


def _limit_memory(lm: LanguageModel) -> None:
    """Set how many tokens the model computes at once, by the memory that is there now."""
    per_token = scoring_bytes_per_token(shape(lm.model.config), lm.model.dtype.itemsize)
    lm.rows = row_limit(str(lm.model.device), per_token, lm.budget_bytes, lm.note)


def open_model(context: Context) -> Model:
    """Open the task's model as a strategy's context has it, to ask it.

    Args:
        context: the strategy's.

    Raises:
        ModelError: the context has no model (`needs_model` is not set), or it cannot be loaded.
        EndpointError: the model is hosted, and its key is not in the environment.
    """
    if context.model is None or context.model.hosted is None:
        return open_weights(context)
    hosted = open_hosted(context)
    _HOSTED.append(hosted)
    return hosted


def open_weights(
    context: Context,
    adapter: Path | None = None,
    weights: Path | None = None,
    dtype: str | None = None,
    four_bits: bool = False,
    merge: bool = True,
) -> LanguageModel:
    """Load the task's model to work on its weights: to score, to generate or to tune.

    Args:
        context: the strategy's.
        adapter: a folder written by `save_trained`.
        weights: likewise, of a whole model, in place of the model's own.
        dtype: another one than the context's.
        four_bits: with its weights in NF4; products are computed in `dtype`.
        merge: make the adapter part of the weights, see `load`.

    Raises:
        ModelError: the context has no model (`needs_model` is not set), it cannot be loaded, or
            it is hosted.
    """
    ref, dtype = context.model, dtype or context.dtype
    if ref is None:
        raise ModelError("this strategy was given no model → set `needs_model = True` on its class")
    if ref.hosted is not None:
        what = f"this needs a model's weights; '{ref.name}' is hosted"
        raise ModelError(f"{what} → name a built-in model, a folder or a hub id")
    if four_bits:
        weights = four_bit_folder(ref, dtype, context.note)
    if weights is not None:
        ref = replace(ref, location=str(weights))
    lm = load(ref, context.device, dtype, context.seed, adapter, merge)
    lm.budget_bytes, lm.note = context.budget_bytes, context.note
    for remark in lm.chat.remarks() if lm.has_turns else ():
        lm.note("prompt", remark)
    if adapter is not None and merge and hasattr(lm.model, "peft_config") and _can_merge(lm.model):
        lm.note("engine", "merged, the adapter would give other answers: it is served unmerged")
    _limit_memory(lm)
    return lm


def loaded_models() -> tuple[LoadedModel, ...]:
    """Describe every model that was loaded in this process; hosted ones come last."""
    return (*_DESCRIBED, *(hosted.loaded() for hosted in _HOSTED))


def forget_loaded_models() -> None:
    """Begin the account of loaded models again: for a process that does several jobs."""
    _DESCRIBED.clear()
    _HOSTED.clear()


def clear_prefixes() -> None:
    """Drop every kept prefix in this process: the next request is a cold one."""
    for model in _LOADED:
        model.prefix.clear()
