"""What the test rows can be expected to show before anything has run."""

from __future__ import annotations

from harness.stats import power
from harness.store.finding import Finding
from harness.task.audit.clusters import Clusters, independent_rows

DISCORDANCE = 0.10
"""Share of test rows on which two good arms differ, for planning (PEERS: 10 to 30%)."""


CONFIRMABLE, TOO_SMALL = "margin that can be confirmed", "margin too small for the test rows"
"""Kinds of findings."""


def confirmable_margin(n: float, discordance: float = DISCORDANCE) -> float:
    """Return the smallest margin that n test rows can confirm, as a share of the metric's range.

    For two arms that are truly equal and differ on `discordance` of the rows; after the run the
    report gives it from how the leading arms did differ.

    Args:
        n: independent rows; a number that is not whole where rows stand in clusters.
        discordance: share of the rows on which just one of the two is right.
    """
    return power.smallest_margin(power.standard_error(discordance, n))


def expectations(n: int, margin: float, clusters: Clusters) -> tuple[Finding, ...]:
    """Return what n test rows can be expected to show: guesses until arms have run.

    Args:
        n: test rows.
        margin: as a share of the metric's range.
        clusters: that of each row.
    """
    independent = independent_rows(clusters)
    smallest = confirmable_margin(independent)
    said = (
        f"{_rows(n, clusters)} the smallest margin that can be confirmed is about"
        f" {100 * smallest:.1f} points if two arms differ on {100 * DISCORDANCE:.0f}% of rows"
    )
    if independent < n:
        said += (
            f" and the rows of a cluster are alike ({100 * confirmable_margin(n):.1f} if they are"
            " not)"
        )
    size = Finding(kind=CONFIRMABLE, text=f"{said}: a guess until they have run", count=n)
    if margin == 0:
        text = (
            "a margin of 0 accepts no gap: an arm is recommended only if every other arm is"
            " significantly worse; expect 'not enough evidence' between similar arms"
        )
        return size, Finding(
            kind=TOO_SMALL, text=text, severity="warning", remedy="give a `margin`"
        )
    if margin < smallest:
        more = "add test rows" if independent == n else "add test rows of further clusters"
        text = (
            f"the margin of {100 * margin:.1f} points is smaller than that: expect 'not enough"
            " evidence' between similar arms"
        )
        remedy = f"{more}, or accept a larger margin"
        return size, Finding(kind=TOO_SMALL, text=text, severity="warning", remedy=remedy)
    return (size,)


def _rows(n: int, clusters: Clusters) -> str:
    together = {cluster for cluster in clusters if cluster is not None}
    return f"with {n} test rows" + (f" in {len(together)} clusters" if together else "")
