"""What answering prompts takes: passes over rows of tokens, as bytes and time on a machine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.scoring import LOGIT_ROWS
from harness.lm.sizing.budget import FEWEST_TOKENS, SPARE_SHARE
from harness.lm.sizing.footprint import FLOAT32_BYTES, scoring_bytes_per_token
from harness.plan.demand import Demand, Span, reading_s, total_span
from harness.plan.inference_passes import Row, passes, shared_prefix
from harness.plan.target_machine import BYTES_PER_S, Place
from harness.plan.unloaded_model import PlannedModel
from harness.workload import Answering

LAYER_S = (0.2e-3, 1.2e-3)
"""What a layer costs by itself, however few tokens it computes: Python and PyTorch calls. An
estimate."""
BRIEF = 8
"""Written answers are reckoned to have from an eighth of the tokens that the task allows to all."""
WARM_UPS, TIMED = 3, 50
"""Single requests of the latency phase: so many warm, then as many cold (harness/run/job.py)."""
LOOKED_AT = 5
"""Single requests that are counted to stand for all."""


@dataclass
class Tally:
    """Operations and passes, summed up."""

    operations: int = 0
    passes: int = 0
    """Of all layers, one after another."""
    weight_reads: int = 0
    """Passes of so few tokens that reading the weights takes longest."""
    working_bytes: int = 0
    """The most that one pass takes."""

    def add(self, model: PlannedModel, itemsize: int, row: Row) -> None:
        """Count one pass over weights of so many bytes a number."""
        bones = model.skeleton
        sizes = bones.shape
        self.operations += bones.forward_operations(row.tokens, row.contexts, row.logit_rows)
        self.passes += 1
        self.weight_reads += row.tokens < SHORTEST
        logits = sizes.vocabulary * (
            row.logit_rows * itemsize + 2 * min(row.logit_rows, LOGIT_ROWS) * FLOAT32_BYTES
        )
        one_layer = (8 * sizes.hidden + 3 * sizes.intermediate) * itemsize
        kept = sizes.layers * sizes.keys_values * itemsize
        taken = logits + row.tokens * one_layer + (row.tokens + row.kept) * kept
        self.working_bytes = max(self.working_bytes, taken)

    def wall_s(self, model: PlannedModel, place: Place) -> Span | None:
        """Return how long it all takes on a machine; None where its speed is not known."""
        span = place.span_s(self.operations, "forward")
        low, high = LAYER_S
        layers = model.skeleton.shape.layers * self.passes
        read_s = model.skeleton.weights * place.itemsize / BYTES_PER_S[place.device]
        reads = self.weight_reads * read_s
        return total_span([span, (low * layers, high * layers), (reads / 2, reads * 2)])


def loaded(model: PlannedModel, place: Place, weights: str, trained: bool = False) -> Demand:
    """Return what loading a model needs.

    Pages of the file are given up when something else wants the room. The check of packed rows
    (lm/loading/packing_check.py) is made before, in a process of its own.

    Args:
        model: which.
        place: where.
        weights: "given", "four_bits" or "adapter".
        trained: whether all of it is to be trained, in float32.
    """
    bones = model.skeleton
    packed = weights == "four_bits"
    itemsize = FLOAT32_BYTES if trained else place.itemsize
    taken = bones.weights_bytes(itemsize, packed)
    stored = bones.weights_bytes(bones.stored_itemsize) if not packed else taken
    # Pages of the file count on a CPU, while the weights are made from them in another format.
    converted = place.device == "cpu" and bones.stored_itemsize != itemsize and not packed
    file = stored if converted else 0
    libraries = {"torch", "transformers"} | ({"bitsandbytes", "peft"} if packed else set())
    return Demand(
        libraries=frozenset(libraries | ({"peft"} if weights == "adapter" else set())),
        kept={f"{model.ref.name} {'4 bits' if packed else itemsize}": taken},
        loading_bytes=file,
        spared_bytes=file,
        loading_s={f"{model.ref.name} {weights}": reading_s(stored)},
        says=(model.says,) if model.says else (),
    )


def answering(
    work: Answering, model: PlannedModel, place: Place, kept_bytes: int, serving: bool
) -> Demand:
    """Return what the model takes to answer prompts.

    Args:
        work: the prompts.
        model: who answers.
        place: where.
        kept_bytes: what the process holds by then, for the size of rows.
        serving: whether single requests are timed first.
    """
    at_once = row_tokens(model, place, kept_bytes)
    most = work.task.max_new_tokens
    # A choice is scored, whatever may be written; an answer that is written may be brief.
    fewest = most if work.task.answer_kind == "choice" else max(1, most // BRIEF)
    tally = _tally(work, model, place, at_once, most)
    longest = _wall_s(work, model, place, tally, most, serving)
    brief = _tally(work, model, place, at_once, fewest)
    shortest = _wall_s(work, model, place, brief, fewest, serving)
    return Demand(
        working_bytes=tally.working_bytes,
        wall_s=None if shortest is None or longest is None else (shortest[0], longest[1]),
    )


def _wall_s(
    work: Answering, model: PlannedModel, place: Place, tally: Tally, new: int, serving: bool
) -> Span | None:
    """Return how long the answers take, and where `serving` the single requests before them."""
    spans = [tally.wall_s(model, place)]
    if serving and work.prompts:
        spans.append(_latency_s(work, model, place, new))
    return total_span(spans)


def row_tokens(model: PlannedModel, place: Place, kept_bytes: int) -> int:
    """Return how many tokens the engine would compute at once (harness/lm/sizing/budget.py)."""
    if place.usable_bytes is None:
        return place.most_tokens
    free = max(0, place.usable_bytes - kept_bytes)
    each = scoring_bytes_per_token(model.skeleton.shape, place.itemsize)
    return max(FEWEST_TOKENS, min(place.most_tokens, int(SPARE_SHARE * free / each)))


def _latency_s(work: Answering, model: PlannedModel, place: Place, new: int) -> Span | None:
    """Return how long the latency phase takes: requests one by one, with the prefix and without."""
    warm, cold, looked_at = model.once(
        work,
        ("single requests", place.most_tokens, place.itemsize, new),
        lambda: _single_requests(work, model, place.most_tokens, place.itemsize, new),
    )
    timed = min(TIMED, len(work.prompts))
    each: list[Span | None] = []
    for tally, times in ((warm, timed + WARM_UPS), (cold, timed)):
        span = tally.wall_s(model, place)
        each.append(span and (span[0] * times / looked_at, span[1] * times / looked_at))
    return total_span(each)


def _single_requests(
    work: Answering, model: PlannedModel, at_once: int, itemsize: int, new: int
) -> tuple[Tally, Tally, int]:
    """Count a few single requests, warm and cold; returns how many they are as well."""
    prompts = _prompts(work, model)
    step = max(1, len(prompts) // LOOKED_AT)
    looked_at = list(islice(prompts, 0, None, step))[:LOOKED_AT]
    shared = shared_prefix(prompts)
    warm, cold = Tally(), Tally()
    for prompt in looked_at:
        kept = min(shared, len(prompt) - 1)
        for row in passes(work, model, [prompt], at_once, new, kept):
            warm.add(model, itemsize, row)
        for row in passes(work, model, [prompt], at_once, new):
            cold.add(model, itemsize, row)
    return warm, cold, len(looked_at)


def _tally(work: Answering, model: PlannedModel, place: Place, at_once: int, new: int) -> Tally:
    """Return the count of all prompts' passes; machines that cut rows alike share it."""

    def count() -> Tally:
        tally = Tally()
        for row in passes(work, model, _prompts(work, model), at_once, new):
            tally.add(model, place.itemsize, row)
        return tally

    return model.once(work, ("passes", at_once, place.itemsize, new), count)


def _prompts(work: Answering, model: PlannedModel) -> list[list[int]]:
    """Return the prompts' tokens, with room for the longest answer."""
    room = _longest_answer(work, model)
    return model.once(
        work, ("prompts",), lambda: [model.prompt(prompt, room) for prompt in work.prompts]
    )


def _longest_answer(work: Answering, model: PlannedModel) -> int:
    task = work.task
    if task.answer_kind == "choice" and work.prompts:
        return max((len(model.answer(label, work.prompts[0])) for label in task.labels), default=1)
    return task.max_new_tokens
