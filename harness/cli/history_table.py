"""The table of a task's runs over time: one line a run and arm, the newest run last.

Where the screen is narrow, the columns that matter least are left out; no cell is ever cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.analysis import PastArm, PastRun, Timeline
from harness.cli.result_table import MARK
from harness.cli.table import fitting
from harness.wording import numbers

LEFT_OUT_FIRST = ("rows", "status", "machine time", "cost", "95% interval", "started")
MOST_NAMES = 3
"""Runs that a remark names."""


def history_table(timeline: Timeline, width: int | None) -> list[tuple[str, ...]]:
    """Return the table's rows, the headings first.

    Args:
        timeline: runs of one task.
        width: of the screen in characters; None: there is no limit.
    """
    lines = [(run, arm) for run in timeline.runs for arm in run.arms]
    columns = [(name, [cell(*line) for line in lines]) for name, cell in _columns(lines)]
    return fitting(columns, LEFT_OUT_FIRST, width)


def remarks(timeline: Timeline) -> Iterator[str]:
    """Yield what must be known to read the table."""
    other = timeline.other_rows
    if other:
        more = f" and {len(other) - MOST_NAMES} more" if len(other) > MOST_NAMES else ""
        has = "has" if len(other) == 1 else "have"
        yield (
            f"{', '.join(other[:MOST_NAMES])}{more} {has} other test rows than the run before: the"
            " change of a score may be one of rows → `compare` takes the shared ones"
        )
    failed = [arm for run in timeline.runs for arm in run.arms if arm.error]
    if failed and len(timeline.runs) == 1:
        yield from (f"{arm.name}: {arm.error}" for arm in failed)


Cell = Callable[[PastRun, PastArm], str]


def _columns(lines: list[tuple[PastRun, PastArm]]) -> Iterator[tuple[str, Cell]]:
    yield "arm", lambda _, arm: f"{MARK if arm.chosen else ' '} {arm.name}"
    yield "run", lambda run, _: run.name
    yield "started", lambda run, _: run.when
    yield "status", lambda _, arm: arm.status
    yield "score", lambda _, arm: numbers.score(arm.score.value if arm.score else None)
    yield "95% interval", _interval
    yield "rows", lambda _, arm: numbers.count(arm.score.n if arm.score else None)
    # Money and seconds never share a column: seconds are not what an arm costs.
    finished = [arm for _, arm in lines if arm.status == "ok"]
    if any(arm.usd is not None for arm in finished):
        yield "cost", lambda _, arm: numbers.usd(arm.usd)
    if any(arm.usd is None for arm in finished):
        yield "machine time", lambda _, arm: numbers.duration(arm.machine_s)


def _interval(run: PastRun, arm: PastArm) -> str:
    return numbers.interval(arm.score.ci_low, arm.score.ci_high) if arm.score else "–"
