"""What was spent on choosing an arm's parameters, and what that choice is worth: the nouns."""

from __future__ import annotations

from typing import Any

from harness.analysis.schema import Conclusion


class Tried(Conclusion):
    """One set of parameters that was tried."""

    changed: dict[str, Any]
    """Those that are not at their defaults; empty: the defaults."""
    by: str
    """Who proposed it: default, portfolio, tpe or random."""
    rows: int
    """Validation rows that it answered: fewer than all, where it was given up before."""
    score: float | None
    """On these; None: it failed, or it was not scored."""
    wall_s: float
    """What it took."""
    error: str | None = None
    """Why it failed, if so."""


class EffortResult(Conclusion):
    """The search of one arm. All scores are of validation rows."""

    family: str
    """Whose effort it shares."""
    sharing: int
    """Arms of the family that shared its effort."""
    most_trials: int
    """Its share; so are the next two."""
    most_s: float | None = None
    """Seconds."""
    most_usd: float | None = None
    """Dollars that hosted models may charge."""
    ended: str
    """What ended it: trials, minutes, usd, or space: nothing was left to try."""
    why: str
    """How the choice came about, in a sentence."""
    sampler: str
    """What proposed trials after the portfolio, in words."""
    of_seed: int
    """Of the training that chose."""
    changed: dict[str, Any]
    """The chosen parameters that are not at their defaults."""
    tried: tuple[Tried, ...]
    """In order, the defaults first."""
    wall_s: float
    """What all trials took."""
    usd: float | None = None
    """What a hosted model charged; None: not known, or none was asked."""
    rows: int = 0
    """Validation rows that candidates were compared on, at the most."""
    default_score: float | None = None
    """What the defaults score."""
    best_score: float | None = None
    """Of those that answered all rows."""
    chosen_score: float | None = None
    """What the chosen parameters score."""
    lead: float | None = None
    """Of the best other candidate over the defaults on all rows, paired."""
    lead_se: float | None = None
    """One standard error of it: the defaults stay unless the lead exceeds it."""
    optimism: float | None = None
    """By how much the chosen score flatters for having been chosen by; None: nothing was chosen."""
    expected_best: tuple[float, ...] = ()
    """Of 1, 2, … of the candidates that answered all rows."""

    @property
    def failed(self) -> int:
        """How many trials failed."""
        return sum(one.error is not None for one in self.tried)

    @property
    def close(self) -> bool:
        """Whether the rows cannot tell the best other candidate from the defaults."""
        return self.lead is not None and self.lead_se is not None and abs(self.lead) < self.lead_se
