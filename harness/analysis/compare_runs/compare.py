"""Two runs compared: each arm they share, on the test rows they share.

Returns data; lines.py says it in words for a screen, and reports draws a page of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from harness.analysis.compare_runs.changed_rows import ChangedRows, Tables, changed_rows
from harness.analysis.compare_runs.setups import SetupChange, setup_changes
from harness.analysis.examples.row_table import row_table
from harness.analysis.performance import measured
from harness.analysis.performance.machines import named, origin_of
from harness.analysis.read_run import read_run
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.diagnostics import Change
from harness.analysis.scoring.paired import paired_difference
from harness.analysis.scoring.score import counted_rows, estimate
from harness.errors import UserError
from harness.stats.bootstrap import Resamples
from harness.store.run_folder import RunFolder
from harness.wording import numbers


@dataclass(frozen=True)
class Took:
    """What an arm took in one run, in words."""

    p50: str
    serving_memory: str
    preparation: str
    machines: tuple[str, ...]
    """What prepared and what served it, as far as it decides what can be compared."""


@dataclass(frozen=True)
class ArmChange:
    """How one arm changed from the first run to the second."""

    name: str
    change: Change | None
    """Of the score, paired on the shared rows; None: none of them counts for the metric."""
    before: Took
    after: Took
    other_params: tuple[str, ...]
    """Names of parameters that have another value."""
    rows: ChangedRows | None

    @property
    def verdict(self) -> str:
        """What the interval says of the change."""
        if self.change is None:
            return "not known"
        if self.change.ci_low <= 0 <= self.change.ci_high:
            return "no significant change"
        return "better" if self.change.change > 0 else "worse"

    @property
    def on_one_machine(self) -> bool:
        """Whether times and memory of both runs can be compared."""
        return self.before.machines == self.after.machines


@dataclass(frozen=True)
class OneRun:
    """One of the two runs."""

    path: str
    task: str
    started_at: str
    test_n: int


@dataclass(frozen=True)
class RunsCompared:
    """All that was found of two runs."""

    first: OneRun
    second: OneRun
    metric: str
    rows_n: int
    """Test rows of which both runs hold the same to be asked and right."""
    setup: tuple[SetupChange, ...]
    arms: tuple[ArmChange, ...]
    """Those that finished in both."""
    missing: tuple[str, ...]
    """Arms that finished in one of them, in sentences."""


def compare(first: RunFolder, second: RunFolder, trust: bool = False) -> RunsCompared:
    """Compare the newest runs of two folders.

    Raises:
        UserError: the two have another metric, or no test row or finished arm in common.
    """
    before, after = read_run(first, trust), read_run(second, trust)
    _check_metrics(before, after, trust)
    rows = _shared_rows(before, after)
    if not rows:
        raise UserError(f"the two runs have no test row in common{_of_two_tasks(before, after)}")
    arms = {arm.name: arm for arm in after.finished}
    pairs = [(arm, arms[arm.name]) for arm in before.finished if arm.name in arms]
    if not pairs:
        whys = (f": {arm.name}: {arm.error}" for arm in (*before.arms, *after.arms) if arm.error)
        raise UserError(f"no arm finished in both runs{next(whys, '')}")
    tables = Tables(row_table(before), row_table(after), rows)
    return RunsCompared(
        _one(first, before),
        _one(second, after),
        before.metric.name,
        len(rows),
        setup_changes(before.header, after.header),
        tuple(_arm_change(_Side(before, old), _Side(after, new), tables) for old, new in pairs),
        tuple(_missing(before, after)),
    )


def _check_metrics(before: RunData, after: RunData, trust: bool) -> None:
    if before.task.metric != after.task.metric:
        names = f"{before.task.metric} and {after.task.metric}"
        tasks = _of_two_tasks(before, after)
        raise UserError(f"the two runs have different metrics: {names}{tasks}")
    applied = [run.worths.get(run.task.metric) for run in (before, after) if not trust]
    if len({one.source_sha256 for one in applied if one is not None}) > 1:
        raise UserError(
            f"the two runs applied different versions of '{before.task.metric}'"
            " → run the older one's task again"
        )


def _of_two_tasks(before: RunData, after: RunData) -> str:
    """Return the end of a sentence that says so; "" where both are of one."""
    one, other = before.task.name, after.task.name
    return "" if one == other else f" → they are of two tasks, {one} and {other}"


def _one(folder: RunFolder, run: RunData) -> OneRun:
    return OneRun(str(folder.path), run.task.name, run.header.started_at, len(run.gold.ids))


def _shared_rows(before: RunData, after: RunData) -> list[tuple[int, int]]:
    """Return the positions of the rows of which both runs hold the same to be right and asked."""
    places = {row: place for place, row in enumerate(_right(after))}
    found = ((place, places[row]) for place, row in enumerate(_right(before)) if row in places)
    return [(old, new) for old, new in found if _same_question(before, old, after, new)]


def _right(run: RunData) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield id, accepted answers and gold documents of each test row."""
    gold = run.gold
    return zip(gold.ids, gold.targets, gold.evidence, strict=True)


def _same_question(before: RunData, old: int, after: RunData, new: int) -> bool:
    """Tell whether a row asks the same in both; where one run kept no inputs, its id decides."""
    if before.gold.asked is None or after.gold.asked is None:
        return True
    one, other = before.gold.asked[old], after.gold.asked[new]
    return (one.text, one.fields) == (other.text, other.fields)


@dataclass(frozen=True)
class _Side:
    """One arm in one of the two runs."""

    run: RunData
    arm: ArmData

    @property
    def took(self) -> Took:
        origin = origin_of(self.run, self.arm)
        return Took(
            numbers.duration(measured.timing_of(origin.arm).p50_s),
            numbers.size(measured.serve_peaks(origin.arm).limited_bytes),
            numbers.duration(fmean(measured.fit_walls_s(origin.arm))),
            tuple(dict.fromkeys((named(origin.preparation), named(origin.serving)))),
        )


def _arm_change(old: _Side, new: _Side, tables: Tables) -> ArmChange:
    name, params = old.arm.name, old.arm.plan.params
    return ArmChange(
        name,
        _change(old, new, tables.rows),
        old.took,
        new.took,
        tuple(k for k, value in new.arm.plan.params.items() if params.get(k) != value),
        changed_rows(tables, name),
    )


def _change(old: _Side, new: _Side, rows: Sequence[tuple[int, int]]) -> Change | None:
    metric = old.run.metric
    was = old.run.statistics(old.arm, metric)[:, [place for place, _ in rows]]
    now = new.run.statistics(new.arm, new.run.metric)[:, [place for _, place in rows]]
    clusters = [old.run.gold.clusters[place] for place, _ in rows]
    if not (counted := counted_rows(metric, [was, now])):
        return None
    value, low, high = paired_difference(metric, now, was, Resamples(now.shape[1], clusters))
    return Change(
        metric=metric.name,
        before=estimate(metric, was),
        after=estimate(metric, now),
        change=value,
        ci_low=low,
        ci_high=high,
        n=len(counted),
    )


def _missing(before: RunData, after: RunData) -> Iterator[str]:
    for here, there, words in ((before, after, "second"), (after, before, "first")):
        finished = {arm.name for arm in there.finished}
        for arm in here.finished:
            if arm.name not in finished:
                yield f"{arm.name}: did not finish in the {words} run"
