"""The feasible arms before the rule: who is a candidate, who holds up the choice, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.decision.rows_needed import rows_to_settle
from harness.analysis.decision.verdict import (
    Contender,
    cheapest,
    listed,
    preference_text,
    preferences,
    why_passed_over,
)
from harness.analysis.schema.comparison import Recommendation
from harness.analysis.schema.scores import Loss
from harness.stats.mcb import Contest
from harness.wording import numbers


@dataclass(frozen=True)
class Hearing:
    """Two or more feasible arms, with what is known of their losses."""

    feasible: tuple[Contender, ...]
    contest: Contest
    losses: Mapping[str, Loss]
    margin: float

    @property
    def candidates(self) -> list[Contender]:
        """The arms shown to lose no more than the margin."""
        return [c for c in self.feasible if self._upper(c) <= self.margin]

    def ruling(self) -> Recommendation:
        """Apply steps 4 and 5 of the rule."""
        choice = cheapest(self.candidates) if self.candidates else None
        undecided = [] if choice is None else self.undecided_against(choice)
        if choice is None or undecided:
            return self.not_enough(choice, undecided)
        return self.chosen(choice)

    def undecided_against(self, choice: Contender) -> list[Contender]:
        """Return the arms cheaper than `choice` that are neither candidates nor shown worse.

        A candidate may seem cheaper than the cheapest: costs within 5 % of each other count as
        equal, and of three costs the first and the last may lie further apart.
        """
        candidates = self.candidates
        return [
            c
            for c in self.feasible
            if c.cheaper_than(choice) and c not in candidates and not self._shown_worse(c)
        ]

    def chosen(self, choice: Contender) -> Recommendation:
        """Recommend `choice`, alone or as the cheaper or simpler side of a tie."""
        intervals = self.contest.differences(choice.name, [c.name for c in self.feasible])
        over = preferences(choice, self.candidates)
        tied = [
            c
            for c in self.candidates
            if c is not choice and intervals[c.name][0] <= 0 <= intervals[c.name][1]
        ]
        reasons = self._why(choice, tied)
        for contender in tied:
            low, high = intervals[contender.name]
            reasons.append(
                f"{contender.name} cannot be told from it: the difference lies between"
                f" {numbers.points(low)} and {numbers.points(high)}"
                f" ({contender.cost_text} against {choice.cost_text})."
            )
        headline = f"Choose {choice.name}."
        if tied:
            which = preference_text({c.name: over[c.name] for c in tied}, choice.cost is not None)
            names = listed([choice.name, *(c.name for c in tied)])
            headline = f"A tie between {names}: take {choice.name}, {which}."
        rejected = {
            c.name: "within the margin, but " + why_passed_over(c, choice, over[c.name])
            if c.name in over
            else self._falls_short(c)
            for c in self.feasible
            if c is not choice
        }
        return Recommendation(
            choice=choice.name,
            verdict="tie" if tied else "choose",
            tied_with=tuple(c.name for c in tied),
            headline=headline,
            reasons=tuple(reasons),
            rejected=rejected,
        )

    def not_enough(
        self, held_up: Contender | None, undecided: Sequence[Contender]
    ) -> Recommendation:
        """Recommend the best-scoring arm for now, and say what would settle the question.

        Args:
            held_up: the cheapest candidate, if there is a candidate.
            undecided: what holds it up.
        """
        best = max(self.feasible, key=lambda c: (c.score, -c.complexity))
        open_ones = undecided or self.undecided_against(best)
        reasons = [
            f"{best.name} scores best ({numbers.score(best.score)})"
            f" on {numbers.count(self.contest.n)} test rows."
        ]
        names = listed([c.name for c in open_ones]) if open_ones else ""
        if held_up is not None and held_up is not best:
            reasons.append(
                f"{held_up.name} is shown to be within the margin of"
                f" {numbers.points(self.margin)} ({held_up.cost_text}), but cannot be recommended"
                f" before {names} {'is' if len(open_ones) == 1 else 'are'} settled."
            )
        for contender in open_ones:
            if contender is not best:
                reasons += self._why_open(contender, held_up or best)
        if best in open_ones or not open_ones:
            ahead = f" It is {_advantage_text(best, held_up)}." if held_up and open_ones else ""
            reasons.append(
                f"The loss of {best.name} to another arm may still be"
                f" {numbers.points(self._upper(best))}, more than the margin of"
                f" {numbers.points(self.margin)}.{ahead}"
            )
            reasons += self._what_settles(best)
        candidates = self.candidates
        rejected = {
            c.name: self._held_up(c, best, names) if c in candidates else self._falls_short(c)
            for c in self.feasible
            if c is not best and c not in open_ones
        }
        return Recommendation(
            choice=best.name,
            verdict="not_enough_evidence",
            provisional=True,
            headline=f"Not enough evidence yet; provisionally {best.name}, which scores best.",
            reasons=tuple(reasons),
            rejected=rejected,
        )

    def _why(self, choice: Contender, tied: Sequence[Contender]) -> list[str]:
        loss = self.losses[choice.name]
        shown = (
            f"it is at most {numbers.points(self._upper(choice))} worse than the best other arm,"
            f" within the margin of {numbers.points(self.margin)}"
        )
        if self._upper(choice) <= 0:
            shown = "no other arm is better"
        reasons = [
            f"{choice.name} scores {numbers.score(choice.score)} on"
            f" {numbers.count(self.contest.n)} test rows; with 95 % confidence {shown}."
        ]
        if over := preferences(choice, self.candidates):
            which = preference_text(over, choice.cost is not None)
            equal = choice.cost is not None and set(over.values()) != {"cheaper"}
            rule = "; costs within 5 % count as the same" if equal else ""
            reasons.append(
                f"Of the {len(over) + 1} arms within the margin it is {which}"
                f" ({choice.cost_text}{rule})."
            )
        # Of a tie it is said that the two cannot be told apart: that is two-sided, this one-sided.
        if self._shown_worse(choice) and loss.to not in [c.name for c in tied]:
            reasons.append(
                f"It is shown not to be the best: {loss.to} scores"
                f" {numbers.points(loss.value or 0.0)} more, less than the margin you accept for"
                " something cheaper or simpler."
            )
        return reasons

    def _why_open(self, contender: Contender, reference: Contender) -> list[str]:
        """Say why an arm that is cheaper than the reference is an open question."""
        loss = self.losses[contender.name]
        return [
            f"{contender.name} is {_advantage_text(contender, reference)} and is neither shown"
            f" worse nor shown to be within {numbers.points(self.margin)}: its loss lies between"
            f" {numbers.points(loss.low or 0.0)} and {numbers.points(self._upper(contender))}.",
            *self._what_settles(contender),
        ]

    def _held_up(self, candidate: Contender, best: Contender, names: str) -> str:
        """Say why a candidate is not the provisional choice, which is the best-scoring arm."""
        if candidate.cheaper_than(best):
            ahead = _advantage_text(candidate, best)
            return f"within the margin and {ahead}, but held up by {names}"
        against = f"({candidate.cost_text} against {best.cost_text})"
        if candidate.cost is None:
            return f"within the margin, but not simpler than {best.name}; costs cannot be compared"
        return (
            f"within the margin, but not cheaper than {best.name}, nor simpler at the same cost"
            f" {against}"
        )

    def _falls_short(self, contender: Contender) -> str:
        """Say why an arm is no candidate."""
        loss = self.losses[contender.name]
        if self._shown_worse(contender):
            return (
                f"shown worse than the best arm: {numbers.points(loss.value or 0.0)} below"
                f" {loss.to} (for this arm by itself, at least {numbers.points(loss.low or 0.0)})"
            )
        return (
            f"may be {numbers.points(self._upper(contender))} worse than the best,"
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

    def _shown_worse(self, contender: Contender) -> bool:
        return (self.losses[contender.name].low or 0.0) > 0

    def _upper(self, contender: Contender) -> float:
        return self.losses[contender.name].high or 0.0


def _advantage_text(contender: Contender, other: Contender) -> str:
    """Return in what an arm is ahead of another one, which it is, with both costs."""
    against = f"({contender.cost_text} against {other.cost_text})"
    if contender.advantage_over(other) == "cheaper":
        return f"cheaper than {other.name} {against}"
    where = "at the same cost" if contender.cost is not None else "while costs cannot be compared"
    return f"simpler than {other.name} {where} {against}"
