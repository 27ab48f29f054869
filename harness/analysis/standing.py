"""How arms stand when the rule has been applied: their order, and each one's status in its words.

The choice comes first, then what is tied with it, the arms within the margin, the undecided and the
significantly worse ones, those over a limit, those that failed; in each group the better score
first. Tables on a screen and in a report read the same.
"""

from __future__ import annotations

from harness.analysis.schema.comparison import ArmResult, Comparison

CHOSEN, PROVISIONAL, TIED = "chosen", "provisional", "tied"
WITHIN, UNDECIDED, WORSE = "within the margin", "undecided", "significantly worse"
OVER, LACKING, LIMIT_UNKNOWN = "over a limit", "misses a need", "a limit is unknown"
STOPPED = {
    "failed": "failed",
    "timeout": "failed: timed out",
    "out_of_memory": "failed: out of memory",
    "skipped": "not run",
}
ORDER = (
    CHOSEN, PROVISIONAL, TIED, WITHIN, UNDECIDED, WORSE, LIMIT_UNKNOWN, OVER, LACKING,
    *STOPPED.values(),
)  # fmt: skip


def ordered(comparison: Comparison) -> list[ArmResult]:
    """Return the arms in the rule's order, the better score first among equals."""

    def place(arm: ArmResult) -> tuple[int, float]:
        score = arm.score.value if arm.score else None
        return ORDER.index(status(arm, comparison)), 0.0 if score is None else -score

    return sorted(comparison.arms, key=place)


def status(arm: ArmResult, comparison: Comparison) -> str:
    """Return what the rule found of an arm, in its own words."""
    found = comparison.recommendation
    if arm.status != "ok":
        return STOPPED[arm.status]
    if arm.strategy == found.choice:
        return PROVISIONAL if found.provisional else CHOSEN
    if missed := [check.key for check in arm.checks if check.state == "missed"]:
        return OVER if any(key.startswith("limits.") for key in missed) else LACKING
    if any(check.state == "unknown" for check in arm.checks):
        return LIMIT_UNKNOWN
    return TIED if arm.strategy in found.tied_with else _standing(arm, comparison)


def _standing(arm: ArmResult, comparison: Comparison) -> str:
    """Return how an arm that meets every limit stands to the best of the others."""
    gap = arm.gap_to_best
    if gap.high is not None and gap.high <= comparison.task["margin"]:
        return WITHIN
    return WORSE if gap.low is not None and gap.low > 0 else UNDECIDED
