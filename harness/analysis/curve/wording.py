"""Where one arm overtakes another, as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite

from harness.analysis.schema.curve import Crossover
from harness.stats.learning_curve import Crossing


def crossover(first: str, second: str, found: Crossing, sizes: Sequence[int]) -> Crossover:
    """Return a crossover with its sentence.

    Args:
        first: the arm that gains on the other.
        second: the other.
        found: the range, in labels.
        sizes: that both have points at, ascending.
    """
    low = found.low if isfinite(found.low) else None
    high = found.high if isfinite(found.high) else None
    least, most = f"{sizes[0]:,}", f"{sizes[-1]:,}"
    if low is not None and high is not None:
        state = "between"
        text = f"between {about(low)} and {about(high)} labels {first} overtakes {second}"
        if about(low) == about(high):
            text = f"at {about(low)} labels {first} overtakes {second}"
    elif found.high == -inf:
        state, text = "everywhere", f"{first} is ahead of {second} from {least} labels on, or fewer"
    elif found.low == inf:
        state = "nowhere"
        text = f"{first} does not overtake {second} within the {most} labels you have"
    elif low is not None:
        state = "from"
        text = (
            f"{first} overtakes {second} at {about(low)} labels at the earliest, and perhaps not"
            f" within the {most} labels you have"
        )
    elif high is not None:
        state = "until"
        text = (
            f"{first} overtakes {second} by {about(high)} labels at the latest, and perhaps is"
            f" ahead from {least} labels on"
        )
    else:
        state = "unknown"
        text = f"these points cannot tell whether {first} or {second} is ahead at any size"
    return Crossover(first=first, second=second, state=state, low=low, high=high, text=text)


def about(labels: float) -> str:
    """Return a number of labels to two digits: more would be more than is known."""
    return f"about {float(f'{labels:.2g}'):,.0f}"
