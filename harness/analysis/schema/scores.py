"""Values with their intervals: what an arm scores, and how it differs from others.

`None` = not known, with a reason beside it.
"""

from __future__ import annotations

from harness.analysis.schema import Conclusion


class Score(Conclusion):
    """A metric's value with its 95% interval."""

    metric: str
    value: float | None
    """None only among further metrics and in parts of the rows; `undefined` says why."""
    ci_low: float | None
    ci_high: float | None
    n: int
    """Items that count: of some metrics not all test rows do."""
    unreliable: str | None = None
    """Why the interval is not to be trusted, if so."""
    undefined: str | None = None
    """Why there is no value, if there is none."""


class Gap(Conclusion):
    """How far an arm scores below the best of the others, with 95% bounds."""

    value: float | None = None
    low: float | None = None
    """Above 0: the arm is significantly worse than the best. As a figure it holds for this arm by
    itself."""
    high: float | None = None
    """The upper bounds of all arms hold together. 0 where every other arm is significantly
    worse."""
    to: str | None = None
    """The best of the others, by point value."""


class Difference(Conclusion):
    """How an arm differs from the chosen one on the same items, with its own 95% interval."""

    strategy: str
    """The arm's name."""
    metric: str
    value: float
    """Positive where the arm scores higher than the choice."""
    ci_low: float
    ci_high: float
    mcnemar_p: float | None = None
    """Two-sided exact McNemar test, for 0/1 metrics without clusters. A footnote: no rule uses it,
    because a difference that is not significant may still be there."""


class SliceScore(Conclusion):
    """A score within the rows that share a column's value."""

    column: str
    value: str
    score: Score


class ClassScore(Conclusion):
    """How well an arm does on one label of a choice."""

    label: str
    precision: float | None
    """Share of the answers with this label that are right; None where none has it."""
    recall: float | None
    """Share of this label's rows that are found; None where there are none."""
    n: int
    """Test rows with this label."""


class Unanswerable(Conclusion):
    """What an arm does with questions that have no answer."""

    answered_anyway: float
    """Share that got an answer all the same."""
    n: int
    """Questions that have none."""


class CitedAnswer(Conclusion):
    """An answer with its sources."""

    item: str
    """Id of the test row."""
    answer: str | None
    """On one line, its end cut off where it is long; None: answering failed."""
    sources: tuple[str, ...] = ()
    """Ids of the documents that it names, the most telling first."""
