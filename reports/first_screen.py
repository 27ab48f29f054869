"""What stands on a report's first screen beside the verdict: the gravest warnings."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import Comparison, ReportWarning, first_warnings
from reports.plots.differences import differences_plot
from reports.plots.score_against import score_against
from reports.section import Beside, Block, Item


def warning_lines(comparison: Comparison) -> Iterator[Item]:
    """Yield the gravest warnings, and how many more stand under "Warnings and notes"."""
    shown, more = first_warnings(comparison)
    yield from map(warning_item, shown)
    if more:
        yield Item(f"and {more} more below, under Warnings and notes")


def first_plots(comparison: Comparison) -> tuple[Block, ...]:
    """Return plots A and B, beside each other where there are both."""
    found = (score_against(comparison), differences_plot(comparison))
    blocks = tuple(block for block in found if block is not None)
    return (Beside(blocks),) if blocks else ()


def warning_item(warning: ReportWarning) -> Item:
    """Return a warning as one line of a list."""
    return Item(warning.text, term=warning.name)
