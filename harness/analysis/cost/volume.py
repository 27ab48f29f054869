"""How total cost moves with volume: where the cheaper of two arms changes, and the whole curve.

Under busy time a total is a straight line in the volume, and two lines cross once at most. On
reserved machines it is a flight of steps, a whole machine each, and two of them may cross often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from harness.analysis.cost import cost
from harness.analysis.schema.comparison import BreakEven, CostCurve, CostLine
from harness.wording import numbers

REACH = 100
"""Times the task's volume up to which reserved machines are looked at, and the curve goes."""
MOST_STEPS = 100
"""Machines of one arm up to which its steps are told apart; more are close to a straight line."""
PER_DECADE = 10
"""Points of the curve for each factor of ten."""
FEW = 3
"""Crossings of two arms that are all told."""
Change = tuple[float, str]
"""Requests a month, and the arm that is cheaper above."""


def reach(usages: Sequence[cost.Usage], terms: cost.Terms) -> float:
    """Return the volume a month up to which costs are compared."""
    assert terms.traffic is not None
    far = REACH * float(terms.traffic["requests_per_month"])
    own = _capacities(usages, terms) if terms.reserved else []
    return max(far, *(10 * one for one in own)) if own else far


def steps(usages: Sequence[cost.Usage], terms: cost.Terms) -> list[float]:
    """Return the volumes a month at which some arm needs a further reserved machine."""
    if not terms.reserved:
        return []
    far = reach(usages, terms)
    counts = ((one, min(MOST_STEPS, int(far / one))) for one in _capacities(usages, terms))
    return sorted({n * one for one, most in counts for n in range(1, most + 1) if n * one < far})


def level_until(usages: Sequence[cost.Usage], terms: cost.Terms) -> float:
    """Return the volume a month up to which no cost moves between two neighbouring `steps`.

    Whole machines alone cost the same all over a step. 0 where some cost moves with each request.
    """
    if not terms.reserved or any(usage.elsewhere for usage in usages):
        return 0.0
    return MOST_STEPS * min(_capacities(usages, terms))


def _capacities(usages: Sequence[cost.Usage], terms: cost.Terms) -> list[float]:
    return [cost.capacity_per_month(usage, terms) for usage in usages if not usage.elsewhere]


def root(low: float, high: float, at_low: float, at_high: float) -> float | None:
    """Return where a straight line through two points is zero; None where it is level."""
    slope = (at_high - at_low) / (high - low)
    return None if slope == 0 else low - at_low / slope


def changes(first: cost.Usage, second: cost.Usage, terms: cost.Terms) -> list[Change]:
    """Return where the cheaper of two arms changes, after whichever is cheaper at first.

    Args:
        first: one arm.
        second: another, whose costs are in the same unit.
        terms: with traffic.

    Returns:
        The arm that is cheaper from no request on, as (0, its name), then each change; nothing
        where both cost the same at any volume.
    """
    far = reach((first, second), terms)
    if not terms.reserved:
        requests = cost.break_even_requests(first, second, terms) or 0.0
        far = max(far, 2 * requests / terms.months)  # straight lines: looked at without end
    found: list[Change] = []
    for low, high in pairwise([0.0, *steps((first, second), terms), far]):
        for at, name in _within(first, second, terms, (low, high)):
            if not found or found[-1][1] != name:
                found.append((at if found else 0.0, name))
    return found


def _within(
    first: cost.Usage, second: cost.Usage, terms: cost.Terms, segment: tuple[float, float]
) -> Iterator[Change]:
    """Yield who is cheaper from a segment's start on, and from a crossing inside it on."""
    low, high = segment
    inside = low + (high - low) / 3, low + (high - low) * 2 / 3

    def lead(at: float) -> float:
        there = terms.at_volume(at)
        return cost.total_cost(second, there) - cost.total_cost(first, there)

    leads = lead(inside[0]), lead(inside[1])
    crossing = root(*inside, *leads)
    if crossing is None or not low < crossing < high:
        if leads[0] != 0:
            yield low, first.arm if leads[0] > 0 else second.arm
        return
    below = lead((low + crossing) / 2)
    yield low, first.arm if below > 0 else second.arm
    yield crossing, second.arm if below > 0 else first.arm


def break_evens(usages: Sequence[cost.Usage], terms: cost.Terms) -> tuple[BreakEven, ...]:
    """Return the break-even of every pair whose costs are in one unit; without traffic none."""
    if not terms.traffic:
        return ()
    pairs = combinations(usages, 2)
    units = (((a, b), cost.unit(a, terms), cost.unit(b, terms)) for a, b in pairs)
    return tuple(_pair(*pair, terms) for pair, one, other in units if one and one == other)


def _pair(first: cost.Usage, second: cost.Usage, terms: cost.Terms) -> BreakEven:
    found = changes(first, second, terms)
    crossings = tuple(at for at, _ in found[1:])
    totals = [cost.total_cost(usage, terms) for usage in (first, second)]
    names = f"{first.arm} and {second.arm}"
    text = _text(found, (first, second), terms) if found else f"{names} cost the same at any volume"
    if found and max(totals) <= min(totals) * cost.EQUAL_COST:
        text = f"cost does not decide between {names} at this volume (within 5 %); {text}"
    return BreakEven(
        first=first.arm,
        second=second.arm,
        requests=crossings[0] * terms.months if len(crossings) == 1 else None,
        crossings=crossings,
        text=text,
    )


def _text(found: Sequence[Change], pair: tuple[cost.Usage, cost.Usage], terms: cost.Terms) -> str:
    start, last = found[0][1], found[-1][1]
    if len(found) == 1:
        other = next(usage.arm for usage in pair if usage.arm != start)
        far = numbers.count(reach(pair, terms))
        until = f" up to {far} requests a month" if terms.reserved else ""
        return f"{start} is cheaper than {other} at any volume{until}"
    if not terms.reserved:
        requests = numbers.count(found[1][0] * terms.months)
        return f"below {requests} requests over the horizon {start} is cheaper, above it {last}"
    if len(found) <= FEW + 1:
        then = ", ".join(f"from {numbers.count(at)} on {name}" for at, name in found[1:])
        return f"by requests a month, {start} is cheaper at first, {then}"
    low, high = numbers.count(found[1][0]), numbers.count(found[-1][0])
    return (
        f"{start} is cheaper below {low} requests a month, {last} above {high}; between them it"
        f" changes {len(found) - 1} times, as each needs a further machine"
    )


def curve(usages: Sequence[cost.Usage], terms: cost.Terms) -> CostCurve | None:
    """Return total cost against volume, from a hundredth to a hundred times the task's.

    Of the arms whose costs are in the unit of the first; None without traffic or arms.
    """
    unit = cost.unit(usages[0], terms) if usages else None
    if not terms.traffic or unit is None:
        return None
    middle, decades = float(terms.traffic["requests_per_month"]), len(str(REACH)) - 1
    exponents = range(-decades * PER_DECADE, decades * PER_DECADE + 1)
    volumes = tuple(middle * 10 ** (n / PER_DECADE) for n in exponents)
    comparable = [usage for usage in usages if cost.unit(usage, terms) == unit]
    lines = (
        CostLine(
            strategy=usage.arm,
            totals=tuple(cost.total_cost(usage, terms.at_volume(volume)) for volume in volumes),
        )
        for usage in comparable
    )
    return CostCurve(unit=unit, requests_per_month=volumes, lines=tuple(lines))
