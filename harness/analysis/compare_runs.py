"""What changed between two runs: each arm they share, on the test rows they share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.analysis.performance import measured
from harness.analysis.performance.machines import named, origin_of
from harness.analysis.read_run import read_run
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.scoring.paired import paired_difference
from harness.analysis.scoring.score import counted_rows
from harness.errors import UserError
from harness.stats.bootstrap import Resamples
from harness.store.run_folder import RunFolder
from harness.wording import numbers


def compare(first: RunFolder, second: RunFolder, trust: bool = False) -> list[str]:
    """Compare the newest runs of two folders.

    Returns:
        Lines for the screen: for each arm the change of its score with a paired 95% interval,
        and of its latency, memory and time of preparation.

    Raises:
        UserError: the two have another metric, or no test row or finished arm in common.
    """
    before, after = read_run(first, trust), read_run(second, trust)
    if before.task.metric != after.task.metric:
        names = f"{before.task.metric} and {after.task.metric}"
        raise UserError(f"the two runs have different metrics: {names}")
    applied = [run.worths.get(run.task.metric) for run in (before, after) if not trust]
    if len({one.source_sha256 for one in applied if one is not None}) > 1:
        raise UserError(
            f"the two runs applied different versions of '{before.task.metric}'"
            " → run the older one's task again"
        )
    rows = _shared_rows(before, after)
    if not rows:
        raise UserError("the two runs have no test row in common")
    arms = {arm.name: arm for arm in after.finished}
    pairs = [(arm, arms[arm.name]) for arm in before.finished if arm.name in arms]
    if not pairs:
        whys = (f": {arm.name}: {arm.error}" for arm in (*before.arms, *after.arms) if arm.error)
        raise UserError(f"no arm finished in both runs{next(whys, '')}")
    metric = before.metric
    lines = [f"{metric.name} of {second.path} less {first.path}, on {len(rows)} shared test rows:"]
    for old, new in pairs:
        lines += _changes(Side(before, old), Side(after, new), rows)
    return [*lines, *_missing(before, after)]


def _shared_rows(before: RunData, after: RunData) -> list[tuple[int, int]]:
    """Return the positions of the rows of which both runs hold the same to be right."""
    places = {row: place for place, row in enumerate(_right(after))}
    return [(place, places[row]) for place, row in enumerate(_right(before)) if row in places]


def _right(run: RunData) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield id, accepted answers and gold documents of each test row."""
    gold = run.gold
    return zip(gold.ids, gold.targets, gold.evidence, strict=True)


@dataclass(frozen=True)
class Side:
    """One arm in one of the two runs."""

    run: RunData
    arm: ArmData

    @property
    def taken(self) -> tuple[str, str, str]:
        """Latency, peak memory of serving and time of preparation, in words."""
        timed = origin_of(self.run, self.arm).arm
        return (
            numbers.duration(measured.timing_of(timed).p50_s),
            numbers.size(measured.serve_peaks(timed).limited_bytes),
            numbers.duration(fmean(measured.fit_walls_s(timed))),
        )

    @property
    def machines(self) -> tuple[str, str]:
        """What prepared and what served it, as far as it decides what can be compared."""
        origin = origin_of(self.run, self.arm)
        return named(origin.preparation), named(origin.serving)


def _changes(old: Side, new: Side, rows: Sequence[tuple[int, int]]) -> Iterator[str]:
    name, params, metric = old.arm.name, old.arm.plan.params, old.run.metric
    was = old.run.statistics(old.arm, metric)[:, [place for place, _ in rows]]
    now = new.run.statistics(new.arm, new.run.metric)[:, [place for _, place in rows]]
    clusters = [old.run.gold.clusters[place] for place, _ in rows]
    if not counted_rows(metric, [was, now]):
        yield f"{name}: none of the shared test rows counts for {metric.name}"
        return
    value, low, high = paired_difference(metric, now, was, Resamples(now.shape[1], clusters))
    change = "no significant change" if low <= 0 <= high else "better" if value > 0 else "worse"
    yield (
        f"{name}: {100 * value:+.1f} points, 95% interval {100 * low:+.1f} to"
        f" {100 * high:+.1f}: {change}"
    )
    what = ("p50", "serving memory", "preparation")
    pairs = zip(what, old.taken, new.taken, strict=True)
    if old.machines == new.machines:
        yield f"{name}: " + ", ".join(f"{one} {before} to {after}" for one, before, after in pairs)
    else:
        was_on, is_on = (" and ".join(dict.fromkeys(side.machines)) for side in (old, new))
        yield (
            f"{name}: times and memory are not comparable: measured on {was_on}, then on {is_on}"
            " → run both on one machine"
        )
    changed = [key for key, value in new.arm.plan.params.items() if params.get(key) != value]
    if changed:
        yield f"{name}: other parameters: {', '.join(changed)}"


def _missing(before: RunData, after: RunData) -> Iterator[str]:
    for here, there, words in ((before, after, "second"), (after, before, "first")):
        finished = {arm.name for arm in there.finished}
        for arm in here.finished:
            if arm.name not in finished:
                yield f"{arm.name}: did not finish in the {words} run"
