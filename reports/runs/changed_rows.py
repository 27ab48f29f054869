"""Rows that an arm answers better or worse in the second run, with their texts where both show them.

All texts here are of data and of models. The template escapes them; acting characters are shown as
escapes first.
"""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from harness.analysis import ArmChange, ChangedRow, RunsCompared
from harness.wording.visible import on_one_line, visible
from reports.section import Embedded, Section, Text
from reports.templating import template

LINE = 90
"""Characters of an input that stand beside its row's id."""


def changed_rows_section(found: RunsCompared) -> Section:
    """The rows of each arm that changed, the largest changes first."""
    arms = [arm for arm in found.arms if arm.rows and (arm.rows.fixed_n or arm.rows.broken_n)]
    title = "Rows fixed and broken"
    if not arms:
        text = Text("No arm scores another value on any shared row.")
        return Section("rows", "F", title, (text,))
    html = Markup(template("changed_rows.html.j2").render(arms=list(map(_arm, arms))))  # noqa: S704 - a template that escapes
    words = "; ".join(f"{arm.name}: {_counts(arm)}" for arm in arms)
    note = Text(
        "Fixed: scores higher in the second run; broken: scores lower. Of an arm that was trained"
        " several times it is the training that is shipped. Texts of rows that are shown are texts"
        " of your data; report.examples of both tasks decides.",
        small=True,
    )
    withheld = dict.fromkeys(arm.rows.withheld for arm in arms if arm.rows and arm.rows.withheld)
    why = tuple(Text(f"Rows are not shown: {reason}.") for reason in withheld)
    return Section("rows", "F", title, (note, *why, Embedded(html, words)))


def _arm(arm: ArmChange) -> dict[str, Any]:
    rows = arm.rows
    kinds = [("Fixed", rows.fixed), ("Broken", rows.broken)] if rows else []
    return {
        "name": on_one_line(arm.name),
        "counts": _counts(arm),
        "kinds": [(title, [_row(one) for one in some]) for title, some in kinds],
    }


def _counts(arm: ArmChange) -> str:
    if arm.rows is None:
        return ""
    fixed, broken = arm.rows.fixed_n, arm.rows.broken_n
    most = max(len(arm.rows.fixed), len(arm.rows.broken))
    more = f" (the {most} largest changes of a kind are shown)" if 0 < most < max(
        fixed, broken) else ""  # fmt: skip
    return f"{fixed} fixed, {broken} broken{more}"


def _row(one: ChangedRow) -> dict[str, Any]:
    return {
        "item": on_one_line(one.item),
        "scores": f"{one.before.score:.2f} → {one.after.score:.2f}",
        "line": "" if one.input is None else _line(one.input),
        "input": None if one.input is None else visible(one.input),
        "targets": visible(" | ".join(one.targets or ())),
        "before": visible(one.before.text or "(nothing)"),
        "after": visible(one.after.text or "(nothing)"),
        "withheld": one.withheld,
    }


def _line(text: str) -> str:
    line = on_one_line(" ".join(text.split()))
    return line if len(line) <= LINE else line[: LINE - 1] + "…"
