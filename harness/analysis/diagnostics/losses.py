"""The losses of each training by step, thinned to what a plot shows. Judges nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from harness.analysis.run_data import LogRow
from harness.analysis.schema.measured_curves import LossCurve

MOST_POINTS = 120
"""Points of a training loss that are kept, each the mean of the steps since the one before."""


def losses_of(logs: Sequence[Sequence[LogRow]], seeds: Sequence[int]) -> tuple[LossCurve, ...]:
    """Return a curve for each seed and each part of a composed arm that logged its training.

    Args:
        logs: rows with `step`, `train_loss` and, where it was evaluated, `validation_loss`; those
            of a part of a composed arm with `part` too.
        seeds: of each log.
    """
    return tuple(
        curve
        for log, seed in zip(logs, seeds, strict=True)
        for part in dict.fromkeys(row.get("part") for row in log)
        if (curve := _curve([row for row in log if row.get("part") == part], seed, part))
    )


def _curve(log: Sequence[LogRow], seed: int, part: object) -> LossCurve | None:
    # Of a step that was logged again after an interruption the later row counts.
    by_step = {int(row["step"]): row for row in log if "step" in row and "train_loss" in row}
    rows = [by_step[step] for step in sorted(by_step)]
    if not rows:
        return None
    size = -(-len(rows) // MOST_POINTS)
    chunks = [rows[at : at + size] for at in range(0, len(rows), size)]
    validation = [
        (int(row["step"]), _short(row["validation_loss"]))
        for row in rows
        if "validation_loss" in row
    ]
    return LossCurve(
        seed=seed,
        part=None if part is None else str(part),
        train=tuple(
            (int(chunk[-1]["step"]), _short(fmean(row["train_loss"] for row in chunk)))
            for chunk in chunks
        ),
        validation=tuple(validation),
        lowest=min(validation, key=lambda point: point[1])[0] if validation else None,
    )


def _short(loss: float) -> float:
    return float(f"{loss:.4g}")
