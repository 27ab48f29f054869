"""What a reader must know before the verdict is believed: the warnings of the first screen.

Each kind of warning is one function of `KINDS`. None of them changes the verdict; what stands out
without casting doubt on it is a finding (findings.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.analysis.run_data import RunData
from harness.analysis.schema.comparison import ArmResult, Comparison, Recommendation
from harness.analysis.schema.report_warning import ReportWarning

KindOfWarning = Callable[[RunData, Sequence[ArmResult], Recommendation], Iterator[ReportWarning]]
"""Yields the warnings of one kind: of the records, of what was found of each arm, and of what is
recommended."""

KINDS: tuple[KindOfWarning, ...] = ()
"""In the order in which equally severe warnings stand. A new kind is a function, named here."""

MOST_SHOWN = 3
"""Warnings on the first screen: more would push the table of arms off it."""


def warnings_of(
    run: RunData, arms: Sequence[ArmResult], found: Recommendation
) -> tuple[ReportWarning, ...]:
    """Return every warning of a run, the severe ones first.

    Args:
        run: the records.
        arms: what was found of each arm.
        found: the verdict.
    """
    every = [warning for kind in KINDS for warning in kind(run, arms, found)]
    return tuple(sorted(every, key=lambda warning: warning.severity != "severe"))


def first_warnings(comparison: Comparison) -> tuple[tuple[ReportWarning, ...], int]:
    """Return the gravest warnings, as many as a first screen shows, and how many more there are."""
    shown = comparison.warnings[:MOST_SHOWN]
    return shown, len(comparison.warnings) - len(shown)
