"""What an arm may have seen of the test rows, and whether its lead rests on them."""

from __future__ import annotations

from typing import NamedTuple

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.scores import Leakage, LeakedFrom
from harness.analysis.scoring.paired import paired_difference
from harness.analysis.scoring.score import counted_rows, score

ELSEWHERE = "its answers were made elsewhere, and nobody says what from"


def leakage_of(run: RunData, arm: ArmData) -> Leakage | None:
    """Return the test rows that stand in what an arm may use; None: the run does not say it."""
    plan, leaks = arm.plan, run.header.leaks
    if plan.reads is None or leaks is None:
        return None
    read = [leak for leak in leaks if leak.source in plan.reads]
    exact = {row_id for leak in read for row_id in leak.exact}
    near = {row_id for leak in read for row_id in leak.near or ()} - exact
    rows = [place for place, row_id in enumerate(run.gold.ids) if row_id not in exact | near]
    leaked = len(rows) < len(run.gold.ids)
    return Leakage(
        sources=tuple(
            LeakedFrom(
                source=leak.source,
                exact=len(leak.exact),
                near=None if leak.near is None else len(leak.near),
            )
            for leak in read
        ),
        ids=tuple(row_id for row_id in run.gold.ids if row_id in exact | near),
        exact=len(exact),
        near=None if any(leak.near is None for leak in read) else len(near),
        without=score(run, arm, run.metric, rows) if rows and leaked else None,
        unknown=ELSEWHERE if plan.replays and not plan.tunes else None,
    )


class Lead(NamedTuple):
    """How far an arm is ahead of another, in units of the metric."""

    value: float
    low: float
    """Above 0: significantly."""


def lead_of(run: RunData, first: ArmData, second: ArmData, left_out: frozenset[str]) -> Lead | None:
    """Return how far an arm is ahead of another without some test rows; None: none is left."""
    places = [place for place, row_id in enumerate(run.gold.ids) if row_id not in left_out]
    rows = places if len(places) < len(run.gold.ids) else None
    each = [run.statistics(arm, run.metric) for arm in (first, second)]
    each = each if rows is None else [of_arm[:, rows] for of_arm in each]
    if not places or not counted_rows(run.metric, each):
        return None
    value, low, _ = paired_difference(run.metric, each[0], each[1], run.resamples(rows))
    return Lead(value, low)
