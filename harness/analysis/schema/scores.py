"""Values with their intervals: what an arm scores, and how it differs from others.

`None` = not known, with a reason beside it.
"""

from __future__ import annotations

from pydantic import Field

from harness.analysis.schema import Conclusion


class Score(Conclusion):
    """A metric's value with its 95% interval."""

    metric: str
    """Its name."""
    value: float | None
    """None only among further metrics and in parts of the rows; `undefined` says why."""
    ci_low: float | None
    """Lower end of the 95% interval."""
    ci_high: float | None
    """Upper end."""
    n: int
    """Items that count: of some metrics not all test rows do."""
    unreliable: str | None = None
    """Why the interval is not to be trusted, if so."""
    undefined: str | None = None
    """Why there is no value, if there is none."""


class Gap(Conclusion):
    """How far an arm scores below the best of the others, with 95% bounds."""

    value: float | None = None
    """In units of the metric; below 0: it is the best."""
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
    """By which."""
    value: float
    """Positive where the arm scores higher than the choice."""
    ci_low: float
    """Lower end of the 95% interval."""
    ci_high: float
    """Upper end."""
    mcnemar_p: float | None = None
    """Two-sided exact McNemar test, for 0/1 metrics without clusters. A footnote: no rule uses it,
    because a difference that is not significant may still be there."""


class Resolution(Conclusion):
    """How small a difference of the two leading arms this test set can show, from how they really
    differed.
    """

    first: str
    """The best-scoring arm (of those that meet every limit, if two do)."""
    second: str
    """The arm that comes next."""
    difference: float
    """Score of the first less that of the second."""
    discordance: float | None
    """Share of the rows on which just one of the two is right; None unless rows are right or
    wrong."""
    smallest_difference: float
    """That the test set would show with 80% power, at 95% confidence."""
    smallest_margin: float
    """That it would confirm with 80% power for two arms that are truly equal."""
    separated: bool
    """The 95% interval of their difference, taken as a pair by itself, excludes 0."""
    compared: int | None = None
    """Arms among which the verdict compared these two; None where fewer than two meet every
    limit."""
    significant: bool | None = Field(None, alias="told_apart")
    """Whether they differ significantly in the verdict, which allows for having compared so
    many."""
    rows_to_separate: int | None
    """Test rows that would do so with 80% power if the true difference is the one found; None
    where they score the same."""
    n: int
    """Test rows there are."""


class SliceScore(Conclusion):
    """A score within the rows that share a column's value."""

    column: str
    """Its name."""
    value: str
    """What the rows share."""
    score: Score
    """On these rows."""


class ClassScore(Conclusion):
    """How well an arm does on one label of a choice."""

    label: str
    """Its name."""
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


class AnswerCounts(Conclusion):
    """How many of an arm's answers say nothing that could be right. None: it does not apply."""

    n: int
    """Answers to test rows, of all seeds; failed ones are not among them."""
    unread: int | None = None
    """That name no label; for choices."""
    cut: int | None = None
    """That ended at the most tokens an answer may have; None where nobody says how answers
    ended."""
    invalid_json: int | None = None
    """That are no JSON object."""
    empty: int | None = None
    """That say nothing, thoughts taken off; None where the task takes that for an answer."""
    lost: int
    """That say nothing which could be right: choices that are unread, JSON that is invalid, text
    that is cut or empty. A label that was read before the cut is not lost."""


class CitedAnswer(Conclusion):
    """An answer with its sources."""

    item: str
    """Id of the test row."""
    answer: str | None
    """On one line, its end cut off where it is long; None: answering failed."""
    sources: tuple[str, ...] = ()
    """Ids of the documents that it names, the most telling first."""


class LeakedFrom(Conclusion):
    """Test rows that stand in one thing that an arm may use."""

    source: str
    """What it is, in words."""
    exact: int
    """How many."""
    near: int | None
    """Further ones that nearly stand there; None: not looked for."""


class Leakage(Conclusion):
    """Test rows that stand in what an arm may use, and what it scores without them."""

    sources: tuple[LeakedFrom, ...] = ()
    """One for each thing that holds any."""
    ids: tuple[str, ...] = ()
    """Of all such rows."""
    exact: int = 0
    """How many of them stand in any source."""
    near: int | None = 0
    """How many others nearly do; None: not looked for in all of them."""
    without: Score | None = None
    """Its score on all other rows; None: there are no such rows, or no others."""
    unknown: str | None = None
    """Why it is not known what the arm has learnt from, if so."""
