"""The verdict: one pure rule from scores, bounds, costs and checks to a recommendation.

1. Feasible: every hard limit met by the point value; what is unknown does not meet a limit.
2. Each feasible arm's loss to the best of the others has bounds at 95 % (contest.py).
3. Candidates: upper bound of the loss ≤ margin.
4. Choice: the cheapest candidate; costs within 5 % are equal, then the simpler (contender.py).
5. The first that applies: nothing_feasible; one feasible arm: choose; not_enough_evidence (no
   candidate, or a cheaper feasible arm is neither a candidate nor shown worse); tie; choose
   (hearing.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from harness.analysis.decision.verdict import Contender
from harness.analysis.decision.wording import Hearing
from harness.analysis.schema.comparison import Recommendation
from harness.stats.mcb import Contest
from harness.wording import numbers


def decide(
    contenders: Sequence[Contender],
    contest: Contest,
    margin: float,
    absent: Mapping[str, str] | None = None,
) -> Recommendation:
    """Apply the rule.

    Args:
        contenders: the arms that finished.
        contest: their scores and joint resamples, for any subset of them.
        margin: the loss of quality that is accepted for something cheaper or simpler.
        absent: why each other arm of the task is not among them.
    """
    absent = absent or {}
    feasible = [contender for contender in contenders if contender.feasible]
    rejected = {
        c.name: "; ".join(check.text for check in c.checks if check.state != "met")
        for c in contenders
        if not c.feasible
    }
    if not feasible:
        found = _nothing_feasible(contenders, rejected)
    elif len(feasible) == 1:
        found = _only(feasible[0], len(contenders), len(absent))
    else:
        found = _hearing(feasible, contest, margin).ruling()
    answer = _answer(found, contenders)
    beside = (_other_kind(found, contenders),) if answer else ()
    return found.model_copy(
        update={
            "headline": answer + found.headline,
            "reasons": (*found.reasons, *beside),
            "rejected": {**rejected, **found.rejected, **absent},
        }
    )


def _hearing(feasible: Sequence[Contender], contest: Contest, margin: float) -> Hearing:
    if any(contender.cost is None for contender in feasible):
        # Some cost cannot be compared: one order for all, by complexity, or the cheapest would be
        # found by one rule and held against the others by another.
        feasible = [replace(contender, cost=None) for contender in feasible]
    losses = contest.losses([contender.name for contender in feasible])
    return Hearing(tuple(feasible), contest, losses, margin)


def _only(only: Contender, finished: int, absent: int) -> Recommendation:
    """Choose the one feasible arm, and say what became of the others, if there are some."""
    if finished > 1:
        why = "the only arm that meets every limit"
        others = "no other arm that finished meets every limit"
    elif absent:
        why, others = "the only arm that finished", "there is nothing to hold it against"
    else:
        why, others = "the only arm in the task", "there is nothing to hold it against"
    return Recommendation(
        choice=only.name,
        verdict="choose",
        headline=f"Choose {only.name}: it is {why}.",
        reasons=(f"{only.name} scores {numbers.score(only.score)}; {others}.",),
    )


def _answer(found: Recommendation, contenders: Sequence[Contender]) -> str:
    """Answer the question that everybody asks, where a tuned and an untuned arm competed.

    What is out for a figure that is not known did not compete: the figure may be to its favour.
    """
    tuned = {c.name for c in contenders if c.tuned}
    if found.choice is None or found.provisional or not tuned or len(tuned) == len(contenders):
        return ""
    chose_tuned = found.choice in tuned
    if any(c.undecided for c in contenders if c.tuned != chose_tuned):
        return ""
    return f"Fine-tuning is {'' if chose_tuned else 'not '}worth it here. "


def _other_kind(found: Recommendation, contenders: Sequence[Contender]) -> str:
    """Hold the best arm of the kind that was not chosen, tuned or untuned, against the choice."""
    choice = next(c for c in contenders if c.name == found.choice)
    others = [c for c in contenders if c.tuned != choice.tuned]
    feasible = [c for c in others if c.feasible]
    best = max(feasible or others, key=lambda c: c.score)
    kind = "untuned" if choice.tuned else "tuned"
    if not feasible:
        which = f"No {kind} arm meets every limit; the best, {best.name},"
    elif len(feasible) < len(others):
        which = f"The best {kind} arm that meets every limit, {best.name},"
    else:
        which = f"The best {kind} arm, {best.name},"
    more = best.score - choice.score
    by = f"{numbers.points(abs(more))} {'more' if more > 0 else 'less'} than"
    return (
        f"{which} scores {numbers.score(best.score)}, {by if more else 'as much as'} {choice.name}"
        f" ({best.cost_text} against {choice.cost_text})."
    )


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
        reasons.append(
            f"What has to be supplied or changed first, for {near.name}: {rejected[near.name]}."
        )
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
