"""What would change the choice, in words. Tries nothing and computes no figure (sensitivity.py)."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.decision.sensitivity import Change, Kind
from harness.analysis.schema.comparison import Flip
from harness.wording import numbers
from harness.wording.sentences import listed


def flip(change: Change) -> Flip:
    """Return in words what would change the choice."""
    words, again = _changed(change), change.again
    whose = "nothing" if again.choice is None else again.choice
    how = " provisionally" if again.provisional else ""
    if change.kind is Kind.BORDERLINE:
        if_so = "Met" if change.check and change.check.state == "missed" else "Missed"
        text = f"{words}. {if_so}, {whose} would be chosen{how}."
    elif change.kind is Kind.SCORE and whose == change.arm:
        text = f"{whose} would be chosen{how} if it gained {_gain(change)}."
    else:
        text = f"{whose} would be chosen{how} with {words}."
    text = text[0].upper() + text[1:] if whose == "nothing" else text
    return Flip(
        change=words,
        choice=again.choice,
        text=text,
        key=change.key,
        value=change.value,
        now=change.now,
    )


def tried(kind: Kind, charging: Sequence[str]) -> str:
    """Return a kind of change in words.

    Args:
        kind: that was tried.
        charging: who charges for requests.
    """
    if kind is Kind.REQUEST_PRICE:
        return f"other prices of requests to {listed(charging)}"
    return {
        Kind.BORDERLINE: "limits within the error of a measurement",
        Kind.MARGIN: "other margins",
        Kind.VOLUME: "other volumes",
        Kind.MACHINE_PRICE: "other prices of the machine",
        Kind.LABEL_PRICE: "other prices of labels",
        Kind.LIMIT: "other limits",
        Kind.SCORE: "higher scores of other arms",
    }[kind]


def _changed(change: Change) -> str:
    """Return what is changed, and to what."""
    value, now = change.value or 0.0, change.now
    if change.kind is Kind.BORDERLINE:
        text = change.check.text if change.check else ""
        return f"{change.arm}: {text} is within the measurement error"
    times = numbers.significant(value / now, 2) if now else ""
    model = change.key.removeprefix("charge.")
    monthly = numbers.count(value) if value >= 100 else f"{value:g}"
    return {
        Kind.MARGIN: f"a margin {'below' if value < now else 'above'} {numbers.points(value)}",
        Kind.VOLUME: f"{monthly} requests a month",
        Kind.MACHINE_PRICE: f"a machine at ${value:g} an hour ({times} times its price)",
        Kind.REQUEST_PRICE: f"requests to {model} at {value:g} times their price",
        Kind.LABEL_PRICE: f"labels at ${value:g} each",
        Kind.LIMIT: f"{change.key} at {value:g}",
        Kind.SCORE: f"{change.arm} scoring {numbers.points(value)} more",
    }[change.kind]


def _gain(change: Change) -> str:
    """Return by how much an arm's score is raised: "13.3 points (0.560 → 0.693)"."""
    by = change.value or 0.0
    both = f"{numbers.score(change.now)} → {numbers.score(change.now + by)}"
    return f"{numbers.points(by)} ({both})"
