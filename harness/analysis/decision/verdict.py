"""What the rule decides on and what it finds: arms in figures, reasons as codes with figures.

Holds no rule (rule.py) and no sentence (wording.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from harness.analysis.cost.cost import EQUAL_COST
from harness.analysis.schema.comparison import Check, VerdictName
from harness.analysis.schema.trainings import Trainings
from harness.stats.mcb import GapBounds

MOST_LOST = 0.5
"""Share of an arm's answers beyond which its score speaks of how it was asked, and not of it."""


class Preference(Enum):
    """Why one arm is taken rather than another: what follows CHEAPER, at equal or unknown cost."""

    CHEAPER = auto()
    SIMPLER = auto()
    SLIGHTLY_CHEAPER = auto()
    """By less than counts, and as simple."""
    FIRST = auto()
    """Alike, and named first in the task file."""


@dataclass(frozen=True)
class ArmFigures:
    """What the rule knows of an arm that finished."""

    name: str
    score: float
    complexity: int
    checks: tuple[Check, ...]
    cost: float | None
    """Over the horizon, in the comparison's unit; None: not comparable."""
    total_usd: float | None = None
    """The same in dollars, for whoever words it; so is the next."""
    machine_s: float | None = None
    tuned: bool = False
    """It serves a pretrained model's weights that were tuned for the task."""
    lost_share: float | None = None
    """Share of its answers that say nothing which could be right (cut, unread); None: not
    counted."""

    @property
    def missing(self) -> tuple[Check, ...]:
        """The limits and needs that are not met."""
        return tuple(check for check in self.checks if check.state != "met")

    @property
    def feasible(self) -> bool:
        """Every limit is met, by the point value; what is unknown meets none."""
        return not self.missing

    @property
    def unknown(self) -> bool:
        """No limit or need is missed, but a figure that decides about one is not known."""
        return not self.feasible and all(check.state == "unknown" for check in self.missing)

    @property
    def mostly_lost(self) -> bool:
        """Most of its answers are lost: its score says little of what it could do."""
        return self.lost_share is not None and self.lost_share > MOST_LOST

    @property
    def could_compete(self) -> bool:
        """No limit or need is missed that better answers would not mend."""
        return all(c.state != "missed" or c.key == "limits.min_score" for c in self.checks)

    @property
    def excess(self) -> float:
        """How far past its limits the arm is, by its worst miss; infinite where one is unknown."""
        found = [float("inf") if c.excess is None else c.excess for c in self.missing]
        return max(found, default=0.0)

    def advantage_over(self, other: ArmFigures) -> Preference | None:
        """Return in what this arm is ahead: cheaper, or as cheap and simpler; None in neither."""
        if self.cost is not None and other.cost is not None:
            if self.cost * EQUAL_COST < other.cost:
                return Preference.CHEAPER
            if other.cost * EQUAL_COST < self.cost:
                return None
        return Preference.SIMPLER if self.complexity < other.complexity else None


class Code(Enum):
    """Why an arm is chosen, or is not. Beside each: what `Reason.others` holds."""

    # Of the verdict.
    ONLY_FEASIBLE = auto()
    ONLY_FINISHED = auto()
    ONLY_ARM = auto()
    NO_OTHER_BETTER = auto()
    """The gap's upper bound is 0."""
    WITHIN_MARGIN = auto()
    """The gap's upper bound is within the margin."""
    PREFERRED = auto()
    """It is the cheapest, or the simplest at equal cost: the other candidates."""
    NOT_THE_BEST = auto()
    """It is significantly worse than the best, by no more than the margin."""
    NO_CLEAR_DIFFERENCE = auto()
    """It ties with the choice: the choice."""
    BEST_SCORE = auto()
    WAITS_FOR = auto()
    """It is within the margin, but a cheaper arm is undecided: the undecided ones."""
    MAY_BE_GOOD_ENOUGH = auto()
    """It is undecided and has an advantage: the arm that it has it over."""
    LEAD_UNDECIDED = auto()
    """It scores best, but another arm may be better: the candidate that it is cheaper than."""
    NONE_FINISHED = auto()
    NONE_FEASIBLE = auto()
    NEAREST = auto()
    """It misses its limits by the least."""
    SUPPLY_FIRST = auto()
    """Nothing is known to be near: a figure is unknown."""
    BEST_OF_OTHER_KIND = auto()
    """The best arm of the kind, tuned or untuned, that was not chosen: the choice."""
    BEST_FEASIBLE_OF_OTHER_KIND = auto()
    NONE_FEASIBLE_OF_OTHER_KIND = auto()
    TUNING_OPEN = auto()
    """Most answers of an arm that competes are lost, so nothing is said of fine-tuning: all such
    arms."""
    UNSTEADY = auto()
    """With another of its trainings in its place, the rule finds otherwise."""
    # Of an arm that is not chosen.
    OVER_A_LIMIT = auto()
    PASSED_OVER = auto()
    """A candidate; `Verdict.preferences` says why: the choice."""
    SIGNIFICANTLY_WORSE = auto()
    UNDECIDED = auto()
    """Its gap may be more than the margin."""
    WAITS_TOO = auto()
    """A candidate with an advantage over the provisional choice: that one."""
    NO_ADVANTAGE = auto()
    """A candidate without one: the provisional choice."""
    WAITS_FOR_STEADY = auto()
    """The rule's choice, which is not told while these are unsteady: the unsteady ones."""


class Reason(NamedTuple):
    """One reason, with its figures."""

    code: Code
    arm: str = ""
    others: tuple[str, ...] = ()
    gap: GapBounds = GapBounds(value=None, low=None, high=0.0, to=None)
    interval: tuple[float, float] = (0.0, 0.0)
    """Simultaneous 95% bounds of (arm − the other)."""
    trainings: Trainings | None = None
    """Those of an arm that is unsteady."""


@dataclass(frozen=True)
class Verdict:
    """What the rule found."""

    name: VerdictName
    choice: str | None
    reasons: tuple[Reason, ...]
    tied_with: tuple[str, ...] = ()
    rejected: Mapping[str, Reason] = field(default_factory=dict)
    """Arm to why it is not chosen, of those that finished."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """Other candidate to why the choice is taken rather than it."""
    undecided: tuple[str, ...] = ()
    """The arms that more test rows would have to decide about."""
    tuning_pays: bool | None = None
    """Whether fine-tuning is worth it; None where that was not decided."""
    arms: Mapping[str, ArmFigures] = field(default_factory=dict)
    """What was decided on: those that finished, those that competed with the costs compared."""
    competing: tuple[str, ...] = ()
    """The arms whose gaps were compared: all that meet every limit, if two do."""
    margin: float = 0.0
    n: int = 0
    """Test rows."""

    @property
    def provisional(self) -> bool:
        """Whether the choice is the best-scoring arm for now."""
        return self.name == "not_enough_evidence"
