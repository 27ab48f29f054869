"""How finely this test set tells the two leading arms apart, from how they really differed."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.run_data import Evidence
from harness.analysis.schema.comparison import Recommendation, Resolution, Row
from harness.analysis.scoring.paired import paired_difference, paired_table
from harness.analysis.scoring.values import statistics
from harness.stats import power
from harness.stats.mcb import Contest


def resolution(
    evidence: Evidence, rows: Sequence[Row], contest: Contest | None, found: Recommendation
) -> Resolution | None:
    """Return what the test set can show of the two best-scoring arms.

    They are taken among those that meet every limit, or, where fewer than two do, among all.

    Args:
        evidence: the facts.
        rows: every arm's row.
        contest: of the arms that finished.
        found: the verdict, whose bounds are wider than those of a pair by itself.

    Returns:
        None where fewer than two arms finished.
    """
    finished = [row for row in rows if row.score and row.score.value is not None]
    finished.sort(key=lambda row: -(row.score.value or 0.0) if row.score else 0.0)
    feasible = [row for row in finished if not row.misses]
    leading = [row.strategy for row in (feasible if len(feasible) > 1 else finished)[:2]]
    if contest is None or len(leading) < 2:
        return None
    arms = {arm.name: arm for arm in evidence.arms}
    metric, clusters = evidence.metric, evidence.truth.clusters
    first, second = (statistics(evidence, arms[name], metric) for name in leading)
    value, low, high = paired_difference(metric, first, second, clusters)
    n, discordance = contest.n, None
    error = contest.standard_error(*leading)
    if table := paired_table(metric, first, second, clusters):
        discordance = sum(table) / n
        error = power.standard_error(discordance, n)
    separated = low > 0 or high < 0
    competing = [row.strategy for row in feasible] if len(feasible) > 1 else []
    return Resolution(
        first=leading[0],
        second=leading[1],
        difference=value,
        discordance=discordance,
        smallest_difference=max(contest.floor, power.smallest_difference(error)),
        smallest_margin=max(contest.floor, power.smallest_margin(error)),
        separated=separated,
        compared=len(competing) or None,
        told_apart=_told_apart(contest, leading, competing, found) if competing else None,
        rows_to_separate=n if separated else _more_than(n, power.rows_to_show(value, error, n)),
        n=n,
    )


def _told_apart(
    contest: Contest, leading: Sequence[str], competing: Sequence[str], found: Recommendation
) -> bool:
    """Tell whether the verdict's own bounds tell the two leading arms apart."""
    first, second = leading
    if found.choice in leading and {first, second} - {found.choice} <= set(found.tied_with):
        return False
    if (contest.losses(competing)[second].low or 0.0) > 0:
        return True
    low, high = contest.differences(first, competing)[second]
    return not low <= 0 <= high


def _more_than(n: int, rows: int | None) -> int | None:
    return None if rows is None else max(n + 1, rows)
