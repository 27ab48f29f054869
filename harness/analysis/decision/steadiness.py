"""No verdict rests on an arm whose trainings differ too much: a condition on top of the rule.

An arm's score is the mean of its trainings, and what is served is one of them. Where they differ by
more than is allowed (`Trainings.allowed`), the rule is applied again with each of them in the arm's
place, as if it were the only one. If it ever finds otherwise, another training would have given
another answer, and there is not enough evidence for any. Knows no sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.decision.verdict import Code, Reason, Verdict
from harness.analysis.schema.trainings import Trainings
from harness.stats.mcb import MultipleComparisons


@dataclass(frozen=True)
class Alone:
    """One training of an unsteady arm, as if it were the only one."""

    arm: str
    score: float
    comparisons: MultipleComparisons
    """Of all arms, with that training's values in the arm's place."""

    def shifted(self, name: str, by: float) -> Alone:
        """Return the same as if an arm had scored `by` more."""
        return replace(self, comparisons=self.comparisons.shifted(name, by))


def differs(found: Verdict, again: Verdict) -> bool:
    """Tell whether a verdict is another one: another choice, or one that is not firm."""
    return (again.choice, again.provisional) != (found.choice, found.provisional)


def held_back(found: Verdict, unsteady: Sequence[tuple[str, Trainings]]) -> Verdict:
    """Return a verdict that rests on none of these arms.

    Args:
        found: by the rule.
        unsteady: arms, with their trainings, with another of which the rule finds otherwise.

    Returns:
        The same where there are none, or where there is nothing to choose; else not enough
        evidence, with the best-scoring arm for now.
    """
    if not unsteady or found.choice is None:
        return found
    because = tuple(Reason(Code.UNSTEADY, name, trainings=each) for name, each in unsteady)
    if found.provisional:
        return replace(found, reasons=(*found.reasons, *because), tuning_pays=None)
    feasible = [arm for arm in found.arms.values() if arm.feasible]
    best = max(feasible, key=lambda arm: (arm.score, -arm.complexity))
    rejected = {name: why for name, why in found.rejected.items() if name != best.name}
    if found.choice != best.name:
        names = tuple(name for name, _ in unsteady)
        rejected[found.choice] = Reason(Code.WAITS_FOR_STEADY, found.choice, names)
    return replace(
        found,
        name="not_enough_evidence",
        choice=best.name,
        reasons=(Reason(Code.BEST_SCORE, best.name), *because),
        tied_with=(),
        rejected=rejected,
        tuning_pays=None,
    )
