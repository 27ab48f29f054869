"""How an arm's probabilities go with what is right: reliability, and accuracy against coverage.

Bins are of equal mass, as those of the calibration error are (diagnostics/calibration.py). The
curve is that of selective prediction (El-Yaniv and Wiener 2010, JMLR 11, 1605-1641): answer the
surest rows, leave the others to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from harness.analysis.examples.row_table import ArmRows, RowTable
from harness.analysis.schema.weaknesses import CoveragePoint, ReliabilityBin, Sureness
from harness.stats.intervals import wilson

MOST_BINS = 10
FEWEST_IN_BIN = 20
"""With fewer the interval of a bin reaches over half of the scale."""
POINTS = 20
"""Of the curve, at the most: each twentieth of the rows."""


def sureness_of(table: RowTable, arm: ArmRows) -> Sureness | None:
    """Return reliability and coverage of an arm; None where it gives no probabilities."""
    known = [
        (answer.sure, table.is_right(answer)) for answer in arm.answers if answer.sure is not None
    ]
    if not known:
        return None
    order = sorted(known, key=lambda one: one[0])
    return Sureness(
        seed=arm.seed,
        bins=tuple(reliability(order)),
        coverage=tuple(coverage(order, len(arm.answers))),
    )


def reliability(ordered: Sequence[tuple[float, bool]]) -> list[ReliabilityBin]:
    """Return bins of equal mass; answers of one probability are never parted.

    Args:
        ordered: (probability, right), the least sure first.
    """
    count = min(MOST_BINS, len(ordered) // FEWEST_IN_BIN)
    if count < 2:
        return []
    sure = np.array([one[0] for one in ordered])
    # Edges by quantile: all answers up to an edge are below it, so equal ones stay together.
    edges = np.quantile(sure, np.arange(1, count) / count)
    places = np.searchsorted(edges, sure, side="left")
    found = []
    for place in range(count):
        members = [one for one, at in zip(ordered, places, strict=True) if at == place]
        if not members:
            continue
        right, n = sum(one[1] for one in members), len(members)
        low, high = wilson(right, n)
        mean = sum(one[0] for one in members) / n
        found.append(ReliabilityBin(sure=mean, right=right / n, ci_low=low, ci_high=high, n=n))
    return found


def coverage(ordered: Sequence[tuple[float, bool]], rows_n: int) -> list[CoveragePoint]:
    """Return accuracy among the surest answers, at growing shares of all rows.

    Answers of one probability are given or left together, so a point may stand a little beyond its
    share.

    Args:
        ordered: (probability, right), the least sure first.
        rows_n: all rows, also those whose answer has no probability.
    """
    surest = ordered[::-1]
    right = np.cumsum([one[1] for one in surest])
    ends = [n for n, (one, after) in enumerate(pairwise(surest), start=1) if one[0] != after[0]]
    ends.append(len(surest))
    wanted = [rows_n * step / POINTS for step in range(1, POINTS + 1)]
    chosen = dict.fromkeys(next((end for end in ends if end >= n), ends[-1]) for n in wanted)
    return [
        CoveragePoint(coverage=n / rows_n, accuracy=float(right[n - 1]) / n, least=surest[n - 1][0])
        for n in chosen
    ]
