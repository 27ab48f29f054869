"""Two runs compared, as a page: scores, single rows, what changed around them, times and memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from harness.analysis import ArmChange, RunsCompared
from harness.wording import numbers
from reports.plots.changes import changes_plot
from reports.runs.changed_rows import changed_rows_section
from reports.runs.page import Head, page
from reports.section import Reason, Section, Table, Text, items

MOST_NAMES = 4
"""Arms that the headline names of a kind."""


def compared_html(found: RunsCompared) -> str:
    """Return the page of two compared runs."""
    made = (make(found) for make in SECTIONS)
    return page(_head(found), [section for section in made if section is not None])


def _head(found: RunsCompared) -> Head:
    better = [arm.name for arm in found.arms if arm.verdict == "better"]
    worse = [arm.name for arm in found.arms if arm.verdict == "worse"]
    said = [f"{_names(names)} {word}" for names, word in ((worse, "got worse"), (better, "got better"))
            if names]  # fmt: skip
    headline = f"{'; '.join(said)}." if said else "No arm changed significantly."
    tone: Literal["", "tie", "nothing_feasible"] = ""
    if not better:
        tone = "tie"
    if worse:
        tone = "nothing_feasible"
    same = found.first.task == found.second.task
    task = found.first.task if same else f"{found.first.task}, then {found.second.task}"
    parts = dict.fromkeys(change.part for change in found.setup)
    around = f"What also changed: {', '.join(parts)}." if parts else "Nothing else changed."
    return Head(
        title=f"{task}: two runs compared",
        about=(
            task,
            f"first: {found.first.path}, {_day(found.first.started_at)}",
            f"second: {found.second.path}, {_day(found.second.started_at)}",
        ),
        headline=headline,
        sentence=(
            f"{found.metric} of the second run less the first, on the {numbers.count(found.rows_n)}"
            f" test rows that both share (of {numbers.count(found.first.test_n)} and"
            f" {numbers.count(found.second.test_n)}). {around}"
        ),
        tone=tone,
    )


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{more}"


def _day(moment: str) -> str:
    return moment[:16].replace("T", " ") or numbers.NOT_MEASURED


def _scores(found: RunsCompared) -> Section:
    plot = changes_plot(found)
    table = Table(
        ("arm", "first", "second", "points", "95% interval", "change", "rows fixed", "rows broken"),
        tuple(_score_row(arm, found.metric) for arm in found.arms),
        caption=f"{found.metric} of each arm on the shared test rows",
        lead=6,
    )
    lone = (items(*found.missing),) if found.missing else ()
    blocks = (table, *((plot,) if plot else ()), *lone)
    return Section("scores", "C", "Scores", blocks)


def _score_row(arm: ArmChange, metric: str) -> tuple[str | Reason, ...]:
    if (change := arm.change) is None:
        return arm.name, Reason(f"none of the shared test rows counts for {metric}")
    rows = arm.rows
    return (
        arm.name,
        numbers.score(change.before),
        numbers.score(change.after),
        f"{100 * change.change:+.1f}",
        f"{100 * change.ci_low:+.1f} to {100 * change.ci_high:+.1f}",
        arm.verdict,
        numbers.count(rows.fixed_n if rows else None),
        numbers.count(rows.broken_n if rows else None),
    )


def _setup(found: RunsCompared) -> Section:
    if not found.setup:
        text = Text("Task, data, models, versions and machine are the same in both runs.")
        return Section("changed", "J", "What changed", (text,))
    table = Table(
        ("what", "part", "first", "second"),
        tuple((one.what, one.part, one.before, one.after) for one in found.setup),
        caption="What the two runs do not have alike",
    )
    n = len(found.setup)
    what = f"{n} thing{'' if n == 1 else 's'}"
    parts = ", ".join(dict.fromkeys(one.part for one in found.setup))
    return Section("changed", "J", "What changed", (table,), f"{what} changed: {parts}.")


def _took(found: RunsCompared) -> Section:
    table = Table(
        ("arm", "p50, first", "second", "serving memory, first", "second", "preparation, first",
         "second", "other parameters"),
        tuple(_took_row(arm) for arm in found.arms),
        caption="Latency, memory and preparation of each arm in both runs",
        lead=7,
    )  # fmt: skip
    return Section("took", "H", "Speed and memory", (table,))


def _took_row(arm: ArmChange) -> tuple[str | Reason, ...]:
    was, now = arm.before, arm.after
    if not arm.on_one_machine:
        one, other = " and ".join(was.machines), " and ".join(now.machines)
        why = f"not comparable: measured on {one}, then on {other} → run both on one machine"
        return arm.name, Reason(why)
    pairs = (
        (was.p50, now.p50),
        (was.serving_memory, now.serving_memory),
        (was.preparation, now.preparation),
    )
    others = ", ".join(arm.other_params) or "none"
    return (arm.name, *(value for pair in pairs for value in pair), others)


SECTIONS: tuple[Callable[[RunsCompared], Section | None], ...] = (
    _scores,
    _setup,
    changed_rows_section,
    _took,
)
"""In reading order."""
