"""What would change the choice: each change is applied, and the same rule applied again.

Between two neighbouring edges (a volume where two costs cross, an arm's measured latency, …) the
rule has nothing to decide anew; so one value just beyond each edge is tried, the nearest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import combinations, pairwise
from math import ceil, floor, log10

from harness import numbers
from harness.judge import cost
from harness.judge.bench import Bench
from harness.judge.comparison import Flip, Recommendation
from harness.judge.contender import EQUAL_COST
from harness.judge.verdict import decide
from harness.judge.volume import REACH, reach, root, steps

MOST_TRIED = 200
"""Edges on one side that are tried; of more, evenly many."""
FINEST = 0.001
"""Step in which an arm's score is raised: a tenth of a point."""
HELD_UP = 3
"""Other arms of which it is asked how much better they would have to be."""
At = Callable[[float], Bench]


def flips(bench: Bench, found: Recommendation) -> tuple[Flip, ...]:
    """Return the nearest changes of each kind that would change the choice.

    Args:
        bench: what the rule was given.
        found: what it said.
    """
    return (
        *_borderline(bench, found),
        *_margin(bench, found),
        *_volume(bench, found),
        *_machine_price(bench, found),
        *_label_price(bench, found),
        *_limits(bench, found),
        *_quality(bench, found),
    )


def _flip(change: str, again: Recommendation, key: str, value: float | None) -> Flip:
    choice = again.choice or "nothing"
    how = " (provisionally)" if again.provisional else ""
    text = f"With {change}: {choice}{how}."
    return Flip(change=change, choice=again.choice, text=text, key=key, value=value)


def _borderline(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Let each limit that lies inside a measurement's interval fall the other way."""
    contenders = bench.contenders()
    for contender in contenders:
        for check in contender.checks:
            if not check.borderline:
                continue
            other = check.model_copy(update={"state": "missed" if check.state == "met" else "met"})
            checks = tuple(other if c is check else c for c in contender.checks)
            turned = [replace(c, checks=checks) if c is contender else c for c in contenders]
            again = decide(turned, bench.contest, bench.margin, bench.absent)
            if again.choice == found.choice:
                continue
            words = f"{contender.name}: {check.text}, which is within the measurement's error"
            yield _flip(f"{words} and may fall the other way", again, check.key, None)


def _margin(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Find the nearest smaller and larger margin at which another arm is chosen."""
    feasible = [c.name for c in bench.contenders() if c.feasible]
    if len(feasible) < 2:
        return
    bounds = [loss.high or 0.0 for loss in bench.contest.losses(feasible).values()]
    tried = sorted({0.0, *(bound + sign * 1e-6 for bound in bounds for sign in (-1, 1))})
    for side in (
        [step for step in reversed(tried) if 0 <= step < bench.margin],
        [step for step in tried if bench.margin < step < 1],  # 1 and more no task may accept
    ):
        for step in side:
            again = replace(bench, margin=step).ruling()
            if again.choice != found.choice:
                words = "below" if step < bench.margin else "above"
                change = f"a margin {words} {numbers.points(step)}"
                yield _flip(change, again, "margin", step)
                break


def _volume(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the volumes at which costs cross."""
    if not bench.terms.traffic:
        return
    now = float(bench.terms.traffic["requests_per_month"])

    def at(volume: float) -> Bench:
        return replace(bench, terms=bench.terms.at_volume(volume))

    usages = list(bench.usages.values())
    far = reach(usages, bench.terms) * (1 if bench.terms.reserved else REACH)
    near = min(now, max(1.0, now / REACH**2))
    edges = steps(usages, bench.terms)
    # Whole machines alone cost the same all over a step: nothing crosses inside it.
    level = bench.terms.reserved and not any(usage.elsewhere for usage in usages)
    for segment in pairwise([0.0, *edges, far]):
        edges += [] if level else _cost_edges(at, segment)
        edges += _spending_edges(at, segment, by_volume=True)
    for volume, again in _nearest(at, now, (near, far), edges, found):
        text = numbers.count(volume) if volume >= 100 else f"{volume:g}"
        change = f"{text} requests a month"
        yield _flip(change, again, "traffic.requests_per_month", volume)


def _machine_price(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the prices of the machine at which costs cross."""
    now = bench.terms.usd_per_hour
    if now is None:
        return

    def at(price: float) -> Bench:
        return replace(bench, terms=replace(bench.terms, usd_per_hour=price))

    span = now / 1000, now * 1000
    edges = [*_cost_edges(at, span), *_spending_edges(at, span, by_volume=False)]
    for price, again in _nearest(at, now, span, edges, found):
        change = f"a machine at ${price:g} an hour ({numbers.significant(price / now, 2)} times)"
        yield _flip(change, again, "machine.usd_per_hour", price)


def _label_price(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the prices of a label at which costs cross; not given, it counts as nothing so far."""
    if bench.unit != "usd" or not bench.terms.traffic:
        return
    now = bench.terms.labour["usd_per_label"] or 0.0

    def at(price: float) -> Bench:
        labour = {**bench.terms.labour, "usd_per_label": price}
        return replace(bench, terms=replace(bench.terms, labour=labour))

    span = min(now, 0.1) / 1000, max(now, 0.1) * 1000
    for price, again in _nearest(at, now, span, _cost_edges(at, span), found):
        yield _flip(f"labels at ${price:g} each", again, "labour.usd_per_label", price)


def _limits(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try each limit that is set just beyond what the arms measured."""
    for key, now in bench.limits.items():
        if now is None:
            continue
        measures = [bench.measured(row, key) for row in bench.rows]
        edges = [value for value in measures if value is not None and value > 0]
        if not edges:
            continue
        far = bench.highest if key == "min_score" else 2 * max(edges)

        def at(limit: float, key: str = key) -> Bench:
            return bench.with_limit(key, limit)

        for limit, again in _nearest(at, now, (min(edges) / 2, far), edges, found):
            yield _flip(f"limits.{key} at {limit:g}", again, f"limits.{key}", limit)


def _quality(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Find by how much the best other arms would have to score more to be chosen."""
    others = sorted(bench.rows, key=lambda row: -bench.score(row))
    others = [row for row in others if row.strategy != found.choice][:HELD_UP]
    for row in others:
        name, room = row.strategy, floor((bench.highest - bench.score(row)) / FINEST + 1e-9)
        if room < 1 or bench.with_raised(name, room * FINEST).ruling().choice != name:
            continue
        low, high = 0, room
        while high - low > 1:
            middle = (low + high) // 2
            if bench.with_raised(name, middle * FINEST).ruling().choice == name:
                high = middle
            else:
                low = middle
        by = high * FINEST
        again = bench.with_raised(name, by).ruling()
        change = f"{name} scoring {numbers.points(by)} more"
        yield _flip(change, again, f"score.{name}", by)


def _cost_edges(at: At, segment: tuple[float, float]) -> Iterator[float]:
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


def _spending_edges(at: At, segment: tuple[float, float], by_volume: bool) -> Iterator[float]:
    """Yield where what 1,000 requests cost meets its limit.

    Times the volume that is a straight line in the volume; by itself it is one in a price.
    """
    low, high = _inside(segment)
    limit = at(low).limits["max_usd_per_1k"]
    if limit is None:
        return
    for row in at(low).rows:
        usage = at(low).usages[row.strategy]
        over = []
        for x in (low, high):
            spent = cost.usd_per_1k(usage, at(x).terms)
            if spent is not None:
                over.append((spent - limit) * (x if by_volume else 1.0))
        edge = root(low, high, *over) if len(over) == 2 else None
        if edge is not None and segment[0] < edge < segment[1]:
            yield edge


def _inside(segment: tuple[float, float]) -> tuple[float, float]:
    low, high = segment
    return low + (high - low) / 3, low + (high - low) * 2 / 3


def _nearest(
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
