"""The passes that answering takes: prompts are cut into rows as the engine cuts them.

After harness/lm/inference/scoring.py, generation.py and plain.py. Knows nothing of machines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.lm.inference.batching import plan_rows
from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.token_tree import TokenTree, common_prefix_length
from harness.lm.sizing.footprint import generation_bytes_per_token, scoring_bytes_per_token
from harness.plan.unloaded_model import PlannedModel
from harness.workload import Answering


@dataclass(frozen=True)
class Row:
    """One pass: tokens computed, what they attend to in sum, logits taken, tokens kept before."""

    tokens: int
    contexts: int
    logit_rows: int
    kept: int = 0


def passes(
    work: Answering,
    model: PlannedModel,
    prompts: list[list[int]],
    at_once: int,
    new: int,
    kept: int = 0,
) -> Iterable[Row]:
    """Yield the passes over prompts.

    Args:
        work: whose prompts they are.
        model: who answers.
        prompts: tokens of each.
        at_once: the most tokens of a pass.
        new: tokens that each answer has, where answers are written.
        kept: leading tokens that were computed before.
    """
    if not prompts:
        return []
    packs = model.skeleton.packs
    if work.task.answer_kind != "choice":
        soft = 0 if packs else work.soft_tokens
        return _generating(model, prompts, at_once, new, soft, kept)
    options = [model.answer(label, work.prompts[0]) for label in work.task.labels]
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
    begin = kept or (shared_prefix(prompts) if len(prompts) > 1 else 0)
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
        behind = [prompt[row.kept :] for prompt in members]
        yield _tree_row(behind, [option[:-1] for option in options], below, row.kept)


def _tree_row(
    prompts: Sequence[list[int]], options: Sequence[list[int]], below: TokenTree, kept: int
) -> Row:
    """Count a row of prompts with all options behind each, what they share counted once.

    Args:
        prompts: tokens behind the kept prefix.
        options: tokens of each without its last, which is predicted and not computed.
        below: the options' own tree.
        kept: tokens of the prefix.
    """
    tree = TokenTree()
    ends = [tree.add(prompt)[-1] for prompt in prompts]
    distinct = set(ends)
    if distinct.isdisjoint(tree.parents):
        # No prompt goes on where another one ends, so behind each distinct prompt stands a whole
        # tree of options, and counting one is enough: with many labels that is most of the time.
        tokens = len(tree) + len(distinct) * len(below)
        depths = sum(tree.depths) + len(distinct) * sum(below.depths)
        depths += len(below) * sum(tree.depths[end] + 1 for end in distinct)
        wanted = len(distinct) * (1 + len(below))
    else:
        nodes = set(ends)
        for end in ends:
            for option in options:
                nodes.update(tree.add(option, after=end))
        tokens, depths, wanted = len(tree), sum(tree.depths), len(nodes)
    return Row(tokens, depths + tokens * (kept + 1), wanted, kept)


def _generating(
    model: PlannedModel, prompts: list[list[int]], at_once: int, new: int, soft: int, kept: int
) -> Iterable[Row]:
    """Yield the passes of writing: each group's prompts at once, then a token of each row a step.

    Every answer is counted as `new` tokens, and every prompt has `soft` more before it.
    """
    from harness.lm.inference.generation import MOST_GROUP_TOKENS

    begin = kept or (shared_prefix(prompts) if model.skeleton.packs and len(prompts) > 1 else 0)
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
            group.append(size + soft)


def _alone(tokens: int, logit_rows: int) -> Row:
    return Row(tokens, tokens * (tokens + 1) // 2, logit_rows)


def shared_prefix(prompts: list[list[int]]) -> int:
    """Return how many leading tokens the engine keeps for all prompts; 0 where they are too few."""
    shared = min(common_prefix_length(prompts), min(map(len, prompts)) - 1)
    return shared if shared >= SHORTEST else 0
