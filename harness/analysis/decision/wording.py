"""The verdict in sentences: headline, reasons, and why each other arm is not chosen.

Each reason code has one text. Decides nothing and computes no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.analysis.decision import advantages
from harness.analysis.decision.verdict import Code, Preference, Reason, Verdict
from harness.analysis.schema.comparison import Recommendation
from harness.wording import numbers
from harness.wording.sentences import listed

Text = Callable[[Verdict, Reason], str]


def recommendation(
    found: Verdict, rows_needed: Mapping[str, int | None], absent: Mapping[str, str]
) -> Recommendation:
    """Return a verdict in words.

    Args:
        found: by the rule.
        rows_needed: test rows that would decide about each undecided arm; None: no number would.
        absent: why each other arm of the task did not finish.
    """
    reasons, told = [], {}
    for reason in found.reasons:
        reasons.append(_TEXTS[reason.code](found, reason))
        if reason.code in (Code.MAY_BE_GOOD_ENOUGH, Code.LEAD_UNDECIDED):
            told[reason.arm] = rows_needed.get(reason.arm)
            reasons += _rows_needed(reason, told[reason.arm])
    rejected = {name: _TEXTS[why.code](found, why) for name, why in found.rejected.items()}
    return Recommendation(
        choice=found.choice,
        verdict=found.name,
        provisional=found.provisional,
        tied_with=found.tied_with,
        headline=_headline(found),
        reasons=tuple(reasons),
        rejected={**rejected, **absent},
        rows_needed=told,
        unsteady=tuple(r.arm for r in found.reasons if r.code is Code.UNSTEADY),
    )


def _headline(found: Verdict) -> str:
    choice = found.choice or ""
    pays = {True: "Fine-tuning is worth it here. ", False: "Fine-tuning is not worth it here. "}
    answer = "" if found.tuning_pays is None else pays[found.tuning_pays]
    first = found.reasons[0].code
    if found.choice is None:
        why = "no arm finished" if first is Code.NONE_FINISHED else "no arm meets every limit"
        return f"Nothing to recommend: {why}."
    if found.provisional and (unsteady := _unsteady_first(found)):
        return f"Not enough evidence: {unsteady}. Provisional choice: {choice}, which scores best."
    if found.provisional:
        undecided = f"{answer}Which arm to take is undecided"
        still = undecided if answer else "Not enough evidence yet"
        return f"{still}. Provisional choice: {choice}, which scores best."
    if first in _ONLY:
        return f"{answer}Choose {choice}: it is {_ONLY[first]}."
    if found.tied_with:
        which = advantages.preferred(
            {name: found.preferences[name] for name in found.tied_with}, found
        )
        names = listed([choice, *found.tied_with])
        return f"{answer}A tie between {names}: take {choice}, {which}."
    return f"{answer}Choose {choice}."


def _unsteady_first(found: Verdict) -> str | None:
    """Return that the verdict fails for unsteady trainings alone, if it does."""
    reasons = [reason for reason in found.reasons if reason.code is Code.UNSTEADY]
    if not reasons or found.undecided:
        return None
    parts = [f"{reason.arm} scores {_low_to_high(reason)}" for reason in reasons]
    tuned = all(found.arms[reason.arm].tuned for reason in reasons)
    what = "tuning is" if tuned else "training is"
    return f"{what} unsteady here ({', '.join(parts)} from one training to the next)"


_ONLY = {
    Code.ONLY_FEASIBLE: "the only arm that meets every limit",
    Code.ONLY_FINISHED: "the only arm that finished",
    Code.ONLY_ARM: "the only arm in the task",
}


def _only(found: Verdict, reason: Reason) -> str:
    why = "there is no other arm to compare it with"
    if reason.code is Code.ONLY_FEASIBLE:
        why = "no other arm that finished meets every limit"
    return f"{reason.arm} scores {numbers.score(found.arms[reason.arm].score)}; {why}."


def _good_enough(found: Verdict, reason: Reason) -> str:
    how = "no other arm is better"
    if reason.code is Code.WITHIN_MARGIN:
        how = (
            f"it is at most {_high(reason)} below the best other arm, within the margin of"
            f" {numbers.points(found.margin)}"
        )
    score = numbers.score(found.arms[reason.arm].score)
    rows = numbers.count(found.n)
    return f"{reason.arm} scores {score} on {rows} test rows. With 95% confidence {how}."


def _why_preferred(found: Verdict, reason: Reason) -> str:
    kinds = set(found.preferences.values())
    equal = advantages.comparable(found, reason.arm) and kinds != {Preference.CHEAPER}
    rule = "; costs within 5% count as the same" if equal else ""
    which = advantages.preferred(found.preferences, found)
    costs = advantages.cost_text(found.arms[reason.arm])
    return f"Of the {len(reason.others) + 1} arms within the margin it is {which} ({costs}{rule})."


def _not_the_best(found: Verdict, reason: Reason) -> str:
    return (
        f"It is significantly worse than the best arm, {reason.gap.to}, which scores"
        f" {_value(reason)} more. That is within the margin you accept for something cheaper or"
        " simpler."
    )


def _no_clear_difference(found: Verdict, reason: Reason) -> str:
    low, high = reason.interval
    choice = reason.others[0]
    return (
        f"{reason.arm} and {choice} do not differ significantly: the difference is between"
        f" {numbers.points(low)} and {numbers.points(high)}"
        f" {advantages.against(found, reason.arm, choice)}."
    )


def _best_score(found: Verdict, reason: Reason) -> str:
    score, rows = numbers.score(found.arms[reason.arm].score), numbers.count(found.n)
    return f"{reason.arm} scores best ({score}) on {rows} test rows."


def _waits_for(found: Verdict, reason: Reason) -> str:
    costs = advantages.cost_text(found.arms[reason.arm])
    are = f"{listed(reason.others)} {'is' if len(reason.others) == 1 else 'are'}"
    return (
        f"{reason.arm} is within the margin of {numbers.points(found.margin)} ({costs}). It cannot"
        f" be recommended while {are} undecided."
    )


def _may_be_good_enough(found: Verdict, reason: Reason) -> str:
    low = numbers.points(reason.gap.low or 0.0)
    ahead = advantages.advantage(found, reason.arm, reason.others[0])
    return (
        f"{reason.arm} is {ahead} and might be good enough, but the data cannot tell: its gap to"
        f" the best other arm is between {low} and {_high(reason)}, and the margin is"
        f" {numbers.points(found.margin)}."
    )


def _lead_undecided(found: Verdict, reason: Reason) -> str:
    over = reason.others
    ahead = f" It is {advantages.advantage(found, reason.arm, over[0])}." if over else ""
    return (
        f"{reason.arm} may still be {_high(reason)} below another arm, more than the margin of"
        f" {numbers.points(found.margin)}.{ahead}"
    )


def _rows_needed(reason: Reason, rows: int | None) -> Iterable[str]:
    if rows is not None:
        yield (
            f"If the true gap of {reason.arm} is the one found ({_value(reason)}), about"
            f" {numbers.count(rows)} test rows would decide about it."
        )


_OTHER_KIND = {
    Code.BEST_OF_OTHER_KIND: "The best {} arm, {},",
    Code.BEST_FEASIBLE_OF_OTHER_KIND: "The best {} arm that meets every limit, {},",
    Code.NONE_FEASIBLE_OF_OTHER_KIND: "No {} arm meets every limit. The best, {},",
}


def _best_of_other_kind(found: Verdict, reason: Reason) -> str:
    best, choice = found.arms[reason.arm], found.arms[reason.others[0]]
    which = _OTHER_KIND[reason.code].format("untuned" if choice.tuned else "tuned", best.name)
    more = best.score - choice.score
    by = f"{numbers.points(abs(more))} {'more' if more > 0 else 'less'} than"
    return (
        f"{which} scores {numbers.score(best.score)}, {by if more else 'as much as'} {choice.name}"
        f" {advantages.against(found, best.name, choice.name)}."
    )


def _tuning_open(found: Verdict, reason: Reason) -> str:
    arms = [found.arms[name] for name in reason.others]
    shares = listed([f"{arm.name} ({numbers.percent(arm.lost_share or 0.0)})" for arm in arms])
    scores = "its score says" if len(arms) == 1 else "their scores say"
    return (
        f"Whether fine-tuning is worth it is left open: most answers of {shares} were cut or could"
        f" not be read, so {scores} little of what can be done."
    )


def _unsteady(found: Verdict, reason: Reason) -> str:
    each = reason.trainings
    assert each is not None
    allowed = numbers.points(each.allowed)
    which = f"the margin of {allowed}" if each.by_margin else f"{allowed}, as no margin is given"
    return (
        f"{reason.arm} is unsteady: its {len(each.each)} trainings score {_low_to_high(reason)}, a"
        f" standard deviation of {numbers.points(each.spread)}, more than {which}. With another of"
        " them the verdict is another, so none rests on it → train it with more seeds, or with"
        " settings that differ less from training to training."
    )


def _low_to_high(reason: Reason) -> str:
    assert reason.trainings is not None
    low, high = reason.trainings.range
    return f"{numbers.score(low)} to {numbers.score(high)}"


def _misses(found: Verdict, reason: Reason) -> str:
    return "; ".join(check.text for check in found.arms[reason.arm].missing)


def _significantly_worse(found: Verdict, reason: Reason) -> str:
    least = numbers.points(reason.gap.low or 0.0)
    return (
        f"significantly worse than the best arm: {_value(reason)} below {reason.gap.to} (at least"
        f" {least}, for this arm by itself)"
    )


def _undecided(found: Verdict, reason: Reason) -> str:
    return (
        f"undecided: it may be {_high(reason)} below the best arm, more than the margin of"
        f" {numbers.points(found.margin)}"
    )


def _waits_too(found: Verdict, reason: Reason) -> str:
    names = listed(found.undecided)
    ahead = advantages.advantage(found, reason.arm, reason.others[0])
    are = "is" if len(found.undecided) == 1 else "are"
    return f"within the margin and {ahead}, but {names} {are} undecided"


def _no_advantage(found: Verdict, reason: Reason) -> str:
    best = reason.others[0]
    if not advantages.comparable(found, reason.arm):
        return f"within the margin, but not simpler than {best}; costs cannot be compared"
    return (
        f"within the margin, but not cheaper than {best}, nor simpler at the same cost"
        f" {advantages.against(found, reason.arm, best)}"
    )


_TEXTS: Mapping[Code, Text] = {
    **dict.fromkeys(_ONLY, _only),
    **dict.fromkeys((Code.NO_OTHER_BETTER, Code.WITHIN_MARGIN), _good_enough),
    **dict.fromkeys(_OTHER_KIND, _best_of_other_kind),
    Code.PREFERRED: _why_preferred,
    Code.TUNING_OPEN: _tuning_open,
    Code.NOT_THE_BEST: _not_the_best,
    Code.NO_CLEAR_DIFFERENCE: _no_clear_difference,
    Code.BEST_SCORE: _best_score,
    Code.WAITS_FOR: _waits_for,
    Code.MAY_BE_GOOD_ENOUGH: _may_be_good_enough,
    Code.LEAD_UNDECIDED: _lead_undecided,
    Code.NONE_FINISHED: lambda found, reason: "No arm finished.",
    Code.NONE_FEASIBLE: lambda found, reason: (
        "No arm meets every limit, and no limit was dropped to make one feasible."
    ),
    Code.NEAREST: lambda found, reason: f"{reason.arm} is nearest: {_misses(found, reason)}.",
    Code.SUPPLY_FIRST: lambda found, reason: (
        f"Supply or change this first, for {reason.arm}: {_misses(found, reason)}."
    ),
    Code.OVER_A_LIMIT: _misses,
    Code.PASSED_OVER: advantages.passed_over,
    Code.SIGNIFICANTLY_WORSE: _significantly_worse,
    Code.UNDECIDED: _undecided,
    Code.WAITS_TOO: _waits_too,
    Code.NO_ADVANTAGE: _no_advantage,
    Code.UNSTEADY: _unsteady,
    Code.WAITS_FOR_STEADY: lambda found, reason: (
        f"within the margin, but not chosen while {listed(reason.others)}"
        f" {'is' if len(reason.others) == 1 else 'are'} unsteady"
    ),
}


def _value(reason: Reason) -> str:
    return numbers.points(reason.gap.value or 0.0)


def _high(reason: Reason) -> str:
    return numbers.points(reason.gap.high)
