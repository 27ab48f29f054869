"""The verdict in sentences: headline, reasons, and why each other arm is not chosen.

Each reason code has one text. Decides nothing and computes no figure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.analysis.decision.verdict import ArmFigures, Code, Preference, Reason, Verdict
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
    reasons = []
    for reason in found.reasons:
        reasons.append(_TEXTS[reason.code](found, reason))
        if reason.code in (Code.MAY_BE_GOOD_ENOUGH, Code.LEAD_UNDECIDED):
            reasons += _rows_needed(reason, rows_needed.get(reason.arm))
    rejected = {name: _TEXTS[why.code](found, why) for name, why in found.rejected.items()}
    return Recommendation(
        choice=found.choice,
        verdict=found.name,
        provisional=found.provisional,
        tied_with=found.tied_with,
        headline=_headline(found),
        reasons=tuple(reasons),
        rejected={**rejected, **absent},
    )


def _headline(found: Verdict) -> str:
    choice = found.choice or ""
    pays = {True: "Fine-tuning is worth it here. ", False: "Fine-tuning is not worth it here. "}
    answer = "" if found.tuning_pays is None else pays[found.tuning_pays]
    first = found.reasons[0].code
    if found.choice is None:
        why = "no arm finished" if first is Code.NONE_FINISHED else "no arm meets every limit"
        return f"Nothing to recommend: {why}."
    if found.provisional:
        return f"Not enough evidence yet. Provisional choice: {choice}, which scores best."
    if first in _ONLY:
        return f"{answer}Choose {choice}: it is {_ONLY[first]}."
    if found.tied_with:
        which = _preferred({name: found.preferences[name] for name in found.tied_with}, found)
        names = listed([choice, *found.tied_with])
        return f"{answer}A tie between {names}: take {choice}, {which}."
    return f"{answer}Choose {choice}."


_ONLY = {
    Code.ONLY_FEASIBLE: "the only arm that meets every limit",
    Code.ONLY_FINISHED: "the only arm that finished",
    Code.ONLY_ARM: "the only arm in the task",
}


def _preferred(over: Mapping[str, Preference], found: Verdict) -> str:
    """Return what the choice is beside the arms it is preferred to: "the cheaper one"."""
    comparable = _comparable(found, found.choice)
    kinds = list(dict.fromkeys(over.values()))
    if len(kinds) == 1:
        return _preferred_alone(kinds[0], len(over) > 1, comparable)
    words = {
        Preference.CHEAPER: "cheaper than {}",
        Preference.SIMPLER: f"simpler than {{}}{' at the same cost' if comparable else ''}",
        Preference.SLIGHTLY_CHEAPER: "as simple as {} and slightly cheaper",
        Preference.FIRST: "named before {}, otherwise alike",
    }
    groups = {kind: listed([name for name in over if over[name] is kind]) for kind in kinds}
    parts = [words[kind].format(group) for kind, group in groups.items()]
    return ", and ".join(parts) + ("" if comparable else " (costs cannot be compared)")


def _preferred_alone(kind: Preference, several: bool, comparable: bool) -> str:
    if kind is Preference.CHEAPER:
        return "the cheapest" if several else "the cheaper one"
    unknown = "" if comparable else "; costs cannot be compared"
    if kind is Preference.SIMPLER:
        which = "the simplest" if several else "the simpler one"
        return f"{which}{' at the same cost' if comparable else unknown}"
    if kind is Preference.SLIGHTLY_CHEAPER:
        return "the slightly cheaper of equally simple ones"
    alike = "alike in cost and simplicity" if comparable else "equally simple"
    return f"the first named of arms {alike}{unknown}"


def _passed_over(found: Verdict, reason: Reason) -> str:
    """Return in what a candidate is behind the choice."""
    why, choice = found.preferences[reason.arm], reason.others[0]
    comparable, against = _comparable(found, choice), _against(found, reason.arm, choice)
    if why is Preference.CHEAPER:
        behind = f"more expensive than {choice} {against}"
    elif why is Preference.SIMPLER:
        where = "at the same cost" if comparable else "and costs cannot be compared"
        behind = f"less simple than {choice} {where} {against}"
    elif why is Preference.SLIGHTLY_CHEAPER:
        behind = f"slightly more expensive than {choice}, which is as simple {against}"
    elif comparable:
        behind = f"named after {choice}, which is alike in cost and simplicity"
    else:
        behind = f"named after {choice}, which is as simple; costs cannot be compared"
    return f"within the margin, but {behind}"


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
    equal = _comparable(found, reason.arm) and kinds != {Preference.CHEAPER}
    rule = "; costs within 5% count as the same" if equal else ""
    which = _preferred(found.preferences, found)
    costs = cost_text(found.arms[reason.arm])
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
        f" {_against(found, reason.arm, choice)}."
    )


def _best_score(found: Verdict, reason: Reason) -> str:
    score, rows = numbers.score(found.arms[reason.arm].score), numbers.count(found.n)
    return f"{reason.arm} scores best ({score}) on {rows} test rows."


def _waits_for(found: Verdict, reason: Reason) -> str:
    costs = cost_text(found.arms[reason.arm])
    are = f"{listed(reason.others)} {'is' if len(reason.others) == 1 else 'are'}"
    return (
        f"{reason.arm} is within the margin of {numbers.points(found.margin)} ({costs}). It cannot"
        f" be recommended while {are} undecided."
    )


def _may_be_good_enough(found: Verdict, reason: Reason) -> str:
    low = numbers.points(reason.gap.low or 0.0)
    return (
        f"{reason.arm} is {_advantage(found, reason.arm, reason.others[0])} and might be good"
        f" enough, but the data cannot tell: its gap to the best other arm is between {low} and"
        f" {_high(reason)}, and the margin is {numbers.points(found.margin)}."
    )


def _lead_undecided(found: Verdict, reason: Reason) -> str:
    ahead = ""
    if reason.others:
        ahead = f" It is {_advantage(found, reason.arm, reason.others[0])}."
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


def _best_of_other_kind(found: Verdict, reason: Reason) -> str:
    best, choice = found.arms[reason.arm], found.arms[reason.others[0]]
    kind = "untuned" if choice.tuned else "tuned"
    which = {
        Code.BEST_OF_OTHER_KIND: f"The best {kind} arm, {best.name},",
        Code.BEST_FEASIBLE_OF_OTHER_KIND: f"The best {kind} arm that meets every limit,"
        f" {best.name},",
        Code.NONE_FEASIBLE_OF_OTHER_KIND: f"No {kind} arm meets every limit. The best,"
        f" {best.name},",
    }[reason.code]
    more = best.score - choice.score
    by = f"{numbers.points(abs(more))} {'more' if more > 0 else 'less'} than"
    return (
        f"{which} scores {numbers.score(best.score)}, {by if more else 'as much as'} {choice.name}"
        f" {_against(found, best.name, choice.name)}."
    )


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
    ahead = _advantage(found, reason.arm, reason.others[0])
    are = "is" if len(found.undecided) == 1 else "are"
    return f"within the margin and {ahead}, but {names} {are} undecided"


def _no_advantage(found: Verdict, reason: Reason) -> str:
    best = reason.others[0]
    if not _comparable(found, reason.arm):
        return f"within the margin, but not simpler than {best}; costs cannot be compared"
    return (
        f"within the margin, but not cheaper than {best}, nor simpler at the same cost"
        f" {_against(found, reason.arm, best)}"
    )


_TEXTS: Mapping[Code, Text] = {
    Code.ONLY_FEASIBLE: _only,
    Code.ONLY_FINISHED: _only,
    Code.ONLY_ARM: _only,
    Code.NO_OTHER_BETTER: _good_enough,
    Code.WITHIN_MARGIN: _good_enough,
    Code.PREFERRED: _why_preferred,
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
    Code.BEST_OF_OTHER_KIND: _best_of_other_kind,
    Code.BEST_FEASIBLE_OF_OTHER_KIND: _best_of_other_kind,
    Code.NONE_FEASIBLE_OF_OTHER_KIND: _best_of_other_kind,
    Code.OVER_A_LIMIT: _misses,
    Code.PASSED_OVER: _passed_over,
    Code.SIGNIFICANTLY_WORSE: _significantly_worse,
    Code.UNDECIDED: _undecided,
    Code.WAITS_TOO: _waits_too,
    Code.NO_ADVANTAGE: _no_advantage,
}


def cost_text(arm: ArmFigures) -> str:
    """Return what an arm costs over the horizon, in money where that is known."""
    if arm.total_usd is not None:
        return numbers.usd(arm.total_usd)
    if arm.machine_s is None:
        return "cost unknown"
    return f"{numbers.duration(arm.machine_s)} of machine time"


def _against(found: Verdict, first: str, second: str) -> str:
    one, other = (cost_text(found.arms[name]) for name in (first, second))
    return f"({one} against {other})"


def _advantage(found: Verdict, name: str, over: str) -> str:
    """Return in what an arm is ahead of another one, which it is, with both costs."""
    against = _against(found, name, over)
    if found.arms[name].advantage_over(found.arms[over]) is Preference.CHEAPER:
        return f"cheaper than {over} {against}"
    where = "at the same cost" if _comparable(found, name) else "while costs cannot be compared"
    return f"simpler than {over} {where} {against}"


def _comparable(found: Verdict, name: str | None) -> bool:
    return name is not None and found.arms[name].cost is not None


def _value(reason: Reason) -> str:
    return numbers.points(reason.gap.value or 0.0)


def _high(reason: Reason) -> str:
    return numbers.points(reason.gap.high)
