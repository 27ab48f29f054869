"""How finely this test set tells the two leading arms apart, from how they really differed."""

from __future__ import annotations

from collections.abc import Sequence

from harness import power
from harness.judge.comparison import Resolution, Row
from harness.judge.contest import Contest
from harness.judge.evidence import Evidence
from harness.judge.pairs import paired_difference, paired_table
from harness.judge.values import statistics


def resolution(
    evidence: Evidence, rows: Sequence[Row], contest: Contest | None
) -> Resolution | None:
    """Return what the test set can show of the two best-scoring arms.

    They are taken among those that meet every limit, or, where fewer than two do, among all.

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
    return Resolution(
        first=leading[0],
        second=leading[1],
        difference=value,
        discordance=discordance,
        smallest_difference=max(contest.floor, power.smallest_difference(error)),
        smallest_margin=max(contest.floor, power.smallest_margin(error)),
        separated=separated,
        rows_to_separate=n if separated else _more_than(n, power.rows_to_show(value, error, n)),
        n=n,
    )


def _more_than(n: int, rows: int | None) -> int | None:
    return None if rows is None else max(n + 1, rows)
