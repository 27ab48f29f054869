"""Makes an adapter part of a model's weights, and looks whether the model still says the same.

Where blocks share weights (Zamba 2), merging adds what was learnt once for every block. So one
prompt is computed with the adapter beside the weights and merged into them. Knows nothing of where
adapters come from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.lm.inference.encoder_decoder import decoder_start

if TYPE_CHECKING:
    from torch import Tensor

PROMPT_TOKENS = 16
SHARE_LOST = 0.5
"""Of the change that the adapter makes, in half precision, where merging rounds off up to a third
of a small change."""
ROUNDING = {"float32": 1e-4, "bfloat16": 2e-2, "float16": 5e-3}
"""Largest distance of logits that is rounding, relative to their length."""


def merged(model: Any) -> Any | None:
    """Return a model with its adapter merged, or None if it then says something else.

    Args:
        model: in PEFT's hands, with one adapter; it is changed, and of no use if this returns None.
    """
    if _shares_weights(model):
        return None
    model.eval()
    tuned = _logits(model)
    with model.disable_adapter():
        change = (tuned - _logits(model)).norm()
    whole = model.merge_and_unload()
    error = (_logits(whole) - tuned).norm()
    exact = whole.dtype.itemsize >= 4
    allowed = ROUNDING.get(str(whole.dtype).removeprefix("torch."), 2e-2) * tuned.norm()
    allowed = allowed if exact else max(allowed, SHARE_LOST * change)
    return whole if bool(error <= allowed) else None


def _shares_weights(model: Any) -> bool:
    """Tell whether two adapters lie beside the same weight."""
    layers = [part.base_layer for part in model.modules() if hasattr(part, "base_layer")]
    weights = [id(layer.weight) for layer in layers if hasattr(layer, "weight")]
    return len(set(weights)) < len(weights)


def _logits(model: Any) -> Tensor:
    """Return a short prompt's logits, [tokens, vocabulary], in float32."""
    import torch

    words = model.config.get_text_config(decoder=True).vocab_size
    ids = [5 + n % max(1, min(40, words - 5)) for n in range(PROMPT_TOKENS)]
    given = {"input_ids": torch.tensor([ids], device=model.device)}  # [1, tokens]
    if model.config.is_encoder_decoder:
        first = [decoder_start(model), *ids[:-1]]
        given["decoder_input_ids"] = torch.tensor([first], device=model.device)
    with torch.inference_mode():
        found: Tensor = model(**given, use_cache=False).logits[0].float()
    return found
