"""Log-likelihoods of options after prompts, exactly, each distinct token computed once.

All prompts of a call with their options form a tree of tokens. It is cut into rows (`rows.py`);
what the sequences of several rows share is kept (`prefix.py`), and a row computes its part of the
tree in one pass, with logits only where a token is scored. Models that cannot be packed take the
plain path. Knows nothing of tasks, labels' meaning or metrics.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from typing import TYPE_CHECKING

from harness.errors import ModelError
from harness.lm.inference.attention import tree_inputs
from harness.lm.inference.batching import plan_rows
from harness.lm.inference.soft_prompt import underneath
from harness.lm.inference.token_tree import TokenTree

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel

LOGIT_ROWS = 256
"""Rows of logits normalised at once (a row of 50,000 words is 200 kB in float32)."""

Options = Sequence[list[int]]
"""Token ids of the texts that may follow a prompt."""


def score_options(
    lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Options]
) -> tuple[list[list[float]], int]:
    """Return log p(option | prompt) for each option of each prompt.

    Args:
        lm: the model.
        prompts: token ids of each prompt; at least one token each.
        options: for each prompt, its options; at least one token each, no two the same.

    Returns:
        One list of natural-log likelihoods a prompt, in the order of its options; and how many
        prompt tokens were kept from earlier calls.

    Raises:
        ModelError: a sequence is longer than the model's context, an option is empty or stands
            twice, or a likelihood is NaN.
    """
    for number, (prompt, choices) in enumerate(zip(prompts, options, strict=True)):
        _check(lm, number, prompt, choices)
    if not prompts:
        return [], 0
    scores, reused = lm.route.score(lm, prompts, options)
    if any(isnan(value) for row in scores for value in row):
        raise ModelError(
            f"'{lm.ref.name}' gave NaN in {lm.model.dtype} → set `dtype: float32` in the task"
        )
    return scores, reused


def score_packed(
    lm: LanguageModel, prompts: Sequence[list[int]], options: Sequence[Options]
) -> tuple[list[list[float]], int]:
    """Return what `score_options` does, from packed rows, unchecked."""
    scores = [[float("nan")] * len(choices) for choices in options]
    entries = [
        _Entry(number, prompt, 0, choices, 0)
        for number, (prompt, choices) in enumerate(zip(prompts, options, strict=True))
    ]
    reused = lm.rows.run(partial(lm.prefix.begin, lm.model, prompts), lm.prefix.clear)
    base = prompts[0][: len(lm.prefix)]
    lm.rows.run(partial(_score_entries, lm, entries, scores), lm.prefix.clear)
    lm.rows.run(partial(lm.prefix.become, lm.model, base), lm.prefix.clear)
    return scores, reused


@dataclass(frozen=True)
class _Entry:
    """A prompt with some of its options: with so few that they fit a row."""

    number: int
    prompt: list[int]
    first: int
    options: Options
    nodes: int
    """Of the options' tree, without their last tokens, which predict nothing."""


def _cut(entry: _Entry, limit: int) -> list[_Entry]:
    """Share an entry's options out to entries whose trees stay within the limit.

    An option's last token predicts nothing, so it is no node of the tree.
    """
    cut: list[_Entry] = []
    tree, begin = TokenTree(), 0
    for place, option in enumerate(entry.options):
        if len(tree) and len(tree) + len(option) - 1 > limit:
            options = entry.options[begin:place]
            cut.append(replace(entry, first=entry.first + begin, options=options, nodes=len(tree)))
            tree, begin = TokenTree(), place
        tree.add(option[:-1])
    options = entry.options[begin:]
    return [*cut, replace(entry, first=entry.first + begin, options=options, nodes=len(tree))]


def _score_entries(
    lm: LanguageModel, entries: list[_Entry], scores: list[list[float]], at_once: int
) -> None:
    """Score the entries row by row, taking from the list what is done.

    If memory runs out in a row, `RowLimit.run` calls again with fewer tokens, and only what is left
    on the list is cut anew and computed.
    """
    entries[:] = [part for entry in entries for part in _cut(entry, at_once)]
    rows = plan_rows(
        [entry.prompt for entry in entries],
        [entry.nodes for entry in entries],
        len(lm.prefix),
        at_once,
    )
    done: set[int] = set()
    try:
        for row in rows:
            members = [entries[place] for place in row.members]
            lm.prefix.become(lm.model, members[0].prompt[: row.kept], at_once)
            for entry, values in zip(members, _score_row(lm, members, row.kept), strict=True):
                scores[entry.number][entry.first : entry.first + len(values)] = values
            done.update(row.members)
    finally:
        entries[:] = [entry for place, entry in enumerate(entries) if place not in done]


def _score_row(lm: LanguageModel, entries: Sequence[_Entry], kept: int) -> list[list[float]]:
    """Compute one row's part of the tree behind the kept prefix.

    Returns:
        The log-likelihoods of each entry's options.
    """
    import torch

    # Each token of an option is predicted at the node before it; the first one at the prompt's end.
    tree = TokenTree()
    wanted: list[tuple[int, int]] = []  # (node whose logits predict, the token predicted)
    for entry in entries:
        end = tree.add(entry.prompt[kept:])[-1]
        for option in entry.options:
            path = [end, *tree.add(option[:-1], after=end)]
            wanted += zip(path, option, strict=True)

    # Logits are wide, so they are computed at the nodes that predict something alone; one node may
    # predict the first tokens of many options.
    nodes = sorted({node for node, _ in wanted})
    place_of = {node: place for place, node in enumerate(nodes)}
    with torch.inference_mode():
        logits = underneath(lm.model)(
            **tree_inputs(lm.model, tree, lm.prefix.past),
            past_key_values=lm.prefix.keys_values,
            use_cache=lm.prefix.keys_values is not None,
            logits_to_keep=torch.tensor(nodes, device=lm.model.device),
        ).logits[0]  # [nodes, vocabulary]
        lm.prefix.restore()

        # log p = logit - log of the sum of all exponentials, in float32. The sum is taken in parts:
        # a float32 copy of all logits at once would be the largest tensor of the pass.
        places = torch.tensor([place_of[node] for node, _ in wanted], device=logits.device)
        tokens = torch.tensor([token for _, token in wanted], device=logits.device)  # [wanted]
        normaliser = torch.cat(
            [part.float().logsumexp(dim=-1) for part in logits.split(LOGIT_ROWS)]
        )  # [nodes]
        values = iter((logits[places, tokens].float() - normaliser[places]).tolist())
    return [[sum(next(values) for _ in option) for option in entry.options] for entry in entries]


def _check(lm: LanguageModel, number: int, prompt: list[int], options: Options) -> None:
    """Check that a prompt's options can be scored.

    Raises:
        ModelError: there is none, one is empty, two are alike, or the longest has no room.
    """
    if not options:
        raise ModelError(f"prompt {number} has no options to choose from")
    seen: dict[tuple[int, ...], int] = {}
    for place, option in enumerate(options):
        if not option:
            raise ModelError(f"option {place} of prompt {number} has no tokens")
        twin = seen.setdefault(tuple(option), place)
        if twin != place:
            raise ModelError(
                f"options {twin} and {place} of prompt {number} are the same tokens"
                " → every option must be another text"
            )
    lm.check_room(number, len(prompt), max(map(len, options)))
