"""An arm that was trained several times: how far they differ, which is shipped."""

from __future__ import annotations

from harness.analysis.schema import Conclusion
from harness.analysis.schema.scores import Score


class Training(Conclusion):
    """One of several trainings of an arm."""

    seed: int
    """Its seed."""
    score: Score
    """On the test rows. Its interval is of the rows alone."""
    cut_anew: bool = False
    """Its train and validation are another cut of the same rows than the one that is given."""
    validation: float | None = None
    """The task's metric on its validation rows; None: not known."""
    validation_n: int | None = None
    """How many validation rows there are."""


class Trainings(Conclusion):
    """All trainings of one arm. The arm's own score is their mean: that of the method."""

    each: tuple[Training, ...]
    """One a seed."""
    spread: float
    """Standard deviation between their scores."""
    allowed: float
    """Beyond this the arm is unsteady: the task's margin, or, where that is 0, two hundredths of
    the metric's range."""
    by_margin: bool
    """Whether that is the margin."""
    shipped: int
    """The seed of the one to ship: the best on validation, the first of equals."""
    unchosen: str | None = None
    """Why it is just the first one, if so."""
    fit_wall_s: float | None = None
    """Preparation of all of them together: what choosing one of them takes. The arm's own figures
    are of one training."""
    fit_usd: float | None = None
    """The same in money, where that is known."""

    @property
    def unsteady(self) -> bool:
        """Whether they differ by more than is allowed."""
        return self.spread > self.allowed

    @property
    def of_shipped(self) -> Training:
        """The one to ship."""
        return next(one for one in self.each if one.seed == self.shipped)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest of their scores."""
        values = [one.score.value or 0.0 for one in self.each]
        return min(values), max(values)
