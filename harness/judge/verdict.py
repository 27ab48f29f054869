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
from dataclasses import dataclass
from math import ceil

from harness import numbers
from harness.judge.comparison import Check, Loss, Recommendation
from harness.judge.contest import Contest

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
    names = [contender.name for contender in feasible]
    losses = contest.losses(names)
    if len(feasible) == 1:
        only = feasible[0]
        return Recommendation(
            choice=only.name,
            verdict="choose",
            headline=f"Choose {only.name}: it is the only arm that meets every limit.",
            reasons=(f"{only.name} scores {numbers.score(only.score)}; no other arm is feasible.",),
            rejected=rejected,
        )
    candidates = [c for c in feasible if _upper(losses[c.name]) <= margin]
    choice = cheapest(candidates) if candidates else None
    undecided = [
        c
        for c in feasible
        if choice is not None and c.cheaper_than(choice) and (losses[c.name].low or 0.0) <= 0
    ]
    rejected |= _rejections(feasible, candidates, choice, losses, margin)
    if choice is None or undecided:
        return _not_enough(feasible, undecided, contest, losses, margin, rejected)
    return _chosen(choice, candidates, feasible, contest, losses, margin, rejected)


def cheapest(candidates: Sequence[Contender]) -> Contender:
    """Return the cheapest; costs within 5 % of it are equal, then the simplest, then the first.

    Where some cost is not comparable, all are ordered by complexity.
    """
    pool = list(candidates)
    if all(c.cost is not None for c in pool):
        least = min(c.cost for c in pool if c.cost is not None)
        pool = [c for c in pool if c.cost is not None and c.cost <= least * EQUAL_COST]
    return min(pool, key=lambda c: (c.complexity, c.cost or 0.0))


def _nothing_feasible(
    contenders: Sequence[Contender], rejected: dict[str, str]
) -> Recommendation:
    near = min(contenders, key=_total_excess, default=None)
    reasons = ["No arm meets every limit, and no limit was dropped to make one."]
    if near is None:
        reasons = ["No arm finished."]
    elif _total_excess(near) < float("inf"):
        reasons.append(f"Nearest is {near.name}: {rejected[near.name]}.")
    else:
        reasons.append(f"What has to be supplied or changed first: {rejected[near.name]}.")
    return Recommendation(
        choice=None,
        verdict="nothing_feasible",
        headline="Nothing to recommend: no arm meets every limit.",
        reasons=tuple(reasons),
        rejected=rejected,
    )


def _total_excess(contender: Contender) -> float:
    missed = [check for check in contender.checks if check.state != "met"]
    return max(
        (float("inf") if check.excess is None else check.excess for check in missed), default=0.0
    )


def _not_enough(
    feasible: Sequence[Contender],
    undecided: Sequence[Contender],
    contest: Contest,
    losses: Mapping[str, Loss],
    margin: float,
    rejected: dict[str, str],
) -> Recommendation:
    best = max(feasible, key=lambda c: (c.score, -c.complexity))
    cheaper = undecided or [
        c for c in feasible if c.cheaper_than(best) and (losses[c.name].low or 0.0) <= 0
    ]
    reasons = [f"{best.name} scores best ({numbers.score(best.score)}) on {contest.n} test rows."]
    for contender in cheaper:
        loss = losses[contender.name]
        reasons.append(
            f"{contender.name} is cheaper or simpler ({contender.cost_text} against"
            f" {best.cost_text}) and is neither shown worse nor shown to be within"
            f" {numbers.points(margin)}: its loss lies between"
            f" {numbers.points(loss.low or 0.0)} and {numbers.points(_upper(loss))}."
        )
        needed = items_to_settle(loss, margin, contest.n)
        if needed is not None:
            reasons.append(
                f"If its loss is what it looks like ({numbers.points(loss.value or 0.0)}),"
                f" about {numbers.count(needed)} test rows would settle {contender.name}."
            )
    if not cheaper:
        loss = losses[best.name]
        reasons.append(
            f"Its loss to another arm may still be {numbers.points(_upper(loss))}, more than the"
            f" margin of {numbers.points(margin)}."
        )
        needed = items_to_settle(loss, margin, contest.n)
        if needed is not None:
            reasons.append(f"About {numbers.count(needed)} test rows would settle it.")
    for contender in cheaper:
        rejected.pop(contender.name, None)
    rejected.pop(best.name, None)
    return Recommendation(
        choice=best.name,
        verdict="not_enough_evidence",
        provisional=True,
        headline=f"Not enough evidence yet; provisionally {best.name}, which scores best.",
        reasons=tuple(reasons),
        rejected=rejected,
    )


def items_to_settle(loss: Loss, margin: float, n: int) -> int | None:
    """Return how many test rows would show the arm worse, or within the margin.

    Bounds shrink with the square root of n; the loss is taken at its point value. None where
    neither would ever be shown: the loss is just the margin, or unknown.
    """
    if loss.value is None or loss.low is None:
        return None
    ways = []
    if loss.value > 0:
        ways.append(((loss.value - loss.low) / loss.value) ** 2)
    if loss.value < margin:
        ways.append(((_upper(loss) - loss.value) / (margin - loss.value)) ** 2)
    return max(n + 1, ceil(n * min(ways))) if ways else None


def _chosen(
    choice: Contender,
    candidates: Sequence[Contender],
    feasible: Sequence[Contender],
    contest: Contest,
    losses: Mapping[str, Loss],
    margin: float,
    rejected: dict[str, str],
) -> Recommendation:
    intervals = contest.differences(choice.name, [c.name for c in feasible])
    tied = [
        c for c in candidates if c is not choice and intervals[c.name][0] <= 0 <= intervals[c.name][1]
    ]
    loss = losses[choice.name]
    reasons = [
        f"{choice.name} scores {numbers.score(choice.score)} on {contest.n} test rows; with 95 %"
        f" confidence it is at most {numbers.points(_upper(loss))} worse than the best other arm,"
        f" within the margin of {numbers.points(margin)}."
    ]
    if len(candidates) > 1:
        reasons.append(f"Of {len(candidates)} arms within the margin it is the cheapest or simplest"
                       f" ({choice.cost_text}).")
    if (loss.low or 0.0) > 0:
        reasons.append(
            f"It is shown worse than {loss.to}, by {numbers.points(loss.value or 0.0)}:"
            " less than the margin you accept for something cheaper or simpler."
        )
    for contender in tied:
        low, high = intervals[contender.name]
        reasons.append(
            f"{contender.name} cannot be told from it: the difference lies between"
            f" {numbers.points(low)} and {numbers.points(high)}"
            f" ({contender.cost_text} against {choice.cost_text})."
        )
    headline = f"Choose {choice.name}."
    if tied:
        names = " and ".join(c.name for c in tied)
        headline = f"A tie between {choice.name} and {names}: take {choice.name}, the simpler one."
        if any(c.cost is not None and choice.cost is not None and c.cost > choice.cost * EQUAL_COST
               for c in tied):
            headline = headline.replace("the simpler one", "the cheaper one")
    return Recommendation(
        choice=choice.name,
        verdict="tie" if tied else "choose",
        tied_with=tuple(c.name for c in tied),
        headline=headline,
        reasons=tuple(reasons),
        rejected=rejected,
    )


def _rejections(
    feasible: Sequence[Contender],
    candidates: Sequence[Contender],
    choice: Contender | None,
    losses: Mapping[str, Loss],
    margin: float,
) -> dict[str, str]:
    why = {}
    for contender in feasible:
        loss = losses[contender.name]
        if contender is choice:
            continue
        if contender in candidates:
            why[contender.name] = f"within the margin, but not cheaper or simpler ({contender.cost_text})"
        elif (loss.low or 0.0) > 0:
            why[contender.name] = (
                f"shown worse: {numbers.points(loss.value or 0.0)} below {loss.to}"
                f" (at least {numbers.points(loss.low or 0.0)})"
            )
        else:
            why[contender.name] = (
                f"may be {numbers.points(_upper(loss))} worse than the best,"
                f" more than the margin of {numbers.points(margin)}"
            )
    return why


def _upper(loss: Loss) -> float:
    return 0.0 if loss.high is None else loss.high
