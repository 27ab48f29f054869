"""Puts what an `AdapterSpec` describes on a model, counts it, and keeps what was learnt on disk.

Knows no method by name and nothing of tasks; PEFT builds the adapters.
"""

from __future__ import annotations

import warnings
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ModelError
from harness.lm.inference.label_head import read_head
from harness.lm.loading.load import open_weights
from harness.lm.local_model import LanguageModel
from harness.lm.training.adapter_spec import AdapterSpec
from harness.lm.training.left_out import below_share, left_out
from harness.lm.training.merge_check import MergeFinding
from harness.types import Context

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def open_trainable(
    context: Context, adapter: AdapterSpec, text: str = "", four_bits: bool = False
) -> LanguageModel:
    """Load the task's model and make trainable what a method trains.

    Args:
        context: the strategy's.
        adapter: what is trained.
        text: words that a soft prompt begins as, see `add_adapter`.
        four_bits: over weights in NF4, which stay as they are.

    Raises:
        ModelError: as `open_weights` and `add_adapter` raise it.
    """
    # Steps of the model's own weights would be rounded away in half precision.
    dtype = "float32" if adapter.trains_all else None
    lm = open_weights(_without_thoughts(context), dtype=dtype, four_bits=four_bits)
    add_adapter(lm, adapter, text)
    return lm


def open_trained(
    context: Context, adapter: AdapterSpec, folder: Path, four_bits: bool = False
) -> LanguageModel:
    """Load the task's model with what `save_trained` wrote.

    Args:
        context: the strategy's.
        adapter: what was trained.
        folder: that `save_trained` wrote.
        four_bits: over weights in NF4. The adapter then stays beside them: merged, it would be
            rounded to 4 bits as well.

    Raises:
        ModelError: as `open_weights` raises it.
    """
    context = _without_thoughts(context)
    if adapter.trains_all:
        lm = open_weights(context, weights=folder)
    else:
        found = MergeFinding.read(folder)
        merge = adapter.merges and (found is None or found.harmless)
        if adapter.merges and found is not None and not found.harmless:
            context.note("engine", f"{found.says}: the adapter is served unmerged")
        lm = open_weights(context, adapter=folder, four_bits=four_bits, merge=merge)
    lm.head = read_head(lm, folder)
    return lm


def _without_thoughts(context: Context) -> Context:
    """Return the context with thoughts off: what a model is tuned on are answers without any."""
    model = context.model
    if model is None or not model.chat.asks_thoughts:
        return context
    context.note("prompt", "tuned on answers without thoughts, and asked for such")
    return replace(context, model=replace(model, chat=model.chat.without_thoughts()))


def add_adapter(lm: LanguageModel, adapter: AdapterSpec, text: str = "") -> int:
    """Make trainable what a method trains, and nothing else.

    Args:
        lm: the model, changed in place.
        adapter: the method.
        text: words that a soft prompt begins as, repeated or cut to its length; without any it
            begins at random, as do methods that have no soft prompt.

    Returns:
        The number of trainable weights.

    Raises:
        ModelError: PEFT cannot put this method on this model.
    """
    lm.model = _adapted(lm.model, adapter, lm.ref.name)
    lm.adapter = adapter
    if adapter.starts_as is not None and text:
        ids = list(lm.tokenizer(text, add_special_tokens=False).input_ids) or [0]
        length = adapter.soft_tokens
        adapter.starts_as(lm, (ids * (length // len(ids) + 1))[:length])
    return _trainable(lm.model)


def count_trained(adapter: AdapterSpec, model: PreTrainedModel, name: str) -> int:
    """Return how many weights a method trains, as PEFT itself counts them.

    Args:
        adapter: the method.
        model: to put it on, which is changed; on PyTorch's `meta` device it needs no memory.
        name: the model's, for the error.

    Raises:
        ModelError: PEFT cannot put this method on this model.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are for the training itself, which comes later
        # Otherwise adapters would have weights even where the model has none.
        return _trainable(_adapted(model, adapter, name, low_cpu_mem_usage=True))


def save_trained(lm: LanguageModel, folder: Path, dtype: str) -> None:
    """Write what was learnt, for `open_trained`.

    Args:
        lm: the model, as `add_adapter` left it and training changed it.
        folder: where to: the adapter alone, or the whole model with its tokenizer; and the head,
            where one was trained.
        dtype: what a whole model will be served in, so that the artifact is no larger than that.
    """
    import torch

    if lm.adapter is not None and lm.adapter.trains_all:
        lm.model.to(getattr(torch, dtype))
        lm.tokenizer.save_pretrained(folder)
    lm.model.save_pretrained(folder)
    if lm.head is not None:
        lm.head.save(folder)


def _adapted(
    model: PreTrainedModel, adapter: AdapterSpec, name: str, **how: bool
) -> PreTrainedModel:
    """Return the model with a method's trainable weights on it."""
    if adapter.peft_config is None:
        return model.requires_grad_(True)
    if (adapter.soft_tokens or adapter.upper_share < 1) and model.config.is_encoder_decoder:
        # PEFT cannot score from the encoder's kept output behind a soft prompt; and which of two
        # stacks of layers is above is not defined.
        raise ModelError(f"{adapter.name} needs a decoder-only model, and '{name}' is none")
    from peft import get_peft_model

    try:
        return get_peft_model(model, _peft_config(adapter, model), **how)
    except ValueError as problem:
        kind = model.config.model_type
        raise ModelError(
            f"{adapter.name} knows no layers for a model of type '{kind}': {problem}"
        ) from problem


def _peft_config(adapter: AdapterSpec, model: PreTrainedModel) -> Any:
    """Return PEFT's configuration of a method for a model."""
    import peft
    from transformers.pytorch_utils import Conv1D

    kind = getattr(peft, adapter.peft_config or "", None)
    if kind is None:
        raise ModelError(f"{adapter.name}: peft {peft.__version__} has no '{adapter.peft_config}'")
    given = dict(adapter.settings)
    given["task_type"] = "SEQ_2_SEQ_LM" if model.config.is_encoder_decoder else "CAUSAL_LM"
    known = {field.name for field in fields(kind)}
    if given.get("target_modules") == "all-linear" and "exclude_modules" in known:
        below = below_share(model, adapter.upper_share)
        given["exclude_modules"] = [*left_out(model), *below] or None
    if "fan_in_fan_out" in known:
        # GPT-2's linear layers keep their weights transposed, as PEFT has to know.
        given["fan_in_fan_out"] = any(isinstance(module, Conv1D) for module in model.modules())
    return kind(**given)


def _trainable(model: PreTrainedModel) -> int:
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
