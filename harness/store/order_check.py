"""What came of asking an arm the same queries in another order."""

from __future__ import annotations

from harness.store.base import Record

KILLED_BEFORE = "the process was killed before it was found; the next run finds it"
"""Stands in `undefined` after a signal from outside: such a trial is not done."""


class OrderCheck(Record):
    """Whether an arm gives the same answers when the same queries are asked in another order."""

    asked: int = 0
    """Test rows that were asked again, in reversed order and in one call."""
    changed: tuple[str, ...] = ()
    """Ids of those of which the text, the sources or the failing was another then."""
    largest_logprob_change: float | None = None
    """Of any label of them, in natural logarithms; None: the arm gives no probabilities."""
    undefined: str | None = None
    """Why it is not known."""
