"""What training curves show: overfitting, or a training that ended while it still got better.

Overfitting is rising validation loss under falling training loss. That is more than a validation
loss that rises (a rate too high does that as well, under a rising training loss), and more than the
last evaluation's noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from harness.analysis.run_data import LogRow
from harness.analysis.schema.diagnostics import Overfitting

RISE = 0.02
"""Share by which the validation loss must end above its lowest, or have fallen at the end: less is
taken for noise. A choice of ours."""
EVALUATIONS_AFTER = 2
"""Evaluations in which it rises, or falls: a single one may be chance. A choice of ours."""


def overfitting_of(logs: Sequence[Sequence[LogRow]], seeds: Sequence[int]) -> Overfitting | None:
    """Read the training logs of an arm, one a seed, and in each every part by itself.

    Args:
        logs: rows with `step`, `train_loss` and, where it was evaluated, `validation_loss`; those
            of a part of a composed arm with `part` too. Other rows are not of a training.
        seeds: of each log.

    Returns:
        The first seed and part that is flagged, else the first; None where nothing was trained.
    """
    found = [
        _of_training([row for row in log if _part(row) == part], seed, part)
        for log, seed in zip(logs, seeds, strict=True)
        for part in dict.fromkeys(map(_part, log))
    ]
    known = [one for one in found if one is not None]
    return next((one for one in known if one.flagged), known[0] if known else None)


def _part(row: LogRow) -> str | None:
    """Return the part of a composed arm that a row is of; None is the arm itself."""
    return None if row.get("part") is None else str(row["part"])


def _of_training(log: Sequence[LogRow], seed: int, part: str | None) -> Overfitting | None:
    """Read one training; of a step logged again after an interruption the later row counts."""
    by_step = {int(row["step"]): row for row in log if "step" in row and "train_loss" in row}
    rows = [by_step[step] for step in sorted(by_step)]
    if not rows:
        return None
    evaluated = [place for place, row in enumerate(rows) if "validation_loss" in row]
    if not evaluated:
        return Overfitting(undefined="no validation loss was logged", seed=seed, part=part)
    losses = [rows[place]["validation_loss"] for place in evaluated]
    best = losses.index(min(losses))
    # Mean training loss over the steps that led to each evaluation: one batch's is noise.
    begins = [0, *(place + 1 for place in evaluated[:-1])]
    trained = [
        fmean(row["train_loss"] for row in rows[begin : end + 1])
        for begin, end in zip(begins, evaluated, strict=True)
    ]
    rises = losses[-1] > losses[best] * (1 + RISE)
    late = len(losses) - 1 - best >= EVALUATIONS_AFTER
    return Overfitting(
        flagged=rises and late and trained[-1] < trained[best],
        step=int(rows[evaluated[best]]["step"]),
        last_step=int(rows[evaluated[-1]]["step"]),
        validation_loss=(losses[best], losses[-1]),
        train_loss=(trained[best], trained[-1]),
        falling_from=_falling_from(losses),
        seed=seed,
        part=part,
    )


def _falling_from(losses: Sequence[float]) -> float | None:
    """Return the lowest loss before the last evaluations, if it fell on in them to its lowest."""
    before = losses[:-EVALUATIONS_AFTER]
    still = before and losses[-1] == min(losses) and losses[-1] * (1 + RISE) < min(before)
    return min(before) if still else None
