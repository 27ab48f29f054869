"""What stands on a report's first screen beside the verdict: the gravest warnings."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import Comparison, ReportWarning, first_warnings
from reports.section import Item


def warning_lines(comparison: Comparison) -> Iterator[Item]:
    """Yield the gravest warnings, and how many more stand under "Warnings and notes"."""
    shown, more = first_warnings(comparison)
    yield from map(warning_item, shown)
    if more:
        yield Item(f"and {more} more below, under Warnings and notes")


def warning_item(warning: ReportWarning) -> Item:
    """Return a warning as one line of a list."""
    return Item(warning.text, term=warning.name)
