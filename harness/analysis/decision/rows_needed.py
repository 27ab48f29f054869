"""How many test rows would settle what is open, were the further ones like those there are."""

from __future__ import annotations

from collections.abc import Sequence

from harness.stats.mcb import Contest

MOST_ROWS = 10**9
"""What so many rows would not settle, no number does."""


def rows_to_settle(contest: Contest, among: Sequence[str], name: str, margin: float) -> int | None:
    """Return how many test rows would show an arm worse than the best, or within the margin.

    The same bounds are taken on more rows: scores stay as they are, and bounds shrink with the
    square root of the number of rows, the rule of three with the number itself.

    Args:
        contest: the arms' scores and resamples.
        among: the arms that compete.
        name: the arm in question, settled neither way yet.
        margin: the loss of quality that is accepted.

    Returns:
        None where no number of rows would: two arms alike, and a margin of 0.
    """

    def settled(rows: int) -> bool:
        loss = contest.losses(among, rows / contest.n)[name]
        return (loss.low or 0.0) > 0 or (loss.high or 0.0) <= margin

    too_few, enough = contest.n, MOST_ROWS
    if not settled(enough):
        return None
    while enough - too_few > 1:
        middle = (too_few + enough) // 2
        if settled(middle):
            enough = middle
        else:
            too_few = middle
    return enough
