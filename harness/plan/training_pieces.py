"""What a tuning computes at once: batches and pieces, cut as the engine cuts them, and counted.

After harness/lm/training/loop.py, loss.py and objective.py. Knows nothing of machines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.lm.inference.token_tree import TokenTree
from harness.lm.training.loop import batches
from harness.lm.training.loss import pieces
from harness.lm.training.objective import told_apart
from harness.lm.training.settings import TuneSettings
from harness.plan.unloaded_model import Pair, PlannedModel
from harness.workload import Tuning


@dataclass(frozen=True)
class Piece:
    """What is computed at once."""

    tokens: int
    contexts: int
    completion: int


def behind_prompts(work: Tuning, model: PlannedModel) -> list[list[int]]:
    """Return what the engine computes behind each prompt; nothing: its completion alone.

    After harness/lm/training/objective.py.
    """
    if work.objective == "head":
        return [[0]]
    if work.objective == "label_text" or not work.labels:
        return []
    options = _options(work, model)
    return [*told_apart(options), max(options, key=len)]


def _options(work: Tuning, model: PlannedModel) -> list[list[int]]:
    return [model.answer(label) for label in work.labels]


def epoch_pieces(
    work: Tuning, model: PlannedModel, train: Sequence[Pair], at_once: int, packed: bool
) -> list[list[Piece]]:
    """Return the pieces of every step of the first epoch; the others are cut alike."""
    settings = TuneSettings(1.0, 1, work.batch_size, 0.0, 0.0, 1, 1, work.seed)
    behind = behind_prompts(work, model)
    return [
        [
            _piece(pairs, work, behind, packed)
            for pairs in pieces(batch, at_once, padded=not packed, texts=behind)
        ]
        for batch in batches(train, settings)
    ]


def _piece(pairs: Sequence[Pair], work: Tuning, behind: Sequence[list[int]], packed: bool) -> Piece:
    """Count what a piece computes: prompts, and behind each its completion or all of `behind`."""
    rows = [(prompt, [*behind[:-1], answer] if behind else [answer]) for prompt, answer in pairs]
    if work.objective == "head":
        rows = [(prompt, [[0]]) for prompt, _ in pairs]
    soft = work.adapter.soft_tokens
    if not packed:
        flat = [(len(prompt), len(text)) for prompt, texts in rows for text in texts]
        width = soft + max(prompt + text - 1 for prompt, text in flat)
        tokens = width * len(flat)
        tail = width - soft - min(prompt for prompt, _ in flat) + 1
        return Piece(tokens, tokens * (width + 1) // 2, tail * len(flat))
    tree = TokenTree()
    wanted: set[int] = set()
    for prompt, texts in rows:
        end = tree.add(prompt)[-1]
        for text in texts:
            wanted.update([end, *tree.add(text[:-1], after=end)])
    tokens = soft + len(tree)
    return Piece(tokens, tokens * soft + sum(tree.depths) + len(tree), len(wanted))


def look_pieces(
    work: Tuning, model: PlannedModel, held_out: Sequence[Pair], packed: bool
) -> list[Piece]:
    """Return the pieces of a look: of a choice whole labels are scored, whatever is trained."""
    whole = _options(work, model) if work.labels and work.objective != "head" else []
    behind = [*whole, max(whole, key=len)] if whole else behind_prompts(work, model)
    cut = pieces(held_out, 512, padded=not packed, texts=behind)
    return [_piece(pairs, work, behind, packed) for pairs in cut]
