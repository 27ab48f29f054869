"""An arm before the rule, and in what one arm is preferable to another: cost, then simplicity.

Costs within 5 % count as equal. Each preference has its own words, so that no report calls an arm
cheaper or simpler that is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.analysis.schema.comparison import Check

EQUAL_COST = 1.05
"""Costs whose ratio is at most this count as equal."""
Preference = Literal["cheaper", "simpler", "slightly cheaper", "first"]
"""Why one candidate is taken rather than another: "simpler" and what follows at equal cost, or
where costs cannot be compared."""


@dataclass(frozen=True)
class Contender:
    """What the rule needs to know of an arm that finished."""

    name: str
    score: float
    complexity: int
    checks: tuple[Check, ...]
    cost: float | None
    """Over the horizon, in the comparison's unit; None = not comparable."""
    cost_text: str
    tuned: bool = False
    """It serves a pretrained model's weights that were tuned for the task."""

    @property
    def feasible(self) -> bool:
        """Every limit is met, by the point value."""
        return all(check.state == "met" for check in self.checks)

    @property
    def undecided(self) -> bool:
        """No limit or need is missed, but a figure that decides about one is not known."""
        states = {check.state for check in self.checks}
        return "unknown" in states and "missed" not in states

    def advantage_over(self, other: Contender) -> Literal["cheaper", "simpler"] | None:
        """Return in what this arm is ahead: cheaper, or as cheap and simpler; None in neither."""
        if self.cost is not None and other.cost is not None:
            if self.cost * EQUAL_COST < other.cost:
                return "cheaper"
            if other.cost * EQUAL_COST < self.cost:
                return None
        return "simpler" if self.complexity < other.complexity else None

    def cheaper_than(self, other: Contender) -> bool:
        """Tell whether this arm is cheaper, or as cheap and simpler."""
        return self.advantage_over(other) is not None


def cheapest(candidates: Sequence[Contender]) -> Contender:
    """Return the cheapest; costs within 5 % of it are equal, then the simplest is taken.

    Of equally simple ones the one that costs least, then the first named. Where some cost is not
    comparable, all are ordered by complexity.
    """
    pool = list(candidates)
    if all(c.cost is not None for c in pool):
        least = min(c.cost for c in pool if c.cost is not None)
        pool = [c for c in pool if c.cost is not None and c.cost <= least * EQUAL_COST]
        return min(pool, key=lambda c: (c.complexity, c.cost))
    return min(pool, key=lambda c: c.complexity)


def preferences(choice: Contender, candidates: Sequence[Contender]) -> dict[str, Preference]:
    """Return why `choice`, the cheapest of the candidates, is taken rather than each other one."""
    costs = [c.cost for c in candidates if c.cost is not None]
    least = min(costs) if len(costs) == len(candidates) else None
    return {c.name: _preference(choice, c, least) for c in candidates if c is not choice}


def _preference(choice: Contender, other: Contender, least: float | None) -> Preference:
    if least is not None and other.cost is not None and other.cost > least * EQUAL_COST:
        return "cheaper"
    if choice.complexity < other.complexity:
        return "simpler"
    if least is not None and (choice.cost or 0.0) < (other.cost or 0.0):
        return "slightly cheaper"
    return "first"


def preference_text(over: Mapping[str, Preference], comparable: bool) -> str:
    """Return what a choice is beside the arms it is preferred to: "the cheaper one".

    Args:
        over: the other arms, at least one, and why the choice is taken rather than each.
        comparable: whether their costs can be compared.
    """
    kinds = list(dict.fromkeys(over.values()))
    if len(kinds) == 1:
        return _alone(kinds[0], len(over) > 1, comparable)
    words = {
        "cheaper": "cheaper than {}",
        "simpler": "simpler than {} at the same cost" if comparable else "simpler than {}",
        "slightly cheaper": "as simple as {} and slightly cheaper",
        "first": "named before {}, otherwise alike",
    }
    groups = {kind: listed([name for name in over if over[name] == kind]) for kind in kinds}
    parts = [words[kind].format(group) for kind, group in groups.items()]
    return ", and ".join(parts) + ("" if comparable else " (costs cannot be compared)")


def _alone(kind: Preference, several: bool, comparable: bool) -> str:
    if kind == "cheaper":
        return "the cheapest" if several else "the cheaper one"
    if kind == "simpler":
        which = "the simplest" if several else "the simpler one"
        return f"{which}{' at the same cost' if comparable else '; costs cannot be compared'}"
    if kind == "slightly cheaper":
        return "the slightly cheaper of equally simple ones"
    alike = "alike in cost and simplicity" if comparable else "equally simple"
    return f"the first named of arms {alike}{'' if comparable else '; costs cannot be compared'}"


def why_passed_over(other: Contender, choice: Contender, why: Preference) -> str:
    """Return in what a candidate is behind the choice."""
    comparable = choice.cost is not None
    against = f"({other.cost_text} against {choice.cost_text})"
    if why == "cheaper":
        return f"dearer than {choice.name} {against}"
    if why == "simpler":
        where = "at the same cost" if comparable else "and costs cannot be compared"
        return f"less simple than {choice.name} {where} {against}"
    if why == "slightly cheaper":
        return f"slightly dearer than {choice.name}, which is as simple {against}"
    if comparable:
        return f"named after {choice.name}, which is alike in cost and simplicity"
    return f"named after {choice.name}, which is as simple; costs cannot be compared"


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
