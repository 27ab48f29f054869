"""What arms score on fewer labels, where one overtakes another, what noise and made rows do."""

from __future__ import annotations

from typing import Literal

from harness.analysis.schema import Conclusion


class CurvePoint(Conclusion):
    """What an arm scores with so many labels."""

    labels_n: int
    """Labelled rows that it learnt from."""
    value: float
    """Mean over its trainings."""
    ci_low: float
    """95%: test rows, and draws of rows with their seeds, as sources of variance."""
    ci_high: float
    """Upper end."""
    trainings: int
    """How many there are."""
    failed: int = 0
    """Further trainings that did not end ok, and are not in the figure."""


class NextLabels(Conclusion):
    """What further labels would add, by a law that is fitted to the points; enters no verdict."""

    labels: int
    """How many more."""
    value: float | None = None
    """In units of the metric."""
    ci_low: float | None = None
    """Lower end of the 95% interval."""
    ci_high: float | None = None
    """Upper end."""
    usd: float | None = None
    """What labelling these rows costs; None: the task names no price."""
    undefined: str | None = None
    """Why there is no value."""


class CurveLine(Conclusion):
    """One arm: its scores by number of labels."""

    strategy: str
    """The arm's name."""
    learns: bool
    """False: it needs no labels, and scores the same at every size."""
    points: tuple[CurvePoint, ...]
    """One a size."""
    next_labels: NextLabels | None = None
    """What more labels would add; null: it learns from none."""


class Crossover(Conclusion):
    """From how many labels on an arm is ahead of another: a 95% range, by joint resampling."""

    first: str
    """The arm that gains on the other as labels grow."""
    second: str
    """The other arm."""
    state: Literal["between", "from", "until", "everywhere", "nowhere", "unknown"]
    """between: both ends are known · from: it may be nowhere within the labels that there are ·
    until: it may be ahead at every size · everywhere · nowhere · unknown: either may be."""
    low: float | None = None
    """Labels, at the least."""
    high: float | None = None
    """Labels, at the most."""
    text: str
    """In words."""


class RowsEffect(Conclusion):
    """What wrong labels or made rows change of an arm's score, beside its own trainings."""

    strategy: str
    """The arm's name."""
    kind: Literal["noise", "augment"]
    """noise: wrong labels; augment: made rows."""
    amount: float
    """Share of wrong labels, or rows for each one there is."""
    kinds: tuple[str, ...] = ()
    """What made rows are made by: typo, paraphrase."""
    value: float | None = None
    """With it less without, in units of the metric."""
    ci_low: float | None = None
    """Lower end of the 95% interval."""
    ci_high: float | None = None
    """Upper end."""
    trainings: int = 0
    """Pairs of trainings, with and without."""
    undefined: str | None = None
    """Why there is no value."""


class LearningCurve(Conclusion):
    """All that trials on other rows than the task's own came to. No verdict rests on it."""

    metric: str
    """Its name."""
    labels_n: int
    """Labelled rows that there are."""
    lines: tuple[CurveLine, ...] = ()
    """One an arm."""
    crossovers: tuple[Crossover, ...] = ()
    """From where on an arm is ahead of another."""
    effects: tuple[RowsEffect, ...] = ()
    """What noise and made rows change."""
    missing: tuple[str, ...] = ()
    """Points without any training that ended ok, with the reason."""
