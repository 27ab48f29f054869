"""What would change the choice: each change is applied, and the same rule applied again.

Of each kind of change that there is something of to change; where to look is found by edges.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import floor

from harness.analysis.cost.volume import REACH, level_until, reach, steps
from harness.analysis.decision.edges import cost_edges, nearest, spending_edges
from harness.analysis.decision.inputs import Bench
from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import listed
from harness.analysis.schema.comparison import Flip, Recommendation, Row
from harness.wording import numbers

FINEST = 0.001
"""Step in which an arm's score is raised: a tenth of a point."""
HELD_UP = 3
"""Other arms of which it is asked how much better they would have to be."""


def attempts(bench: Bench, found: Recommendation) -> Iterator[tuple[str, Iterator[Flip]]]:
    """Yield each kind of change that can be tried here, in words, with what it finds.

    Args:
        bench: what the rule was given.
        found: what it said.
    """
    contenders, terms = bench.contenders(), bench.terms
    if any(check.borderline for contender in contenders for check in contender.checks):
        yield "limits within the error of a measurement", _borderline(bench, found)
    if sum(contender.feasible for contender in contenders) > 1:
        yield "other margins", _margin(bench, found)
    if terms.traffic:
        yield "other volumes", _volume(bench, found)
    if terms.usd_per_hour is not None:
        yield "other prices of the machine", _machine_price(bench, found)
    if charging := bench.charging:
        yield f"other prices of requests to {listed(charging)}", _request_price(bench, found)
    if bench.unit == "usd" and terms.traffic:
        yield "other prices of labels", _label_price(bench, found)
    if any(_measures(bench, key) for key in bench.limits):
        yield "other limits", _limits(bench, found)
    if any(_room(bench, row) for row in _others(bench, found)):
        yield "higher scores of other arms", _quality(bench, found)


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
    """Find the nearest smaller and larger margin at which another arm is chosen.

    Below the best score alone: a margin as large would accept an arm that gets nothing right.
    """
    feasible = [c for c in bench.contenders() if c.feasible]
    losses = bench.contest.losses([c.name for c in feasible])
    bounds = [loss.high or 0.0 for loss in losses.values()]
    tried = sorted({0.0, *(bound + sign * 1e-6 for bound in bounds for sign in (-1, 1))})
    best = max((c.score for c in feasible), default=0.0)
    most = min(best, 1.0) if best > 0 else 1.0  # 1 and more no task may accept
    for side in (
        [step for step in reversed(tried) if 0 <= step < bench.margin],
        [step for step in tried if bench.margin < step < most],
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
    assert bench.terms.traffic is not None
    now = float(bench.terms.traffic["requests_per_month"])

    def at(volume: float) -> Bench:
        return replace(bench, terms=bench.terms.at_volume(volume))

    usages = list(bench.usages.values())
    far = reach(usages, bench.terms) * (1 if bench.terms.reserved else REACH)
    near = min(now, max(1.0, now / REACH**2))
    edges = steps(usages, bench.terms)
    level = level_until(usages, bench.terms)
    for segment in pairwise([0.0, *edges, far]):
        edges += [] if segment[1] <= level else cost_edges(at, segment)
        edges += spending_edges(at, segment, by_volume=True)
    for volume, again in nearest(at, now, (near, far), edges, found):
        text = numbers.count(volume) if volume >= 100 else f"{volume:g}"
        change = f"{text} requests a month"
        yield _flip(change, again, "traffic.requests_per_month", volume)


def _machine_price(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the prices of the machine at which costs cross."""
    now = bench.terms.usd_per_hour
    assert now is not None

    def at(price: float) -> Bench:
        return replace(bench, terms=replace(bench.terms, usd_per_hour=price))

    span = now / 1000, now * 1000
    edges = [*cost_edges(at, span), *spending_edges(at, span, by_volume=False)]
    for price, again in nearest(at, now, span, edges, found):
        change = f"a machine at ${price:g} an hour ({numbers.significant(price / now, 2)} times)"
        yield _flip(change, again, "machine.usd_per_hour", price)


def _request_price(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the prices of each hosted model at which costs cross, in times what it charges."""
    for model in bench.charging:

        def at(times: float, model: str = model) -> Bench:
            return bench.with_charges(model, times)

        span = 1 / 1000, 1000.0
        edges = [*cost_edges(at, span), *spending_edges(at, span, by_volume=False)]
        for times, again in nearest(at, 1.0, span, edges, found):
            change = f"requests to {model} at {times:g} times their price"
            yield _flip(change, again, f"charge.{model}", times)


def _label_price(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try the prices of a label at which costs cross; not given, it counts as nothing so far."""
    now = bench.terms.labour["usd_per_label"] or 0.0

    def at(price: float) -> Bench:
        labour = {**bench.terms.labour, "usd_per_label": price}
        return replace(bench, terms=replace(bench.terms, labour=labour))

    span = min(now, 0.1) / 1000, max(now, 0.1) * 1000
    for price, again in nearest(at, now, span, cost_edges(at, span), found):
        yield _flip(f"labels at ${price:g} each", again, "labour.usd_per_label", price)


def _limits(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Try each limit that is set just beyond what the arms measured."""
    for key, now in bench.limits.items():
        if not (edges := _measures(bench, key)):
            continue
        far = bench.highest if key == "min_score" else 2 * max(edges)

        def at(limit: float, key: str = key) -> Bench:
            return bench.with_limit(key, limit)

        for limit, again in nearest(at, now, (min(edges) / 2, far), edges, found):
            yield _flip(f"limits.{key} at {limit:g}", again, f"limits.{key}", limit)


def _measures(bench: Bench, key: str) -> list[float]:
    """Return what a limit that is set is held against, of each arm of which it is known."""
    if bench.limits[key] is None:
        return []
    measures = (bench.measured(row, key) for row in bench.rows)
    return [value for value in measures if value is not None and value > 0]


def _quality(bench: Bench, found: Recommendation) -> Iterator[Flip]:
    """Find by how much the best other arms would have to score more to be chosen."""
    for row in _others(bench, found):
        name, room = row.strategy, _room(bench, row)
        if not room or bench.with_raised(name, room * FINEST).ruling().choice != name:
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


def _others(bench: Bench, found: Recommendation) -> list[Row]:
    """Return the best-scoring arms that were not chosen, as many as are asked about."""
    others = sorted(bench.rows, key=lambda row: -bench.score(row))
    return [row for row in others if row.strategy != found.choice][:HELD_UP]


def _room(bench: Bench, row: Row) -> int:
    """Return by how many of the finest steps an arm could score more."""
    return max(0, floor((bench.highest - bench.score(row)) / FINEST + 1e-9))
