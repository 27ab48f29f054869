"""What each kind of verdict is called on a page."""

from harness.analysis import Recommendation

VERDICTS = {
    "choose": "Choose",
    "tie": "Tie",
    "not_enough_evidence": "Not enough evidence",
    "nothing_feasible": "Nothing feasible",
}


def badge(found: Recommendation) -> str:
    """Return how firm a verdict is, in two or three words."""
    if found.verdict == "choose":
        return "Provisional choice" if found.provisional else "Strong evidence"
    return VERDICTS[found.verdict] + (" (provisional)" if found.provisional else "")
