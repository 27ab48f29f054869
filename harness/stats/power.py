"""What a paired comparison with a given standard error can show: before a run and after it.

The one home of these formulas: `check` plans with a guessed share of differing rows, the report
uses what the run found. Knows neither tasks nor arms nor metrics.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist

POWER = 0.80
"""How often a test set is to show what is true."""


def standard_error(discordance: float, n: float) -> float:
    """Return the standard error of the difference of two 0/1 scores of truly equal arms.

    Args:
        discordance: share of the rows on which just one of the two is right.
        n: independent rows that both answered; need not be whole where rows stand in clusters.
    """
    return sqrt(discordance / n)


def smallest_margin(error: float) -> float:
    """Return the smallest margin that can be confirmed with this standard error.

    The one-sided 95% bound of two truly equal arms falls below it in 80% of test sets
    (Miller 2024, arXiv 2411.00640, section 5).
    """
    return _reach(0.95) * error


def smallest_difference(error: float) -> float:
    """Return the smallest true difference whose 95% interval excludes 0 in 80% of test sets."""
    return _reach(0.975) * error


def rows_to_show(difference: float, error: float, n: int) -> int | None:
    """Return how many rows such a difference needs, errors shrinking with the square root.

    Args:
        difference: the true difference; of 0 no number of rows shows anything: None.
        error: standard error on n rows.
        n: rows there are.
    """
    if difference == 0:
        return None
    return max(1, ceil(n * (smallest_difference(error) / difference) ** 2))


def _reach(level: float) -> float:
    normal = NormalDist()
    return normal.inv_cdf(level) + normal.inv_cdf(POWER)
