"""What changed between two runs: each arm they share, on the test rows they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.arm_result import build_row
from harness.analysis.cost.cost import Terms
from harness.analysis.run_data import ArmEvidence, Evidence, gather
from harness.analysis.schema.comparison import Row
from harness.analysis.scoring.paired import paired_difference
from harness.analysis.scoring.values import Array, counted_rows, statistics
from harness.errors import UserError
from harness.metrics import Metric
from harness.store.run_folder import RunFolder
from harness.wording import numbers


def compare(first: RunFolder, second: RunFolder) -> list[str]:
    """Compare the newest runs of two folders.

    Returns:
        Lines for the screen: for each arm the change of its score with a paired 95 % interval,
        and of its latency, memory and time to fit.

    Raises:
        UserError: the two have another metric, or no test row or finished arm in common.
    """
    before, after = gather(first), gather(second)
    if before.task["metric"] != after.task["metric"]:
        names = f"{before.task['metric']} and {after.task['metric']}"
        raise UserError(f"the two runs have different metrics: {names}")
    rows = _shared_rows(before, after)
    if not rows:
        raise UserError("the two runs have no test row in common")
    arms = {arm.name: arm for arm in after.arms if arm.status == "ok"}
    pairs = [
        (arm, arms[arm.name]) for arm in before.arms if arm.status == "ok" and arm.name in arms
    ]
    if not pairs:
        raise UserError("no arm finished in both runs")
    metric = before.metric
    lines = [f"{metric.name} of {second.path} less {first.path}, on {len(rows)} shared test rows:"]
    for old, new in pairs:
        lines += _changes(Side(before, old), Side(after, new), metric, rows)
    return [*lines, *_missing(before, after)]


def _shared_rows(before: Evidence, after: Evidence) -> list[tuple[int, int]]:
    """Return the positions of the rows of which both runs hold the same to be right."""
    places = {row: place for place, row in enumerate(_right(after))}
    return [(place, places[row]) for place, row in enumerate(_right(before)) if row in places]


def _right(evidence: Evidence) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield id, accepted answers and evidence of each test row."""
    truth = evidence.truth
    return zip(truth.ids, truth.targets, truth.evidence, strict=True)


@dataclass(frozen=True)
class Side:
    """One arm in one of the two runs."""

    evidence: Evidence
    arm: ArmEvidence

    def statistics(self, metric: Metric, places: list[int]) -> Array:
        """Return the metric's statistics of this arm for the test rows at `places`."""
        return statistics(self.evidence, self.arm, metric)[:, places]

    def row(self) -> Row:
        """Return the arm's row, without prices: those are not compared."""
        task = self.evidence.task
        terms = Terms(None, task["traffic"], task["needs"], task["labour"])
        return build_row(self.evidence, self.arm, terms)


def _changes(
    old: Side, new: Side, metric: Metric, rows: Sequence[tuple[int, int]]
) -> Iterator[str]:
    name, params = old.arm.name, old.arm.plan.params
    was = old.statistics(metric, [place for place, _ in rows])
    now = new.statistics(metric, [place for _, place in rows])
    clusters = [old.evidence.truth.clusters[place] for place, _ in rows]
    if not counted_rows(metric, [was, now]):
        yield f"{name}: none of the shared test rows counts for {metric.name}"
        return
    value, low, high = paired_difference(metric, now, was, clusters)
    verdict = "no change is shown" if low <= 0 <= high else "better" if value > 0 else "worse"
    yield (
        f"{name}: {100 * value:+.1f} points, 95 % interval {100 * low:+.1f} to"
        f" {100 * high:+.1f}: {verdict}"
    )
    before, after = old.row(), new.row()
    yield (
        f"{name}: p50 {numbers.duration(before.p50_s)} to {numbers.duration(after.p50_s)},"
        f" serving memory {numbers.size(before.predict_peak_bytes)} to"
        f" {numbers.size(after.predict_peak_bytes)}, fitting"
        f" {numbers.duration(before.fit_wall_s)} to {numbers.duration(after.fit_wall_s)}"
    )
    changed = [key for key, value in new.arm.plan.params.items() if params.get(key) != value]
    if changed:
        yield f"{name}: other parameters: {', '.join(changed)}"


def _missing(before: Evidence, after: Evidence) -> Iterator[str]:
    for here, there, words in ((before, after, "second"), (after, before, "first")):
        finished = {arm.name for arm in there.arms if arm.status == "ok"}
        for arm in here.arms:
            if arm.status == "ok" and arm.name not in finished:
                yield f"{arm.name}: did not finish in the {words} run"
