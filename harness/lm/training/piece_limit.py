"""How many tokens a training computes at once, and whether it computes activations again.

Knows a model's sizes and the memory that is free; nothing of losses and steps.
"""

from __future__ import annotations

from harness.errors import ModelError
from harness.lm.inference.routes import PLAIN
from harness.lm.inference.soft_prompt import soft_tokens
from harness.lm.local_model import LanguageModel
from harness.lm.sizing.budget import RowLimit, row_limit
from harness.lm.sizing.footprint import FLOAT32_BYTES, shape, training_bytes_per_token

COPIES = 4
"""Gradients, AdamW's two moments and the copy of the best weights, beside the weights."""


def piece_limit(
    lm: LanguageModel, longest: int, trained: int, copies: int, checkpointing: bool | None
) -> RowLimit:
    """Find how many tokens a piece may have, and turn checkpointing on where it is needed.

    Args:
        lm: the model; where activations are computed again it is told so.
        longest: tokens of the longest pair, which cannot be cut.
        trained: number of weights that are trained.
        copies: numbers in float32 that are held for each of them.
        checkpointing: compute activations again; None: only if the longest pair would not fit.

    Raises:
        ModelError: the method would lose what it learns.
    """
    model = lm.model
    reserved = trained * copies * FLOAT32_BYTES

    def find(again: bool) -> RowLimit:
        per_token = training_bytes_per_token(shape(model.config), model.dtype.itemsize, again)
        return row_limit(str(model.device), per_token, lm.budget_bytes, lm.note, reserved)

    # What a method would lose must be refused: training would run and learn nothing.
    recomputable = lm.adapter is None or lm.adapter.recomputable
    if checkpointing and not recomputable:
        what = lm.adapter.name if lm.adapter else "this method"
        raise ModelError(f"checkpointing would lose what {what} learns → leave `checkpointing` out")

    # Pieces are cut between pairs, so a pair that is too long alone leaves no other way.
    limit = find(again=bool(checkpointing))
    possible = recomputable and bool(getattr(model, "supports_gradient_checkpointing", False))
    if checkpointing is None and limit.fitting < longest and possible:
        checkpointing = True
        limit = find(again=True)
        lm.note("memory", "activations are computed again in the backward pass (checkpointing)")

    if checkpointing:
        model.activation_checkpointing_enable()
        # Layers that are computed again keep nothing for others to look at: no packed rows.
        if soft_tokens(model) and lm.packs:
            lm.route = PLAIN
            lm.note("engine", "with checkpointing a soft prompt is learnt from padded rows")
    return limit
