"""Where an arm errs: which labels it takes for which, and how its errors go with its sureness."""

from __future__ import annotations

from harness.analysis.schema import Conclusion

UNREAD, FAILED = -1, -2
"""In the place of a label's number: an answer that names no label, and one that failed."""


class Confusion(Conclusion):
    """How often each label was answered where each was right, by one training."""

    labels: tuple[str, ...]
    """In the order of their numbers."""
    cells: tuple[tuple[int, int, int], ...]
    """Number of the right label, number of the answered one (`UNREAD`, `FAILED`), test rows; those
    of no rows are left out."""
    seed: int
    """Of the training whose answers these are: of several, the one that is shipped."""


class ReliabilityBin(Conclusion):
    """Answers of much the same probability: how often they are right."""

    sure: float
    """Mean of their probabilities."""
    right: float
    """Share that is right."""
    ci_low: float
    """Wilson's 95% interval of that share; so is the next."""
    ci_high: float
    """Its upper end."""
    n: int
    """Answers."""


class CoveragePoint(Conclusion):
    """What accuracy would be if only the surest answers were given."""

    coverage: float
    """Share of the rows that are answered."""
    accuracy: float
    """Of these."""
    least: float
    """The probability from which on an answer is given."""


class Sureness(Conclusion):
    """How an arm's probabilities go with what is right, by one training."""

    seed: int
    """Of the training whose answers these are."""
    bins: tuple[ReliabilityBin, ...] = ()
    """From the least sure to the surest, of equal mass; none where there are too few rows."""
    coverage: tuple[CoveragePoint, ...] = ()
    """From the surest rows to all."""
