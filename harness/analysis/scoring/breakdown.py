"""What one score hides: slices, labels, questions without an answer, a few cited answers.

Each is of one arm. Questions are never shown: their text may be private, and their ids find them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import ArmResult
from harness.analysis.schema.scores import (
    CitedAnswer,
    ClassScore,
    Score,
    SliceScore,
    Unanswerable,
)
from harness.analysis.scoring.score import score
from harness.metrics import Metric, by_class, declines, find, unanswerable

FEWEST_IN_SLICE = 10
"""Rows below which a slice is not called the worst."""
MOST_LABELS = 100
"""Labels above which a table of them is not read."""
SHOWN = 3
"""Cited answers of each arm: enough to see what its citations look like."""
LONGEST = 160
"""Characters of an answer that are kept."""


def slice_scores(run: RunData, arm: ArmData, metric: Metric) -> tuple[SliceScore, ...]:
    """Score one arm within each value of each slice column, largest slices first."""
    found = []
    for column in run.task.slices:
        values = [row[column] for row in run.gold.slices]
        for value, _ in Counter(values).most_common():
            rows = [number for number, other in enumerate(values) if other == value]
            part = score(run, arm, metric, rows)
            found.append(SliceScore(column=column, value=value, score=part))
    return tuple(found)


def worst_slice(slices: Sequence[SliceScore]) -> SliceScore | None:
    """Return the slice with the lowest score; None where fewer than two are large enough."""
    large = [s for s in slices if s.score.n >= FEWEST_IN_SLICE and s.score.value is not None]
    return min(large, key=lambda s: s.score.value or 0.0) if len(large) > 1 else None


def ahead_in(
    arms: Sequence[ArmResult], arm: ArmResult, own: SliceScore
) -> tuple[str, Score] | None:
    """Return the arm with the highest score in a slice of one arm, and that score.

    None where no other arm is ahead of that one there.
    """
    found, best = None, own.score.value or 0.0
    for other in arms:
        for part in other.slices:
            same = other is not arm and (part.column, part.value) == (own.column, own.value)
            if same and part.score.value is not None and part.score.value > best:
                found, best = (other.strategy, part.score), part.score.value
    return found


def class_scores(run: RunData, arm: ArmData) -> tuple[ClassScore, ...]:
    """Return precision and recall of each label over all seeds; nothing for other tasks."""
    labels = list(run.task.answer.labels)
    if not 0 < len(labels) <= MOST_LABELS:
        return ()
    seeds = len(arm.predictions)
    sums = run.statistics(arm, find("macro_f1")).sum(axis=1).sum(axis=0)  # class counts
    return tuple(
        ClassScore(
            label=label,
            precision=right / predicted if predicted else None,
            recall=right / actual if actual else None,
            n=round(actual / seeds),
        )
        for label, right, predicted, actual in zip(labels, *by_class(np.asarray(sums)), strict=True)
    )


def unanswerable_of(run: RunData, arm: ArmData) -> Unanswerable | None:
    """Return how many questions without an answer got one; None where there are no such.

    An answer that failed is none.
    """
    phrase, targets = run.task.answer.no_answer, run.gold.targets
    rows = [row for row, accepted in enumerate(targets) if unanswerable(accepted, phrase)]
    if not rows:
        return None
    answered = [
        not seed[row].error and not declines(seed[row].text, phrase)
        for seed in arm.predictions
        for row in rows
    ]
    return Unanswerable(answered_anyway=sum(answered) / len(answered), n=len(rows))


def cited_answers(run: RunData, arm: ArmData) -> tuple[CitedAnswer, ...]:
    """Return an arm's first answers with their sources, under its first seed.

    The first test rows in their order, never picked by what the answers are worth; nothing of an
    arm that never cites.
    """
    if not arm.cites:
        return ()
    first = zip(run.gold.ids[:SHOWN], arm.predictions[0], strict=False)
    return tuple(
        CitedAnswer(item=item, answer=None)
        if given.error
        else CitedAnswer(
            item=item, answer=_short(given.text), sources=tuple(map(str, given.sources or ()))
        )
        for item, given in first
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
