"""How total cost moves with volume: where the cheaper of two arms changes, and the whole curve.

Paid per use, a total is a straight line in the volume, and two lines cross once at most. On
machines that are always on it is a flight of steps, a whole machine each, and two of them may cross
often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from harness.analysis.cost.cost import EQUAL_COST, Costs, break_even_requests, costs_of
from harness.analysis.cost.terms import Terms, Usage, Volume
from harness.analysis.schema.comparison import BreakEven, CostCurve, CostLine
from harness.wording import numbers

REACH = 100
"""Times the task's volume up to which whole machines are looked at, and the curve goes."""
MOST_STEPS = 100
"""Machines of one arm up to which each step is looked at; more are close to a straight line."""
PER_DECADE = 10
"""Points of the curve for each factor of ten."""
NO_REQUEST = 1e-12
"""Share of a volume that rounding alone makes."""
FEW = 3
"""Crossings of two arms that are all told."""
Change = tuple[float, str]
"""Requests a month, and the arm that is cheaper above."""


def reach(usages: Sequence[Usage], terms: Terms) -> float:
    """Return the volume a month up to which costs are compared."""
    return _reach(_costs(usages, terms))


def _reach(costs: Sequence[Costs]) -> float:
    far = REACH * costs[0].volume.per_month
    return max(far, *(10 * one for one in _capacities(costs)), 0.0)


def steps(usages: Sequence[Usage], terms: Terms) -> list[float]:
    """Return the volumes a month at which some arm needs a further machine that is always on."""
    return _steps(_costs(usages, terms))


def _steps(costs: Sequence[Costs]) -> list[float]:
    capacities = _capacities(costs)
    if not capacities:
        return []
    far = _reach(costs)
    counts = ((one, min(MOST_STEPS, int(far / one))) for one in capacities)
    return sorted({n * one for one, most in counts for n in range(1, most + 1) if n * one < far})


def level_until(usages: Sequence[Usage], terms: Terms) -> float:
    """Return the volume a month up to which no cost moves between two neighbouring `steps`.

    Whole machines alone cost the same all over a step. 0 where some cost moves with each request.
    """
    costs = _costs(usages, terms)
    if any(each.moves_with_each_request for each in costs):
        return 0.0
    return MOST_STEPS * min(_capacities(costs), default=0.0)


def _costs(usages: Sequence[Usage], terms: Terms) -> list[Costs]:
    return [costs_of(usage, terms) for usage in usages]


def _capacities(costs: Sequence[Costs]) -> list[float]:
    return [capacity for each in costs for capacity in each.capacities_per_month]


def root(low: float, high: float, at_low: float, at_high: float) -> float | None:
    """Return where a straight line through two points is zero; None where it is level.

    Two points of which rounding leaves one tell no line either.
    """
    slope = (at_high - at_low) / (high - low) if high > low else 0.0
    return None if slope == 0 else low - at_low / slope


def changes(first: Costs, second: Costs) -> list[Change]:
    """Return where the cheaper of two arms changes, after whichever is cheaper at first.

    Args:
        first: one arm, with traffic.
        second: another, whose costs are in the same unit.

    Returns:
        The arm that is cheaper from no request on, as (0, its name), then each change; nothing
        where both cost the same at any volume.
    """
    edges, far = _steps((first, second)), _reach((first, second))
    if not edges:
        requests = break_even_requests(first, second) or 0.0
        far = max(far, 2 * requests / first.volume.months)  # straight lines: without end
    found: list[Change] = []
    for segment in pairwise([0.0, *edges, far]):
        for at, name in _within(first, second, segment):
            if not found or found[-1][1] != name:
                found.append((at if found else 0.0, name))
    return found


def _within(first: Costs, second: Costs, segment: tuple[float, float]) -> Iterator[Change]:
    """Yield who is cheaper from a segment's start on, and from a crossing inside it on."""
    low, high = segment
    inside = low + (high - low) / 3, low + (high - low) * 2 / 3

    def lead(at: float) -> float:
        there = Volume(at * first.volume.months, at, first.volume.months)
        return second.known_total(there) - first.known_total(there)

    leads = lead(inside[0]), lead(inside[1])
    crossing = root(*inside, *leads)
    # Lines that begin at the same cost seem to cross just after it, by the rounding of sums.
    if crossing is None or not low + NO_REQUEST * high < crossing < high:
        if leads[0] != 0:
            yield low, first.arm if leads[0] > 0 else second.arm
        return
    below = lead((low + crossing) / 2)
    yield low, first.arm if below > 0 else second.arm
    yield crossing, second.arm if below > 0 else first.arm


def break_evens(usages: Sequence[Usage], terms: Terms) -> tuple[BreakEven, ...]:
    """Return the break-even of every pair whose costs are in one unit; without traffic none."""
    if not terms.traffic:
        return ()
    known = [costs for costs in _costs(usages, terms) if costs.unit is not None]
    return tuple(_pair(a, b) for a, b in combinations(known, 2) if a.unit == b.unit)


def _pair(first: Costs, second: Costs) -> BreakEven:
    found = changes(first, second)
    crossings = tuple(at for at, _ in found[1:])
    totals = [costs.known_total() for costs in (first, second)]
    names = f"{first.arm} and {second.arm}"
    text = _text(found, (first, second)) if found else f"{names} cost the same at any volume"
    if found and max(totals) <= min(totals) * EQUAL_COST:
        text = f"cost does not decide between {names} at this volume (within 5%); {text}"
    return BreakEven(
        first=first.arm,
        second=second.arm,
        requests=crossings[0] * first.volume.months if len(crossings) == 1 else None,
        crossings=crossings,
        text=text,
    )


def _text(found: Sequence[Change], pair: tuple[Costs, Costs]) -> str:
    start, last = found[0][1], found[-1][1]
    whole_machines = bool(_capacities(pair))
    if len(found) == 1:
        other = next(costs.arm for costs in pair if costs.arm != start)
        until = f" up to {numbers.count(_reach(pair))} requests a month" if whole_machines else ""
        return f"{start} is cheaper than {other} at any volume{until}"
    if not whole_machines:
        requests = numbers.count(found[1][0] * pair[0].volume.months)
        return f"below {requests} requests over the horizon {start} is cheaper, above it {last}"
    if len(found) <= FEW + 1:
        then = ", ".join(f"from {numbers.count(at)} on {name}" for at, name in found[1:])
        return f"by requests a month, {start} is cheaper at first, {then}"
    low, high = numbers.count(found[1][0]), numbers.count(found[-1][0])
    return (
        f"{start} is cheaper below {low} requests a month, {last} above {high}; between them it"
        f" changes {len(found) - 1} times, as each needs a further machine"
    )


def curve(usages: Sequence[Usage], terms: Terms) -> CostCurve | None:
    """Return total cost against volume, from a hundredth to a hundred times the task's.

    Of the arms whose costs are in the unit of the first; None without traffic or arms.
    """
    costs = _costs(usages, terms)
    unit = costs[0].unit if costs else None
    if not terms.traffic or unit is None:
        return None
    decades = len(str(REACH)) - 1
    exponents = range(-decades * PER_DECADE, decades * PER_DECADE + 1)
    volumes = tuple(terms.volume.per_month * 10 ** (n / PER_DECADE) for n in exponents)
    lines = (
        CostLine(
            strategy=each.arm,
            totals=tuple(each.known_total(terms.volume_of(volume)) for volume in volumes),
        )
        for each in costs
        if each.unit == unit
    )
    return CostCurve(unit=unit, requests_per_month=volumes, lines=tuple(lines))
