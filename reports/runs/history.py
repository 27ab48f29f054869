"""Runs of a folder over time, as a page: for each task two plots and a table, the newest run first."""

from __future__ import annotations

from collections.abc import Iterator

from harness.wording.sentences import counted
from harness.analysis import History, PastArm, Timeline
from harness.wording import numbers
from reports.plots.over_time import costs_plot, scores_plot
from reports.runs.page import Head, page
from reports.section import Beside, Block, Reason, Section, Table, Tagged, Text, items

CHOSEN = "chosen"


def history_html(history: History) -> str:
    """Return the page of a folder's runs."""
    sections = [_section(one, at) for at, one in enumerate(history.timelines, start=1)]
    if history.left_out:
        lost = items(*history.left_out)
        sections.append(Section("left-out", "J", "Left out", (lost,)))
    return page(_head(history), sections)


def _head(history: History) -> Head:
    n = sum(len(one.runs) for one in history.timelines)
    tasks = counted(len({one.task for one in history.timelines}), "task")
    runs = counted(n, "run")
    return Head(
        title=f"Runs of {history.path}",
        about=(history.path, runs, tasks),
        headline=_newest(history.timelines[0]) if len(history.timelines) == 1 else f"{runs} of {tasks}.",
        sentence=(
            "Each score has the interval of its own run. Whether two runs differ, the command"
            " compare tells: it takes the rows that both share, pair by pair."
        ),
    )  # fmt: skip


def _newest(timeline: Timeline) -> str:
    """Return what the newest run chose, with its score."""
    chosen = next((arm for arm in timeline.runs[-1].arms if arm.chosen), None)
    if chosen is None or chosen.score is None:
        n = len(timeline.runs)
        return f"{timeline.task}: the newest of {n} run{'' if n == 1 else 's'} chose no arm."
    score = numbers.score(chosen.score.value)
    if len(timeline.runs) == 1:
        return f"{timeline.task}: {chosen.name}, {timeline.metric} {score}."
    return (
        f"{timeline.task}: the newest of {len(timeline.runs)} runs chose {chosen.name},"
        f" {timeline.metric} {score}."
    )


def _section(timeline: Timeline, number: int) -> Section:
    plots = (scores_plot(timeline, number), costs_plot(timeline, number))
    drawn: tuple[Block, ...] = tuple(plot for plot in plots if plot is not None)
    other = timeline.other_rows
    notes: tuple[Block, ...] = ()
    if other:
        notes = (Text(f"Other test rows than in the run before: {', '.join(other)}.", small=True),)
    blocks = (*((Beside(drawn),) if drawn else ()), *notes, _table(timeline))
    title = f"{timeline.task}, {timeline.metric}"
    return Section(f"task-{number}", "C", title, blocks)


def _table(timeline: Timeline) -> Table:
    finished = [arm for run in timeline.runs for arm in run.arms if arm.status == "ok"]
    money = any(arm.usd is not None for arm in finished)
    seconds = not money or any(arm.usd is None for arm in finished)
    heads = ("run", "arm", "started", "score", "95% interval")
    further = (*(("cost",) if money else ()), *(("machine time",) if seconds else ()), "rows")
    rows = tuple(
        (run.name, Tagged(arm.name, CHOSEN if arm.chosen else ""), run.when,
         *_figures(arm, money=money, seconds=seconds))
        for run in reversed(timeline.runs)
        for arm in run.arms
    )  # fmt: skip
    caption = f"{timeline.metric} and cost of each arm in each run of {timeline.task}"
    return Table((*heads, *further), rows, caption=caption, lead=6)


def _figures(arm: PastArm, *, money: bool, seconds: bool) -> Iterator[str | Reason]:
    if arm.score is None:
        yield Reason(f"{arm.status}: {arm.error}" if arm.error else arm.status)
        return
    yield numbers.score(arm.score.value)
    yield numbers.interval(arm.score.ci_low, arm.score.ci_high)
    if money:
        yield numbers.usd(arm.usd)
    if seconds:
        yield numbers.duration(arm.machine_s)
    yield numbers.count(arm.score.n)
