"""What tuning takes: memory for its pieces and what is trained, and time for its steps and looks.

After harness/lm/training/loop.py and harness/lm/sizing/footprint.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from harness.lm.sizing.budget import FEWEST_TOKENS, SPARE_SHARE
from harness.lm.sizing.footprint import (
    FLOAT32_BYTES,
    logits_bytes_per_token,
    saved_bytes_per_layer,
    training_bytes_per_token,
)
from harness.lm.training.piece_limit import COPIES
from harness.plan.demand import Demand, Span, total_span
from harness.plan.inference_demand import LAYER_S, loaded
from harness.plan.target_machine import BYTES_PER_S, Place
from harness.plan.training_pieces import Piece, behind_prompts, epoch_pieces, look_pieces
from harness.plan.unloaded_model import Pair, PlannedModel
from harness.workload import Tuning

HEAP_SHARE = 0.5
"""On a CPU checkpointing saves half of the activations, not nearly all: glibc keeps small freed
tensors between those that stay. Measured on 135 million weights at 64, 256 and 512 tokens (136,
323 and 644 MiB, where 210, 590 and 1,142 MiB are taken without)."""
PIECES_TIMES = 1.2
"""On a CPU steps of several pieces take so many times their largest one's activations:
glibc keeps what is freed of one size beside tensors of another. The middle of what LoRA took on the
shipped tasks: 1.26 times on ticket_triage, 1.49 on ticket_to_json, and on handbook_qa 1.16 and 1.22
with passages, 0.99 and 1.03 without, 0.95 on documents (there all pieces are alike). A step of one
piece takes what is counted (tests/lm/sizing/test_footprint.py)."""
STATE_BYTES = 8
"""AdamW's two moments of a weight, in float32."""
FEW_STATE_BYTES = 2
"""In 8 bits: of whole models on a GPU (bitsandbytes)."""
UPDATE_BYTES = 40
"""What a step of AdamW reads and writes for each weight it trains."""


def state_bytes(work: Tuning, model: PlannedModel, place: Place) -> int:
    """Return what gradients, AdamW's moments, adapters and what may be kept of them take.

    A head over labels is left out: it is a thousandth of an adapter.
    """
    weights, whole = model.trained_weights(work.adapter), work.adapter.trains_all
    averaged = bool(work.validation) and work.averaged > 1
    copies = 1 + bool(work.validation) + averaged + (not whole)
    moments = FEW_STATE_BYTES if whole and place.device == "cuda" else STATE_BYTES
    held = weights * (copies * FLOAT32_BYTES + moments)
    if whole and model.skeleton.tied:
        held += 2 * model.skeleton.largest * FLOAT32_BYTES  # gradients of both of its uses
    return held


def activation_bytes(
    work: Tuning, model: PlannedModel, place: Place, piece: Piece, again: bool
) -> int:
    """Return what a piece's activations take, computed again in the backward pass or not."""
    bones, heap = model.skeleton, place.device == "cpu"
    sizes, itemsize = bones.shape, _itemsize(work, place)
    logits = logits_bytes_per_token(sizes, itemsize)
    own = work.adapter.activation_bytes_per_token(bones.adapted, itemsize, heap)
    if heap:
        whole = training_bytes_per_token(sizes, itemsize, checkpointing=False) - logits + own
        each = int(HEAP_SHARE * whole) if again else whole
    else:
        layer = saved_bytes_per_layer(sizes, itemsize, work.adapter.trains_all)
        layer += own // max(1, sizes.layers)
        inputs = sizes.layers * sizes.hidden * itemsize
        each = inputs + layer if again else sizes.layers * layer
    dequantised = 0
    if work.four_bits:  # one layer's weights at a time, and their gradient's product
        dequantised = 2 * itemsize * max(i * o for i, o in bones.linear)
    return piece.tokens * each + piece.completion * logits + dequantised


def tuning(work: Tuning, model: PlannedModel, place: Place, kept_bytes: int) -> Demand:
    """Return what tuning takes, loading included.

    Args:
        work: which weights, on what.
        model: whose.
        place: where.
        kept_bytes: what the process holds by then beside the model, libraries included.
    """
    whole = work.adapter.trains_all
    loading = loaded(model, place, "four_bits" if work.four_bits else "given", whole)
    train, held_out = model.once(work, ("pairs",), lambda: _pairs(work, model))
    held = state_bytes(work, model, place)
    kept_bytes += sum(loading.kept.values())
    if not whole:
        kept_bytes += model.trained_weights(work.adapter) * FLOAT32_BYTES
    at_once, again = _limit(work, model, place, [*train, *held_out], kept_bytes)
    packed = _packed(work, model, again)
    key = ("steps", at_once, packed)
    cut = model.once(work, key, lambda: epoch_pieces(work, model, train, at_once, packed))
    largest = max(
        (activation_bytes(work, model, place, piece, again) for step in cut for piece in step),
        default=0,
    )
    if place.device == "cpu" and any(len(step) > 1 for step in cut):
        largest = int(PIECES_TIMES * largest)
    libraries = loading.libraries | (frozenset() if whole else {"peft"})
    says = loading.says
    if again and work.checkpointing is None:
        says += ("activations are computed again in the backward pass, to fit the memory",)
    return replace(
        loading,
        libraries=libraries,
        kept=dict(loading.kept) | {f"{work.adapter.name} training": held},
        working_bytes=largest,
        wall_s=_wall_s(work, model, place, cut, held_out, again),
        says=says,
    )


def _pairs(work: Tuning, model: PlannedModel) -> tuple[list[Pair], list[Pair]]:
    """Return the tokens of what is trained on, and of what is held out."""
    return (
        [model.pair(*pair) for pair in work.training_pairs],
        [model.pair(*pair) for pair in work.validation],
    )


def _packed(work: Tuning, model: PlannedModel, again: bool) -> bool:
    """Tell whether rows are packed; behind a soft prompt they cannot be computed again."""
    return model.skeleton.packs and not (again and work.adapter.soft_tokens)


def _itemsize(work: Tuning, place: Place) -> int:
    return FLOAT32_BYTES if work.adapter.trains_all else place.itemsize


def _limit(
    work: Tuning, model: PlannedModel, place: Place, pairs: Sequence[Pair], kept_bytes: int
) -> tuple[int, bool]:
    """Return how many tokens the engine computes at once, and whether it checkpoints."""
    again = bool(work.checkpointing)
    if place.usable_bytes is None:
        return place.most_tokens, again
    copies = COPIES + (work.averaged > 1)
    reserved = model.trained_weights(work.adapter) * copies * FLOAT32_BYTES
    free = max(0, place.usable_bytes - kept_bytes - reserved)
    behind = max(map(len, behind_prompts(work, model)), default=0)
    longest = max((len(p) + max(len(c), behind) for p, c in pairs), default=0)

    def fitting(computed_again: bool) -> int:
        itemsize = _itemsize(work, place)
        each = training_bytes_per_token(model.skeleton.shape, itemsize, computed_again)
        return int(SPARE_SHARE * free / each)

    found = fitting(again)
    if work.checkpointing is None and found < longest and work.adapter.recomputable:
        again = True
        found = fitting(again)
    return max(FEWEST_TOKENS, min(place.most_tokens, found)), again


def _wall_s(
    work: Tuning,
    model: PlannedModel,
    place: Place,
    cut: Sequence[Sequence[Piece]],
    held_out: Sequence[Pair],
    again: bool,
) -> Span | None:
    """Return the time from the earliest stop there can be to all epochs.

    A training that diverges stops earlier; that is not forecast.
    """
    if not cut:
        return None
    operations = sum(_operations(work, model, piece, again) for step in cut for piece in step)
    # What the lower layers make of each row is computed once, where they are not trained.
    below = 1 - work.adapter.upper_share
    once = sum(2 * below * model.skeleton.computed * p.tokens for step in cut for p in step)
    passes = sum(len(step) for step in cut)
    per_epoch = len(cut)
    every = max(1, per_epoch // work.evaluations_per_epoch)
    total = per_epoch * work.epochs
    impatient = work.patience is not None and bool(held_out)
    first_stop = min(total, every * (1 + (work.patience or 0))) if impatient else total
    updates = model.trained_weights(work.adapter) * UPDATE_BYTES / BYTES_PER_S[place.device]
    ends = []
    for end, steps in enumerate((first_stop, total)):
        trained = place.span_s(operations * steps / per_epoch + once, "training")
        watched = _evaluation_s(work, model, place, held_out, again)
        if trained is None or watched is None:
            return None
        evaluations = (steps + every - 1) // every if held_out else 0
        if held_out:  # of the mean of the last weights, and for the calibration of labels
            evaluations += (work.averaged > 1) + bool(work.labels)
        layers = model.skeleton.shape.layers * passes * steps / per_epoch
        ends.append(
            trained[end]
            + evaluations * watched[end]
            + 3 * LAYER_S[end] * layers
            + steps * updates * (0.5, 2)[end]
        )
    return ends[0], ends[1]


def _operations(work: Tuning, model: PlannedModel, piece: Piece, again: bool) -> float:
    """Return the operations of one pass forward and back.

    Going back costs as much as going forward again, and as much once more where the weights
    themselves have gradients; attention twice as much in either case.
    """
    bones = model.skeleton
    products = work.adapter.upper_share * 2 * bones.computed * piece.tokens
    rest = bones.fixed_operations(piece.contexts, piece.completion)
    forward = products + rest
    gradients = (2 if work.adapter.trains_all else 1) * products + 2 * rest
    return forward * (2 if again else 1) + gradients


def _evaluation_s(
    work: Tuning, model: PlannedModel, place: Place, held_out: Sequence[Pair], again: bool
) -> Span | None:
    """Return how long one look at the validation loss takes."""
    if not held_out:
        return 0.0, 0.0
    packed = _packed(work, model, again)
    cut = model.once(
        work,
        ("held out", packed),
        lambda: look_pieces(work, model, held_out, packed),
    )
    bones = model.skeleton
    operations = sum(
        bones.forward_operations(piece.tokens, piece.contexts, piece.completion) for piece in cut
    )
    layers = bones.shape.layers * len(cut)
    own = (LAYER_S[0] * layers, LAYER_S[1] * layers)
    return total_span([place.span_s(operations, "forward"), own])
