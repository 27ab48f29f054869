"""The verdict: one pure rule from scores, bounds, costs and checks to a choice with its reasons.

1. Feasible: every hard limit is met by the point value; what is unknown does not meet a limit.
2. Each feasible arm's gap to the best of the others has bounds at 95% (harness.stats.mcb).
3. Candidates: the upper bound of the gap is within the margin.
4. Choice: the cheapest candidate; costs within 5% are equal, then the simplest.
5. The first that applies: nothing_feasible; one feasible arm: choose; no candidate, or a cheaper
   feasible arm is undecided (no candidate, yet not significantly worse): not_enough_evidence;
   another candidate does not differ significantly from the choice: tie; choose.

Knows no sentence and no file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.analysis.cost.cost import EQUAL_COST
from harness.analysis.decision.tuning import (
    already_pays,
    best_of_other_kind,
    left_open_by,
    tuning_pays,
)
from harness.analysis.decision.verdict import ArmFigures, Code, Preference, Reason, Verdict
from harness.analysis.schema.comparison import VerdictName
from harness.stats.mcb import GapBounds, MultipleComparisons


def decide(
    arms: Sequence[ArmFigures],
    comparisons: MultipleComparisons,
    margin: float,
    absent: Collection[str] = (),
) -> Verdict:
    """Apply the rule.

    Args:
        arms: those that finished.
        comparisons: their scores and joint resamples, for any subset of them.
        margin: the gap that is accepted for something cheaper or simpler.
        absent: the task's other arms, which did not finish.
    """
    feasible = [arm for arm in arms if arm.feasible]
    if not feasible:
        found = _nothing_feasible(arms)
    elif len(feasible) == 1:
        found = _only(feasible[0], len(arms), len(absent))
    else:
        found = _Competition.of(feasible, comparisons, margin).verdict()
    over = {a.name: Reason(Code.OVER_A_LIMIT, a.name) for a in arms if not a.feasible}
    rejected = {**over, **found.rejected}
    if found.provisional and found.choice is not None:
        pays, lost = already_pays(found.choice, arms, rejected), []
    else:
        pays, lost = tuning_pays(found.choice, arms), left_open_by(found.choice, arms)
    beside = () if pays is None else (best_of_other_kind(found.choice, arms),)
    if lost:
        beside = (Reason(Code.TUNING_OPEN, lost[0], tuple(lost)),)
    return replace(
        found,
        reasons=(*found.reasons, *beside),
        rejected=rejected,
        tuning_pays=pays,
        arms={**{arm.name: arm for arm in arms}, **found.arms},
        margin=margin,
        n=comparisons.n,
    )


def cheapest(candidates: Sequence[ArmFigures]) -> ArmFigures:
    """Return the cheapest; costs within 5% of it are equal, then the simplest is taken.

    Of equally simple ones the one that costs least, then the first named. Where some cost is not
    comparable, all are ordered by complexity.
    """
    known = [arm.cost for arm in candidates if arm.cost is not None]
    if len(known) < len(candidates):
        return min(candidates, key=lambda arm: arm.complexity)
    near = [arm for arm in candidates if (arm.cost or 0.0) <= min(known) * EQUAL_COST]
    return min(near, key=lambda arm: (arm.complexity, arm.cost))


def preferences(choice: ArmFigures, candidates: Sequence[ArmFigures]) -> dict[str, Preference]:
    """Return why `choice`, the cheapest of the candidates, is taken rather than each other one."""
    known = [arm.cost for arm in candidates if arm.cost is not None]
    least = min(known) if len(known) == len(candidates) else None
    return {arm.name: _preference(choice, arm, least) for arm in candidates if arm is not choice}


def _preference(choice: ArmFigures, other: ArmFigures, least: float | None) -> Preference:
    if least is not None and other.cost is not None and other.cost > least * EQUAL_COST:
        return Preference.CHEAPER
    if choice.complexity < other.complexity:
        return Preference.SIMPLER
    if least is not None and (choice.cost or 0.0) < (other.cost or 0.0):
        return Preference.SLIGHTLY_CHEAPER
    return Preference.FIRST


@dataclass(frozen=True)
class _Competition:
    """Two or more feasible arms, and how far each is behind the best of the others."""

    arms: Sequence[ArmFigures]
    comparisons: MultipleComparisons
    gaps: Mapping[str, GapBounds]
    margin: float

    @classmethod
    def of(
        cls, arms: Sequence[ArmFigures], comparisons: MultipleComparisons, margin: float
    ) -> _Competition:
        if any(arm.cost is None for arm in arms):
            # One cost cannot be compared: then complexity orders all, or the cheapest would be
            # found by one order and compared with the others by another.
            arms = [replace(arm, cost=None) for arm in arms]
        return cls(arms, comparisons, comparisons.gaps([arm.name for arm in arms]), margin)

    @property
    def candidates(self) -> list[ArmFigures]:
        return [arm for arm in self.arms if self.gaps[arm.name].high <= self.margin]

    def verdict(self) -> Verdict:
        """Apply steps 4 and 5."""
        choice = cheapest(self.candidates) if self.candidates else None
        undecided = [] if choice is None else self.undecided_against(choice)
        if choice is None or undecided:
            found = self.not_enough(choice, undecided)
        else:
            found = self.chosen(choice)
        arms = {arm.name: arm for arm in self.arms}
        return replace(found, arms=arms, competing=tuple(arms))

    def undecided_against(self, choice: ArmFigures) -> list[ArmFigures]:
        """Return the arms with an advantage over `choice` that may be good enough.

        A candidate may seem cheaper than the cheapest, and does not count: costs within 5% of each
        other are equal, and of three costs the first and the last may lie further apart.
        """
        candidates = self.candidates
        return [
            arm
            for arm in self.arms
            if arm.advantage_over(choice) is not None
            and arm not in candidates
            and not self.gaps[arm.name].significant
        ]

    def chosen(self, choice: ArmFigures) -> Verdict:
        """Choose, alone or as the cheaper or simpler side of a tie."""
        candidates, gap = self.candidates, self.gaps[choice.name]
        intervals = self.comparisons.differences(choice.name, [arm.name for arm in self.arms])
        over = preferences(choice, candidates)
        tied = tuple(name for name in over if intervals[name][0] <= 0 <= intervals[name][1])
        within = Code.NO_OTHER_BETTER if gap.high <= 0 else Code.WITHIN_MARGIN
        reasons = [Reason(within, choice.name, gap=gap)]
        if over:
            reasons.append(Reason(Code.PREFERRED, choice.name, tuple(over)))
        # Of a tie it is said that the two do not differ significantly: that is two-sided, this
        # one-sided.
        if gap.significant and gap.to not in tied:
            reasons.append(Reason(Code.NOT_THE_BEST, choice.name, gap=gap))
        reasons += [
            Reason(Code.NO_CLEAR_DIFFERENCE, name, (choice.name,), interval=intervals[name])
            for name in tied
        ]
        rejected = {
            arm.name: Reason(Code.PASSED_OVER, arm.name, (choice.name,))
            if arm.name in over
            else self.falls_short(arm)
            for arm in self.arms
            if arm is not choice
        }
        name: VerdictName = "tie" if tied else "choose"
        return Verdict(name, choice.name, tuple(reasons), tied, rejected, over)

    def not_enough(self, waiting: ArmFigures | None, undecided: Sequence[ArmFigures]) -> Verdict:
        """Choose the best-scoring arm for now.

        Args:
            waiting: the cheapest candidate, if there is a candidate.
            undecided: the arms that it waits for.
        """
        best = max(self.arms, key=lambda arm: (arm.score, -arm.complexity))
        open_ones = undecided or self.undecided_against(best)
        names = tuple(arm.name for arm in open_ones)
        reasons = [Reason(Code.BEST_SCORE, best.name)]
        if waiting is not None and waiting is not best:
            reasons.append(Reason(Code.WAITS_FOR, waiting.name, names))
        over = (waiting or best).name
        reasons += [
            Reason(Code.MAY_BE_GOOD_ENOUGH, name, (over,), self.gaps[name])
            for name in names
            if name != best.name
        ]
        if best in open_ones or not open_ones:
            ahead_of = (waiting.name,) if waiting and open_ones else ()
            gap = self.gaps[best.name]
            reasons.append(Reason(Code.LEAD_UNDECIDED, best.name, ahead_of, gap))
        rejected = {
            arm.name: self.waits(arm, best) if arm in self.candidates else self.falls_short(arm)
            for arm in self.arms
            if arm is not best and arm not in open_ones
        }
        return Verdict(
            "not_enough_evidence",
            best.name,
            tuple(reasons),
            rejected=rejected,
            undecided=names or (best.name,),
        )

    @staticmethod
    def waits(candidate: ArmFigures, best: ArmFigures) -> Reason:
        """Say why a candidate is not the provisional choice, which is the best-scoring arm."""
        ahead = candidate.advantage_over(best) is not None
        return Reason(Code.WAITS_TOO if ahead else Code.NO_ADVANTAGE, candidate.name, (best.name,))

    def falls_short(self, arm: ArmFigures) -> Reason:
        """Say why an arm is no candidate."""
        gap = self.gaps[arm.name]
        code = Code.SIGNIFICANTLY_WORSE if gap.significant else Code.UNDECIDED
        return Reason(code, arm.name, gap=gap)


def _only(only: ArmFigures, finished: int, absent: int) -> Verdict:
    code = Code.ONLY_FEASIBLE if finished > 1 else Code.ONLY_FINISHED if absent else Code.ONLY_ARM
    return Verdict("choose", only.name, (Reason(code, only.name),))


def _nothing_feasible(arms: Sequence[ArmFigures]) -> Verdict:
    near = min(arms, key=lambda arm: arm.excess, default=None)
    if near is None:
        return Verdict("nothing_feasible", None, (Reason(Code.NONE_FINISHED),))
    code = Code.NEAREST if near.excess < float("inf") else Code.SUPPLY_FIRST
    reasons = Reason(Code.NONE_FEASIBLE), Reason(code, near.name)
    return Verdict("nothing_feasible", None, reasons)
