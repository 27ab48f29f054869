"""Which test rows each arm may have seen, and what it scores without them."""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison, Leakage, ordered
from harness.wording import numbers
from reports.section import Section, Table, Text
from reports.sections.arms import scored

HEADINGS = ("arm", "may use", "rows there", "nearly there", "all rows", "without these")


def leakage(comparison: Comparison) -> Section | None:
    """Return a row for each arm, where any arm may have seen a test row."""
    rows = [(row, row.leakage) for row in ordered(comparison) if row.leakage is not None]
    if not any(found.ids for _, found in rows):
        return None
    lines = tuple(_cells(row, found) for row, found in rows)
    note = Text(
        "Test rows whose input stands in what an arm may learn from, search or show, but for case"
        f" and punctuation, or nearly. Scores are {comparison.task['metric']} with 95% intervals."
        f" {numbers.NOT_MEASURED} means that it is not known.",
        small=True,
    )
    title = "Test rows that arms may have seen"
    most = max(len(found.ids) for _, found in rows)
    finding = f"Up to {most} test rows of an arm."
    return Section("leakage", "I", title, (Table(HEADINGS, lines), note), finding, closed=True)


def _cells(row: ArmResult, found: Leakage) -> tuple[str, ...]:
    whole = numbers.NOT_MEASURED if row.score is None else scored(row.score)
    if found.unknown is not None:
        unknown = (numbers.NOT_MEASURED,) * 2
        return (row.strategy, "made elsewhere", *unknown, whole, numbers.NOT_MEASURED)
    near = numbers.NOT_MEASURED if found.near is None else f"{found.near}"
    sources = ", ".join(one.source for one in found.sources) or "nothing"
    rest = "the same" if not found.ids else "no row is left"
    if found.without is not None:
        rest = f"{scored(found.without)}, n = {found.without.n}"
    return (row.strategy, sources, f"{found.exact}", near, whole, rest)
