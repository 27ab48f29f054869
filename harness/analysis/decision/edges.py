"""Where the rule has something to decide anew as one value moves, and the nearest that flips it.

Between two neighbouring edges (a price at which two costs cross, a limit met or missed, …) nothing
changes; so one value just beyond each edge is tried, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations, pairwise
from math import ceil, floor, log10

from harness.analysis.cost import cost
from harness.analysis.cost.volume import root
from harness.analysis.decision.inputs import Bench
from harness.analysis.decision.verdict import EQUAL_COST
from harness.analysis.schema.comparison import Recommendation

MOST_TRIED = 200
"""Edges on one side that are tried; of more, evenly many."""
At = Callable[[float], Bench]
"""The bench, with the value that moves set to this."""


def cost_edges(at: At, segment: tuple[float, float]) -> Iterator[float]:
    """Yield where the costs of two feasible arms cross, or become or cease to be equal.

    Costs are straight lines in what is changed, within the segment.
    """
    low, high = _inside(segment)
    one = {c.name: c.cost for c in at(low).contenders() if c.cost is not None}
    two = {c.name: c.cost for c in at(high).contenders() if c.cost is not None}
    for first, second in combinations(one, 2):
        for factor in (1.0, EQUAL_COST, 1 / EQUAL_COST):
            leads = [costs[second] - factor * costs[first] for costs in (one, two)]
            edge = root(low, high, *leads)
            if edge is not None and segment[0] < edge < segment[1]:
                yield edge


def spending_edges(at: At, segment: tuple[float, float], by_volume: bool) -> Iterator[float]:
    """Yield where what 1,000 requests cost meets its limit.

    Times the volume that is a straight line in the volume; by itself it is one in a price.
    """
    low, high = _inside(segment)
    limit = at(low).limits["max_usd_per_1k"]
    if limit is None:
        return
    ends = [(x, at(x)) for x in (low, high)]
    for row in at(low).rows:
        over = []
        for x, bench in ends:
            spent = cost.usd_per_1k(bench.usages[row.strategy], bench.terms)
            if spent is not None:
                over.append((spent - limit) * (x if by_volume else 1.0))
        edge = root(low, high, *over) if len(over) == 2 else None
        if edge is not None and segment[0] < edge < segment[1]:
            yield edge


def _inside(segment: tuple[float, float]) -> tuple[float, float]:
    low, high = segment
    return low + (high - low) / 3, low + (high - low) * 2 / 3


def nearest(
    at: At, now: float, span: tuple[float, float], edges: Iterable[float], found: Recommendation
) -> Iterator[tuple[float, Recommendation]]:
    """Yield the nearest value on each side of `now` at which the choice is another one."""
    within = {edge for edge in edges if span[0] < edge < span[1]}
    below = [*sorted((edge for edge in within if edge < now), reverse=True), span[0]]
    above = [*sorted(edge for edge in within if edge > now), span[1]]
    if now in within:  # just beyond it, either way
        below, above = [now, *below], [now, *above]
    for side in (below, above):
        for edge, beyond in pairwise(_thinned(side)):
            value = _just_beyond(edge, beyond)
            again = at(value).ruling()
            if again.choice != found.choice:
                yield value, again
                break


def _thinned(side: list[float]) -> list[float]:
    if len(side) <= MOST_TRIED:
        return side
    every = len(side) / MOST_TRIED
    return [*(side[floor(n * every)] for n in range(MOST_TRIED)), side[-1]]


def _just_beyond(edge: float, beyond: float) -> float:
    """Return a short number between an edge and the next one, as near the edge as three digits go.

    Where the two lie closer together, with more digits.
    """
    up = beyond > edge
    for digits in range(3, 16):
        decimals = digits - 1 - floor(log10(edge))
        scaled = edge * 10.0**decimals
        value = round((floor(scaled) + 1 if up else ceil(scaled) - 1) / 10.0**decimals, decimals)
        if min(edge, beyond) < value < max(edge, beyond):
            return value
    return (edge + beyond) / 2
