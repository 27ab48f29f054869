"""The verdict: one pure rule from scores, bounds, costs and checks to a recommendation.

1. Feasible: every hard limit met by the point value; what is unknown does not meet a limit.
2. Each feasible arm's loss to the best of the others has simultaneous 95 % bounds (contest.py).
3. Candidates: upper bound of the loss ≤ margin.
4. Choice: the cheapest candidate; costs within 5 % are equal, then the simpler.
5. The first that applies: nothing_feasible; one feasible arm: choose; not_enough_evidence (no
   candidate, or a cheaper feasible arm is not shown worse); tie; choose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness import numbers
from harness.judge.comparison import Check, Loss, Recommendation
from harness.judge.contest import Contest
from harness.judge.settling import rows_to_settle

EQUAL_COST = 1.05
"""Costs whose ratio is at most this count as equal."""


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
    """It serves a language model's weights that were tuned for the task."""

    @property
    def feasible(self) -> bool:
        """Every limit is met, by the point value."""
        return all(check.state == "met" for check in self.checks)

    def cheaper_than(self, other: Contender) -> bool:
        """Tell whether this arm is cheaper, or as cheap and simpler."""
        if self.cost is not None and other.cost is not None:
            if self.cost * EQUAL_COST < other.cost:
                return True
            if other.cost * EQUAL_COST < self.cost:
                return False
        return self.complexity < other.complexity


def decide(contenders: Sequence[Contender], contest: Contest, margin: float) -> Recommendation:
    """Apply the rule.

    Args:
        contenders: the arms that finished.
        contest: their scores and joint resamples, for any subset of them.
        margin: the loss of quality that is accepted for something cheaper or simpler.
    """
    feasible = [contender for contender in contenders if contender.feasible]
    rejected = {
        c.name: "; ".join(check.text for check in c.checks if check.state != "met")
        for c in contenders
        if not c.feasible
    }
    if not feasible:
        return _nothing_feasible(contenders, rejected)
    if any(contender.cost is None for contender in feasible):
        # Some cost cannot be compared: one order for all, by complexity, or the cheapest would be
        # found by one rule and held against the others by another.
        feasible = [replace(contender, cost=None) for contender in feasible]
    names = [contender.name for contender in feasible]
    hearing = Hearing(tuple(feasible), contest, contest.losses(names), margin)
    if len(feasible) == 1:
        only = feasible[0]
        found = Recommendation(
            choice=only.name,
            verdict="choose",
            headline=f"Choose {only.name}: it is the only arm that meets every limit.",
            reasons=(f"{only.name} scores {numbers.score(only.score)}; no other arm is feasible.",),
        )
    else:
        found = hearing.ruling()
    headline = _answer(found, contenders) + found.headline
    return found.model_copy(update={"rejected": rejected | found.rejected, "headline": headline})


@dataclass(frozen=True)
class Hearing:
    """The feasible arms before the rule, with what is known of their losses."""

    feasible: tuple[Contender, ...]
    contest: Contest
    losses: Mapping[str, Loss]
    margin: float

    @property
    def candidates(self) -> list[Contender]:
        """The arms shown to lose no more than the margin."""
        return [c for c in self.feasible if _upper(self.losses[c.name]) <= self.margin]

    def ruling(self) -> Recommendation:
        """Apply steps 4 and 5 of the rule to two or more feasible arms."""
        choice = cheapest(self.candidates) if self.candidates else None
        undecided = [] if choice is None else self.undecided_against(choice)
        if choice is None or undecided:
            return self.not_enough(undecided)
        return self.chosen(choice)

    def undecided_against(self, choice: Contender) -> list[Contender]:
        """Return the arms that are cheaper than `choice` and not shown worse than the best."""
        return [
            c
            for c in self.feasible
            if c.cheaper_than(choice) and (self.losses[c.name].low or 0.0) <= 0
        ]

    def chosen(self, choice: Contender) -> Recommendation:
        """Recommend `choice`, alone or as the cheaper or simpler side of a tie."""
        intervals = self.contest.differences(choice.name, [c.name for c in self.feasible])
        tied = [
            c
            for c in self.candidates
            if c is not choice and intervals[c.name][0] <= 0 <= intervals[c.name][1]
        ]
        reasons = self._why(choice)
        for contender in tied:
            low, high = intervals[contender.name]
            reasons.append(
                f"{contender.name} cannot be told from it: the difference lies between"
                f" {numbers.points(low)} and {numbers.points(high)}"
                f" ({contender.cost_text} against {choice.cost_text})."
            )
        return Recommendation(
            choice=choice.name,
            verdict="tie" if tied else "choose",
            tied_with=tuple(c.name for c in tied),
            headline=_headline(choice, tied),
            reasons=tuple(reasons),
            rejected={c.name: self._why_not(c) for c in self.feasible if c is not choice},
        )

    def not_enough(self, undecided: Sequence[Contender]) -> Recommendation:
        """Recommend the best-scoring arm for now, and say what would settle the question."""
        best = max(self.feasible, key=lambda c: (c.score, -c.complexity))
        open_ones = undecided or self.undecided_against(best)
        cheaper = [c for c in open_ones if c.cheaper_than(best)]  # the best may be one of them
        reasons = [
            f"{best.name} scores best ({numbers.score(best.score)})"
            f" on {numbers.count(self.contest.n)} test rows."
        ]
        for contender in cheaper:
            loss = self.losses[contender.name]
            reasons.append(
                f"{contender.name} is cheaper or simpler ({contender.cost_text} against"
                f" {best.cost_text}) and is neither shown worse nor shown to be within"
                f" {numbers.points(self.margin)}: its loss lies between"
                f" {numbers.points(loss.low or 0.0)} and {numbers.points(_upper(loss))}."
            )
            reasons += self._what_settles(contender)
        if not cheaper:
            loss = self.losses[best.name]
            reasons.append(
                f"Its loss to another arm may still be {numbers.points(_upper(loss))}, more than"
                f" the margin of {numbers.points(self.margin)}."
            )
            reasons += self._what_settles(best)
        rejected = [c for c in self.feasible if c is not best and c not in cheaper]
        return Recommendation(
            choice=best.name,
            verdict="not_enough_evidence",
            provisional=True,
            headline=f"Not enough evidence yet; provisionally {best.name}, which scores best.",
            reasons=tuple(reasons),
            rejected={c.name: self._why_not(c) for c in rejected},
        )

    def _why(self, choice: Contender) -> list[str]:
        loss = self.losses[choice.name]
        shown = (
            f"it is at most {numbers.points(_upper(loss))} worse than the best other arm, within"
            f" the margin of {numbers.points(self.margin)}"
        )
        if _upper(loss) <= 0:
            shown = "no other arm is better"
        reasons = [
            f"{choice.name} scores {numbers.score(choice.score)} on"
            f" {numbers.count(self.contest.n)} test rows; with 95 % confidence {shown}."
        ]
        if len(self.candidates) > 1:
            reasons.append(
                f"Of the {len(self.candidates)} arms within the margin it is the cheapest, or the"
                f" simplest of equally cheap ones ({choice.cost_text})."
            )
        if (loss.low or 0.0) > 0:
            reasons.append(
                f"It is shown worse than {loss.to}, by {numbers.points(loss.value or 0.0)}:"
                " less than the margin you accept for something cheaper or simpler."
            )
        return reasons

    def _why_not(self, contender: Contender) -> str:
        loss = self.losses[contender.name]
        if contender in self.candidates:
            return f"within the margin, but not cheaper or simpler ({contender.cost_text})"
        if (loss.low or 0.0) > 0:
            return (
                f"shown worse: {numbers.points(loss.value or 0.0)} below {loss.to}"
                f" (at least {numbers.points(loss.low or 0.0)})"
            )
        return (
            f"may be {numbers.points(_upper(loss))} worse than the best,"
            f" more than the margin of {numbers.points(self.margin)}"
        )

    def _what_settles(self, contender: Contender) -> list[str]:
        loss = self.losses[contender.name]
        among = [c.name for c in self.feasible]
        needed = rows_to_settle(self.contest, among, contender.name, self.margin)
        if needed is None:
            return []
        return [
            f"If its loss is what it looks like ({numbers.points(loss.value or 0.0)}), about"
            f" {numbers.count(needed)} test rows would settle {contender.name}."
        ]


def _answer(found: Recommendation, contenders: Sequence[Contender]) -> str:
    """Answer the question that everybody asks, where a tuned and an untuned arm competed."""
    tuned = {c.name for c in contenders if c.tuned}
    if found.provisional or not tuned or len(tuned) == len(contenders):
        return ""
    return f"Fine-tuning is {'' if found.choice in tuned else 'not '}worth it here. "


def _headline(choice: Contender, tied: Sequence[Contender]) -> str:
    if not tied:
        return f"Choose {choice.name}."
    names = " and ".join(c.name for c in tied)
    dearer = all(
        c.cost is not None and choice.cost is not None and c.cost > choice.cost * EQUAL_COST
        for c in tied
    )
    which = "the cheaper one" if dearer else "the simpler one"
    return f"A tie between {choice.name} and {names}: take {choice.name}, {which}."


def cheapest(candidates: Sequence[Contender]) -> Contender:
    """Return the cheapest; costs within 5 % of it are equal, then the simplest, then the first.

    Where some cost is not comparable, all are ordered by complexity.
    """
    pool = list(candidates)
    if all(c.cost is not None for c in pool):
        least = min(c.cost for c in pool if c.cost is not None)
        pool = [c for c in pool if c.cost is not None and c.cost <= least * EQUAL_COST]
        return min(pool, key=lambda c: (c.complexity, c.cost))
    return min(pool, key=lambda c: c.complexity)


def _nothing_feasible(contenders: Sequence[Contender], rejected: dict[str, str]) -> Recommendation:
    near = min(contenders, key=_total_excess, default=None)
    headline = "Nothing to recommend: no arm meets every limit."
    reasons = ["No arm meets every limit, and no limit was dropped to make one."]
    if near is None:
        headline = "Nothing to recommend: no arm finished."
        reasons = ["No arm finished."]
    elif _total_excess(near) < float("inf"):
        reasons.append(f"Nearest is {near.name}: {rejected[near.name]}.")
    else:
        reasons.append(f"What has to be supplied or changed first: {rejected[near.name]}.")
    return Recommendation(
        choice=None,
        verdict="nothing_feasible",
        headline=headline,
        reasons=tuple(reasons),
        rejected=rejected,
    )


def _total_excess(contender: Contender) -> float:
    missed = [check for check in contender.checks if check.state != "met"]
    return max(
        (float("inf") if check.excess is None else check.excess for check in missed), default=0.0
    )


def _upper(loss: Loss) -> float:
    return 0.0 if loss.high is None else loss.high
