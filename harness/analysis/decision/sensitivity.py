"""What would change the choice: each change is applied, and the same rule is applied again.

Between two neighbouring edges (a price at which two costs cross, a limit met or missed, …) nothing
changes; so one value just beyond each edge is tried, the nearest first. Yields figures; wording.py
says them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from enum import Enum, auto
from functools import partial
from itertools import combinations, pairwise
from math import ceil, floor, log10
from typing import NamedTuple

from harness.analysis.cost import cost
from harness.analysis.cost.volume import REACH, level_until, reach, root, steps
from harness.analysis.decision.inputs import Inputs
from harness.analysis.decision.verdict import Verdict
from harness.analysis.schema.comparison import ArmResult, Check

FINEST = 0.001
"""Step in which an arm's score is raised: a tenth of a point."""
OTHERS_RAISED = 3
"""Other arms of which it is asked how much better they would have to be."""
MOST_TRIED = 200
"""Edges on one side that are tried; of more, evenly many."""


class Kind(Enum):
    """Kinds of change that are tried."""

    BORDERLINE = auto()
    MARGIN = auto()
    VOLUME = auto()
    MACHINE_PRICE = auto()
    REQUEST_PRICE = auto()
    LABEL_PRICE = auto()
    LIMIT = auto()
    SCORE = auto()


class Change(NamedTuple):
    """One value that is changed, and what the rule finds then."""

    kind: Kind
    key: str
    """As `Flip.key` has it."""
    value: float | None
    """What it is changed to; of a score, by how much it is raised."""
    now: float
    """What it is; of a charge 1, because it is changed in times what it is."""
    again: Verdict
    arm: str | None = None
    """Whose limit is borderline, or whose score is raised."""
    check: Check | None = None


Found = Iterator[tuple[float, Verdict]]
At = Callable[[float], Inputs]
"""The inputs, with the value that moves set to this."""


def attempts(inputs: Inputs, found: Verdict) -> Iterator[tuple[Kind, Iterator[Change]]]:
    """Yield each kind of change that can be tried here, with what changes the choice.

    Args:
        inputs: what the rule was given.
        found: what it found.
    """
    arms, terms = inputs.arms(), inputs.terms
    if any(check.borderline for arm in arms for check in arm.checks):
        yield Kind.BORDERLINE, _borderline(inputs, found)
    if sum(arm.feasible for arm in arms) > 1:
        yield Kind.MARGIN, _margin(inputs, found)
    if terms.traffic:
        yield Kind.VOLUME, _volume(inputs, found)
    if terms.usd_per_hour is not None:
        yield Kind.MACHINE_PRICE, _machine_price(inputs, found)
    if inputs.charging:
        yield Kind.REQUEST_PRICE, _request_price(inputs, found)
    if inputs.unit == "usd" and terms.traffic:
        yield Kind.LABEL_PRICE, _label_price(inputs, found)
    if any(_measures(inputs, key) for key, _ in inputs.limits.are_set()):
        yield Kind.LIMIT, _limits(inputs, found)
    if any(_room(inputs, result) for result in _others(inputs, found)):
        yield Kind.SCORE, _quality(inputs, found)


def _borderline(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Let each limit that lies inside a measurement's interval fall the other way."""
    arms = inputs.arms()
    for arm in arms:
        for check in arm.checks:
            if not check.borderline:
                continue
            other = check.model_copy(update={"state": "missed" if check.state == "met" else "met"})
            again = inputs.with_turned(arm.name, other).verdict()
            if again.choice != found.choice:
                yield Change(Kind.BORDERLINE, check.key, None, 0.0, again, arm.name, check)


def _margin(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Find the nearest smaller and larger margin at which another arm is chosen.

    Below the best score alone: a margin as large would accept an arm that gets nothing right.
    """
    feasible = [arm for arm in inputs.arms() if arm.feasible]
    gaps = inputs.comparisons.gaps([arm.name for arm in feasible])
    bounds = [gap.high for gap in gaps.values()]
    tried = sorted({0.0, *(bound + sign * 1e-6 for bound in bounds for sign in (-1, 1))})
    best = max((arm.score for arm in feasible), default=0.0)
    most = min(best, 1.0) if best > 0 else 1.0  # 1 and more no task may accept
    now = inputs.margin
    for side in (
        [step for step in reversed(tried) if 0 <= step < now],
        [step for step in tried if now < step < most],
    ):
        for step in side:
            if (again := replace(inputs, margin=step).verdict()).choice != found.choice:
                yield Change(Kind.MARGIN, "margin", step, now, again)
                break


def _volume(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Try the volumes at which costs cross."""
    assert inputs.terms.traffic is not None
    at, now = inputs.with_volume, float(inputs.terms.traffic["requests_per_month"])
    usages = list(inputs.usages.values())
    far = reach(usages, inputs.terms) * (1 if inputs.terms.reserved else REACH)
    near = min(now, max(1.0, now / REACH**2))
    edges = steps(usages, inputs.terms)
    level = level_until(usages, inputs.terms)
    for segment in pairwise([0.0, *edges, far]):
        edges += [] if segment[1] <= level else _cost_edges(at, segment)
        edges += _spending_edges(at, segment, by_volume=True)
    for volume, again in _nearest(at, now, (near, far), edges, found):
        yield Change(Kind.VOLUME, "traffic.requests_per_month", volume, now, again)


def _machine_price(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Try the prices of the machine at which costs cross."""
    now = inputs.terms.usd_per_hour
    assert now is not None
    for price, again in _nearest_price(inputs.with_machine_price, now, found):
        yield Change(Kind.MACHINE_PRICE, "machine.usd_per_hour", price, now, again)


def _request_price(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Try the prices of each hosted model at which costs cross, in times what it charges."""
    for model in inputs.charging:
        for times, again in _nearest_price(partial(inputs.with_charges, model), 1.0, found):
            yield Change(Kind.REQUEST_PRICE, f"charge.{model}", times, 1.0, again)


def _nearest_price(at: At, now: float, found: Verdict) -> Found:
    span = now / 1000, now * 1000
    edges = [*_cost_edges(at, span), *_spending_edges(at, span, by_volume=False)]
    return _nearest(at, now, span, edges, found)


def _label_price(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Try the prices of a label at which costs cross; not given, it counts as nothing so far."""
    at, now = inputs.with_label_price, inputs.terms.labour["usd_per_label"] or 0.0
    span = min(now, 0.1) / 1000, max(now, 0.1) * 1000
    for price, again in _nearest(at, now, span, _cost_edges(at, span), found):
        yield Change(Kind.LABEL_PRICE, "labour.usd_per_label", price, now, again)


def _limits(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Try each limit that is set just beyond what the arms measured."""
    for key, now in inputs.limits.are_set():
        if not (edges := _measures(inputs, key)):
            continue
        far = inputs.highest if key == "min_score" else 2 * max(edges)
        at, span = partial(inputs.with_limit, key), (min(edges) / 2, far)
        for limit, again in _nearest(at, now, span, edges, found):
            yield Change(Kind.LIMIT, f"limits.{key}", limit, now, again)


def _measures(inputs: Inputs, key: str) -> list[float]:
    """Return the figures that a limit is about, of each arm of which it is known."""
    measures = (inputs.measured(result, key) for result in inputs.results)
    return [value for value in measures if value is not None and value > 0]


def _quality(inputs: Inputs, found: Verdict) -> Iterator[Change]:
    """Find by how much the best other arms would have to score more to be chosen."""
    for result in _others(inputs, found):
        name, room = result.strategy, _room(inputs, result)

        def chosen(steps_up: int, name: str = name) -> bool:
            return inputs.with_raised(name, steps_up * FINEST).verdict().choice == name

        if not room or not chosen(room):
            continue
        low, high = 0, room
        while high - low > 1:
            middle = (low + high) // 2
            if chosen(middle):
                high = middle
            else:
                low = middle
        by = high * FINEST
        again = inputs.with_raised(name, by).verdict()
        yield Change(Kind.SCORE, f"score.{name}", by, inputs.score(result), again, name)


def _others(inputs: Inputs, found: Verdict) -> list[ArmResult]:
    """Return the best-scoring arms that were not chosen, as many as are asked about."""
    others = sorted(inputs.results, key=lambda result: -inputs.score(result))
    return [result for result in others if result.strategy != found.choice][:OTHERS_RAISED]


def _room(inputs: Inputs, result: ArmResult) -> int:
    """Return by how many of the finest steps an arm could score more."""
    return max(0, floor((inputs.highest - inputs.score(result)) / FINEST + 1e-9))


def _cost_edges(at: At, segment: tuple[float, float]) -> Iterator[float]:
    """Yield where the costs of two feasible arms cross, or become or cease to be equal.

    Costs are straight lines in what is changed, within the segment.
    """
    low, high = _inside(segment)
    if low == high:  # two steps of a reserved machine that rounding alone keeps apart
        return
    one = {arm.name: arm.cost for arm in at(low).arms() if arm.cost is not None}
    two = {arm.name: arm.cost for arm in at(high).arms() if arm.cost is not None}
    for first, second in combinations(one, 2):
        for factor in (1.0, cost.EQUAL_COST, 1 / cost.EQUAL_COST):
            leads = [costs[second] - factor * costs[first] for costs in (one, two)]
            edge = root(low, high, *leads)
            if edge is not None and segment[0] < edge < segment[1]:
                yield edge


def _spending_edges(at: At, segment: tuple[float, float], by_volume: bool) -> Iterator[float]:
    """Yield where what 1,000 requests cost meets its limit.

    Times the volume that is a straight line in the volume; by itself it is one in a price.
    """
    low, high = _inside(segment)
    limit = at(low).limits.max_usd_per_1k
    if limit is None or low == high:
        return
    ends = [(x, at(x)) for x in (low, high)]
    for result in at(low).results:
        over = []
        for x, inputs in ends:
            spent = cost.usd_per_1k(inputs.usages[result.strategy], inputs.terms)
            if spent is not None:
                over.append((spent - limit) * (x if by_volume else 1.0))
        edge = root(low, high, *over) if len(over) == 2 else None
        if edge is not None and segment[0] < edge < segment[1]:
            yield edge


def _inside(segment: tuple[float, float]) -> tuple[float, float]:
    low, high = segment
    return low + (high - low) / 3, low + (high - low) * 2 / 3


def _nearest(
    at: At, now: float, span: tuple[float, float], edges: Iterable[float], found: Verdict
) -> Found:
    """Yield the nearest value on each side of `now` at which the choice is another one."""
    within = {edge for edge in edges if span[0] < edge < span[1]}
    below = [*sorted((edge for edge in within if edge < now), reverse=True), span[0]]
    above = [*sorted(edge for edge in within if edge > now), span[1]]
    if now in within:  # just beyond it, either way
        below, above = [now, *below], [now, *above]
    for side in (below, above):
        every = max(1.0, len(side) / MOST_TRIED)
        tried = {floor(n * every) for n in range(min(len(side), MOST_TRIED))} | {len(side) - 1}
        for edge, beyond in pairwise(side[n] for n in sorted(tried)):
            value = _just_beyond(edge, beyond)
            if (again := at(value).verdict()).choice != found.choice:
                yield value, again
                break


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
