"""What answering prompts needs: the rows are cut as the engine cuts them, and counted.

After harness/lm/inference/scoring.py, generation.py and plain.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from harness.lm.inference.batching import plan_rows
from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.scoring import LOGIT_ROWS
from harness.lm.inference.token_tree import TokenTree, common_prefix_length
from harness.lm.sizing.budget import FEWEST_TOKENS, SPARE_SHARE
from harness.lm.sizing.footprint import (
    FLOAT32_BYTES,
    generation_bytes_per_token,
    scoring_bytes_per_token,
)
from harness.plan.demand import Need, Span, added, reading_s
from harness.plan.target_machine import BYTES_PER_S, Place
from harness.plan.unloaded_model import PlannedModel
from harness.types import TaskInfo
from harness.workload import Answering

LAYER_S = (0.2e-3, 1.2e-3)
"""What a layer costs by itself, however few tokens it computes: Python and PyTorch calls. An
estimate."""
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

    def add(self, model: PlannedModel, place: Place, row: Row) -> None:
        """Count one pass."""
        bones, itemsize = model.skeleton, place.itemsize
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
        """Return how long it all takes."""
        span = place.span_s(self.operations, "forward")
        if span is None:
            return None
        low, high = LAYER_S
        layers = model.skeleton.shape.layers * self.passes
        read_s = model.skeleton.weights * place.itemsize / BYTES_PER_S[place.device]
        reads = self.weight_reads * read_s
        return added([span, (low * layers, high * layers), (reads / 2, reads * 2)])


@dataclass(frozen=True)
class Row:
    """One pass: tokens computed, what they attend to in sum, logits taken, tokens kept before."""

    tokens: int
    contexts: int
    logit_rows: int
    kept: int = 0


def loaded(model: PlannedModel, place: Place, weights: str, trained: bool = False) -> Need:
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
    return Need(
        libraries=frozenset(libraries | ({"peft"} if weights == "adapter" else set())),
        kept={f"{model.ref.name} {'4 bits' if packed else itemsize}": taken},
        loading_bytes=file,
        spared_bytes=file,
        loading_s={f"{model.ref.name} {weights}": reading_s(stored)},
        says=(model.says,) if model.says else (),
    )


def answering(
    work: Answering, model: PlannedModel, place: Place, kept_bytes: int, serving: bool
) -> Need:
    """Return what the model needs to answer prompts.

    Args:
        work: the prompts.
        model: who answers.
        place: where.
        kept_bytes: what the process holds by then, for the size of rows.
        serving: whether single requests are timed first.
    """
    at_once = row_tokens(model, place, kept_bytes)
    tally = Tally()
    prompts = [model.prompt(prompt, _longest_answer(work.task, model)) for prompt in work.prompts]
    for row in _rows(work, model, prompts, at_once):
        tally.add(model, place, row)
    longest = _wall_s(work, model, place, prompts, tally, serving)
    shortest = longest
    if work.task.answer_kind != "choice":
        brief = replace(work, task=replace(work.task, max_new_tokens=_brief(work.task)))
        tally_of_brief = Tally()
        for row in _rows(brief, model, prompts, at_once):
            tally_of_brief.add(model, place, row)
        shortest = _wall_s(brief, model, place, prompts, tally_of_brief, serving)
    known = longest is not None and shortest is not None
    return Need(
        working_bytes=tally.working_bytes,
        wall_s=(shortest[0], longest[1]) if known else None,  # type: ignore[index]
    )


def _brief(task: TaskInfo) -> int:
    """Return the fewest tokens that answers are reckoned to have: an eighth of the most."""
    return max(1, task.max_new_tokens // 8)


def _wall_s(
    work: Answering,
    model: PlannedModel,
    place: Place,
    prompts: list[list[int]],
    tally: Tally,
    serving: bool,
) -> Span | None:
    """Return how long the answers take, and where `serving` the single requests before them."""
    spans = [tally.wall_s(model, place)]
    if serving and prompts:
        at_once = place.most_tokens
        spans.append(_latency_s(work, model, place, prompts, at_once))
    known = [span for span in spans if span is not None]
    return added(known) if len(known) == len(spans) else None


def row_tokens(model: PlannedModel, place: Place, kept_bytes: int) -> int:
    """Return how many tokens the engine would compute at once (harness/lm/sizing/budget.py)."""
    if place.usable_bytes is None:
        return place.most_tokens
    free = max(0, place.usable_bytes - kept_bytes)
    each = scoring_bytes_per_token(model.skeleton.shape, place.itemsize)
    return max(FEWEST_TOKENS, min(place.most_tokens, int(SPARE_SHARE * free / each)))


def _latency_s(
    work: Answering, model: PlannedModel, place: Place, prompts: list[list[int]], at_once: int
) -> Span | None:
    """Return how long the latency phase takes: requests one by one, with the prefix and without."""
    step = max(1, len(prompts) // LOOKED_AT)
    looked_at = list(islice(prompts, 0, None, step))[:LOOKED_AT]
    shared = _shared(prompts)
    warm, cold = Tally(), Tally()
    for prompt in looked_at:
        for row in _rows(work, model, [prompt], at_once, kept=min(shared, len(prompt) - 1)):
            warm.add(model, place, row)
        for row in _rows(work, model, [prompt], at_once):
            cold.add(model, place, row)
    timed = min(TIMED, len(prompts))
    spans = [(warm.wall_s(model, place), timed + WARM_UPS), (cold.wall_s(model, place), timed)]
    each = [
        (span[0] * times / len(looked_at), span[1] * times / len(looked_at))
        for span, times in spans
        if span is not None
    ]
    return added(each) if len(each) == len(spans) else None


def _rows(
    work: Answering, model: PlannedModel, prompts: list[list[int]], at_once: int, kept: int = 0
) -> Iterable[Row]:
    if not prompts:
        return []
    packs = model.skeleton.packs
    if work.task.answer_kind != "choice":
        return _generating(work, model, prompts, at_once, packs, kept)
    options = [model.answer(label) for label in work.task.labels]
    if not packs:
        return [
            _alone(work.soft_tokens + len(prompt) + len(option) - 1, len(option))
            for prompt in prompts
            for option in options
        ]
    return _choosing(prompts, options, at_once, kept)


def _choosing(
    prompts: list[list[int]], options: Sequence[list[int]], at_once: int, kept: int
) -> Iterable[Row]:
    """Yield the passes of scoring: the kept prefixes as they grow, and the rows behind them."""
    below = TokenTree()
    for option in options:
        below.add(option[:-1])
    begin = kept or (_shared(prompts) if len(prompts) > 1 else 0)
    if begin >= SHORTEST and not kept:
        yield _alone(begin, 1)
    held = prompts[0][:begin]
    for row in plan_rows(prompts, [len(below)] * len(prompts), begin, at_once):
        members = [prompts[place] for place in row.members]
        prefix = members[0][: row.kept]
        common = common_prefix_length([prefix, held]) if held else 0
        if len(prefix) > common:
            yield Row(len(prefix) - common, (len(prefix) ** 2 - common**2) // 2, 1, common)
        held = prefix
        tree, wanted = TokenTree(), set()
        for prompt in members:
            end = tree.add(prompt[row.kept :])[-1]
            for option in options:
                wanted.update([end, *tree.add(option[:-1], after=end)])
        contexts = sum(tree.depths) + len(tree) * (row.kept + 1)
        yield Row(len(tree), contexts, len(wanted), row.kept)


def _generating(
    work: Answering,
    model: PlannedModel,
    prompts: list[list[int]],
    at_once: int,
    packs: bool,
    kept: int,
) -> Iterable[Row]:
    """Yield the passes of writing: each group's prompts at once, then a token of each row a step.

    Every answer is counted as long as the task allows: that is the most.
    """
    from harness.lm.inference.generation import MOST_GROUP_TOKENS

    new = _longest_answer(work.task, model)
    begin = kept or (_shared(prompts) if packs and len(prompts) > 1 else 0)
    if begin and not kept:
        yield _alone(begin, 1)
    sizes = model.skeleton.shape
    most = at_once * scoring_bytes_per_token(sizes, 2) // generation_bytes_per_token(sizes, 2)
    limit = min(MOST_GROUP_TOKENS["cpu"], most)
    group: list[int] = []
    sized = [len(prompt) - begin for prompt in prompts]
    for size in [*sorted(sized), None]:
        if size is None or (group and sum(group) + len(group) * new + size + new > limit):
            tokens = sum(group)
            yield Row(tokens, tokens * (begin + tokens // max(1, len(group))), len(group), begin)
            for step in range(1, new):
                context = begin + tokens + step * len(group)
                yield Row(len(group), len(group) * context, len(group), context)
            group = []
        if size is not None:
            group.append(size + (0 if packs else work.soft_tokens))


def _alone(tokens: int, logit_rows: int) -> Row:
    return Row(tokens, tokens * (tokens + 1) // 2, logit_rows)


def _shared(prompts: list[list[int]]) -> int:
    shared = min(common_prefix_length(prompts), min(map(len, prompts)) - 1)
    return shared if shared >= SHORTEST else 0


def _longest_answer(task: TaskInfo, model: PlannedModel) -> int:
    if task.answer_kind == "choice":
        return max((len(model.answer(label)) for label in task.labels), default=1)
    return task.max_new_tokens
