"""What each kind of verdict is called on a page."""

from harness.analysis import Comparison

VERDICTS = {
    "choose": "Choose",
    "tie": "Tie",
    "not_enough_evidence": "Not enough evidence",
    "nothing_feasible": "Nothing feasible",
}


def badge(comparison: Comparison) -> str:
    """Return how firm a verdict is, in a few words."""
    found = comparison.recommendation
    if found.verdict == "choose" and not found.provisional:
        return "Of the arms that ran" if is_partial(comparison) else "Strong evidence"
    if found.verdict == "choose":
        return "Provisional choice"
    return VERDICTS[found.verdict] + (" (provisional)" if found.provisional else "")


def is_partial(comparison: Comparison) -> bool:
    """Whether arms of the task have not run: one of them may be better than all that have."""
    return any(arm.status == "skipped" for arm in comparison.arms)
