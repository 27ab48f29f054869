"""The verdict's figures as a manager would say them: how many of 100 answers are right.

It counts whole answers. Where the metric gives parts of an answer their due, it says so.
"""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison, ordered
from harness.wording import numbers

UNITS = {"choice": "requests", "json": "records", "text": "questions"}
"""What an answer is of, where the task file does not say (`report: {unit: messages}`)."""


def plain_sentence(comparison: Comparison, of: ArmResult) -> str:
    """Return what an arm gets right in counts, beside the best arm of the other kind.

    Args:
        comparison: all that was found.
        of: whose figures they are: the choice, or the best.
    """
    right = right_share(of)
    if right is None:
        return ""
    unit = unit_of(comparison)
    rival = _rival(comparison, of)
    text = f"{of.strategy} gets {_of_100(right)} of 100 {unit} {_how(comparison)}{rival}."
    return text + _wrong(comparison, right)


def right_share(row: ArmResult) -> float | None:
    """Return the share of test rows that an arm answers fully right; None: not known."""
    if row.fully_right is not None:
        return row.fully_right
    known = {
        score.metric: score.value for score in (*row.also, *([row.score] if row.score else []))
    }
    return next((known[name] for name in ("accuracy", "exact_match") if name in known), None)


def unit_of(comparison: Comparison) -> str:
    """Return what one request is to the user, in the plural."""
    said = (comparison.task.get("report") or {}).get("unit")
    return str(said or UNITS[comparison.task["answer"]["kind"]])


def _how(comparison: Comparison) -> str:
    return "right" if comparison.task["answer"]["kind"] == "choice" else "fully right"


def _of_100(share: float) -> str:
    whole = round(100 * share)
    if 0 < share < 1 and whole in (0, 100):
        return "fewer than 1" if whole == 0 else "more than 99"
    return f"{whole}"


def _rival(comparison: Comparison, of: ArmResult) -> str:
    """Return how the best arm of the other kind does, tuned or not; else the next one."""
    others = [row for row in ordered(comparison) if row.score and row is not of]
    others = [row for row in others if right_share(row) is not None]
    if not others:
        return ""

    def score(row: ArmResult) -> float:
        return (row.score.value or 0.0) if row.score else 0.0

    other_kind = [row for row in others if row.tunes is not None and row.tunes != of.tunes]
    best = max(other_kind or others, key=score)
    right = _of_100(right_share(best) or 0.0)
    if not other_kind:
        return f"; {best.strategy} {right}"
    kind = "the best fine-tuned arm" if best.tunes else "the best arm without fine-tuning"
    return f"; {kind}, {best.strategy}, {right}"


def _wrong(comparison: Comparison, right: float) -> str:
    """Return how many answers a month would not be right, where there is traffic."""
    traffic = comparison.task.get("traffic")
    if not traffic:
        return ""
    monthly = traffic["requests_per_month"]
    wrong = numbers.count(float(f"{(1 - right) * monthly:.2g}"))
    said = "go wrong" if comparison.task["answer"]["kind"] == "choice" else "not be fully right"
    return f" About {wrong} of {numbers.count(monthly)} a month would {said}."
