"""The points of all curves, resampled together: the same test rows in every point.

Repeats of a size differ by the rows that were drawn and by the seed; what they differ by is spread
as seeds are everywhere (harness/stats/seeds.py). Draws are from the rows that there are: what other
labelled rows than these would change is in no interval. Knows nothing of words.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from harness.analysis.run_data import ArmData, Array, RunData, VariantTrial
from harness.analysis.scoring.score import estimate
from harness.stats.bootstrap import Resamples, bootstrap, item_counts
from harness.store.rows_variant import RowsVariant

RESAMPLES = 2_000
"""Fewer than those of a verdict: a curve has many points, and no verdict rests on it."""
MOST_COUNTS = 40_000_000
FEWEST = 200
SEED = 20_006


@dataclass(frozen=True)
class Point:
    """One arm on one kind of rows."""

    arm: str
    labels_n: int
    value: float
    resampled: Array
    """[resamples], jointly with all other points."""
    trainings: int
    failed: int = 0


@dataclass(frozen=True)
class Group:
    """The trainings of an arm on one kind of rows, whichever repeat."""

    arm: str
    rows: RowsVariant
    trials: tuple[VariantTrial, ...]

    @property
    def ended(self) -> list[VariantTrial]:
        """Those that ended ok."""
        return [trial for trial in self.trials if trial.status == "ok"]

    @property
    def why_missing(self) -> str:
        """Why it has no point."""
        return next((trial.error for trial in self.trials if trial.error), None) or "it was not run"


def groups(run: RunData) -> list[Group]:
    """Return the trials on other rows, those of an arm on the same kind of rows together."""
    found: dict[tuple[str, RowsVariant], list[VariantTrial]] = defaultdict(list)
    for trial in run.variants:
        if trial.plan.rows is not None:
            kind = trial.plan.rows.model_copy(update={"repeat": 0})
            found[trial.plan.arm, kind].append(trial)
    return [Group(arm, rows, tuple(trials)) for (arm, rows), trials in found.items()]


def resampled(run: RunData, parts: Mapping[str, Sequence[Group]]) -> dict[str, list[Point]]:
    """Return, by arm, a point for each group that has a training, and last that of all rows.

    Args:
        run: with its main arms, whose own trials are the point of all rows.
        parts: arm to its groups; an arm without any has the one point.
    """
    arms = {arm.name: arm for arm in run.finished if arm.name in parts}
    # [repeats, items, k] of each point, and what it is of.
    listed: list[tuple[str, Group | None, Array]] = []
    for name, arm in arms.items():
        for group in parts[name]:
            if group.ended:
                listed.append((name, group, _statistics(run, group)))
        listed.append((name, None, run.statistics(arm, run.metric)))
    if not listed:
        return {}
    values = bootstrap(run.metric, [of_point for *_, of_point in listed], _resamples(run))
    found: dict[str, list[Point]] = defaultdict(list)
    for (name, of_rows, of_point), row in zip(listed, values, strict=True):
        value = estimate(run.metric, of_point)
        found[name].append(_point(run, arms[name], of_rows, value, row))
    return found


def _point(run: RunData, arm: ArmData, group: Group | None, value: float, row: Array) -> Point:
    if group is None:
        return Point(arm.name, all_labels(run), value, row, len(arm.predictions))
    size = group.rows.size or all_labels(run)
    failed = len(group.trials) - len(group.ended)
    return Point(arm.name, size, value, row, len(group.ended), failed)


def all_labels(run: RunData) -> int:
    """Return how many labelled rows there are."""
    return run.header.data.train_n + run.header.data.validation_n


def _statistics(run: RunData, group: Group) -> Array:
    rows = range(len(run.gold.ids))
    return np.stack(
        [run.metric.statistics(run.items(trial.predictions, rows)) for trial in group.ended]
    )


def _resamples(run: RunData) -> Resamples:
    n = len(run.gold.ids)
    rows = max(FEWEST, min(RESAMPLES, MOST_COUNTS // max(n, 1)))
    counts = item_counts(np.random.default_rng(SEED), rows, n, run.gold.clusters)
    return Resamples.given(counts, run.gold.clusters)
