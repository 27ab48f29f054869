"""In what one arm is ahead of another, or behind it, in words: cost, then simplicity.

Each preference has its own words, so that no report calls an arm cheaper or simpler that is
neither.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.analysis.decision.verdict import ArmFigures, Preference, Reason, Verdict
from harness.wording import numbers
from harness.wording.sentences import listed


def preferred(over: Mapping[str, Preference], found: Verdict) -> str:
    """Return what the choice is beside the arms it is preferred to: "the cheaper one"."""
    known = comparable(found, found.choice)
    kinds = list(dict.fromkeys(over.values()))
    if len(kinds) == 1:
        return _preferred_alone(kinds[0], len(over) > 1, known)
    words = {
        Preference.CHEAPER: "cheaper than {}",
        Preference.SIMPLER: f"simpler than {{}}{' at the same cost' if known else ''}",
        Preference.SLIGHTLY_CHEAPER: "as simple as {} and slightly cheaper",
        Preference.FIRST: "named before {}, otherwise alike",
    }
    groups = {kind: listed([name for name in over if over[name] is kind]) for kind in kinds}
    parts = [words[kind].format(group) for kind, group in groups.items()]
    return ", and ".join(parts) + ("" if known else " (costs cannot be compared)")


def _preferred_alone(kind: Preference, several: bool, known: bool) -> str:
    if kind is Preference.CHEAPER:
        return "the cheapest" if several else "the cheaper one"
    unknown = "" if known else "; costs cannot be compared"
    if kind is Preference.SIMPLER:
        which = "the simplest" if several else "the simpler one"
        return f"{which}{' at the same cost' if known else unknown}"
    if kind is Preference.SLIGHTLY_CHEAPER:
        return "the slightly cheaper of equally simple ones"
    alike = "alike in cost and simplicity" if known else "equally simple"
    return f"the first named of arms {alike}{unknown}"


def passed_over(found: Verdict, reason: Reason) -> str:
    """Return in what a candidate is behind the choice."""
    why, choice = found.preferences[reason.arm], reason.others[0]
    known, both = comparable(found, choice), against(found, reason.arm, choice)
    if why is Preference.CHEAPER:
        behind = f"more expensive than {choice} {both}"
    elif why is Preference.SIMPLER:
        where = "at the same cost" if known else "and costs cannot be compared"
        behind = f"less simple than {choice} {where} {both}"
    elif why is Preference.SLIGHTLY_CHEAPER:
        behind = f"slightly more expensive than {choice}, which is as simple {both}"
    elif known:
        behind = f"named after {choice}, which is alike in cost and simplicity"
    else:
        behind = f"named after {choice}, which is as simple; costs cannot be compared"
    return f"within the margin, but {behind}"


def cost_text(arm: ArmFigures) -> str:
    """Return what an arm costs over the horizon, in money where that is known."""
    if arm.total_usd is not None:
        return numbers.usd(arm.total_usd)
    if arm.machine_s is None:
        return "cost unknown"
    return f"{numbers.duration(arm.machine_s)} of machine time"


def against(found: Verdict, first: str, second: str) -> str:
    """Return the costs of two arms beside each other, in brackets."""
    one, other = (cost_text(found.arms[name]) for name in (first, second))
    return f"({one} against {other})"


def advantage(found: Verdict, name: str, over: str) -> str:
    """Return in what an arm is ahead of another one, which it is, with both costs."""
    costs = against(found, name, over)
    if found.arms[name].advantage_over(found.arms[over]) is Preference.CHEAPER:
        return f"cheaper than {over} {costs}"
    where = "at the same cost" if comparable(found, name) else "while costs cannot be compared"
    return f"simpler than {over} {where} {costs}"


def comparable(found: Verdict, name: str | None) -> bool:
    """Tell whether an arm's cost can be compared with those of the others."""
    return name is not None and found.arms[name].cost is not None
