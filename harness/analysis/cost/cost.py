"""What an arm costs over the horizon: folds over one list of components.

Knows no component by name. A component that is not known is left out of a sum and said; where a
required one is not known there is no sum, and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.analysis.cost.components import COMPONENTS, CostComponent, Unit
from harness.analysis.cost.terms import Serving, Terms, Usage, Volume
from harness.analysis.schema.comparison import COST_KEYS, CostPart, CostParts

EQUAL_COST = 1.05
"""Costs whose ratio is at most this count as equal."""
NO_HORIZON = "they need `traffic`; without it serving 1,000 requests is compared"


@dataclass(frozen=True)
class Costs:
    """What one arm costs on the task's terms: the one list that every figure of cost is read off.

    Each method takes a volume; None is the task's own.
    """

    arm: str
    components: tuple[CostComponent, ...]
    volume: Volume

    def total(self, unit: Unit, at: Volume | None = None) -> float | None:
        """Return the sum of what is known and counted; None where a required part is not known."""
        counted = [component for component in self.components if component.in_total]
        amounts = [component.amount(unit, at or self.volume) for component in counted]
        required = (component.required for component in counted)
        if any(amount is None for amount, is_it in zip(amounts, required, strict=True) if is_it):
            return None
        return sum((amount for amount in amounts if amount is not None), 0.0)

    @property
    def comparable(self) -> bool:
        """Whether all that is counted is of the run's class of machine, or charged by others.

        Dollars of two machines could be put in one order. They are not: the seconds behind them
        depend on more than the price row says, and the arm is measured anew in one command.
        """
        return all(component.comparable for component in self.components if component.in_total)

    @property
    def unit(self) -> Unit | None:
        """What the total is compared in: dollars, else our machine's seconds; None: in neither."""
        units: tuple[Unit, ...] = ("usd", "s")
        return next((unit for unit in units if self.compared(unit) is not None), None)

    def compared(self, unit: Unit) -> float | None:
        """Return the total where it may be compared with other arms'; None: not comparable."""
        return self.total(unit) if self.comparable else None

    def known_total(self, at: Volume | None = None) -> float:
        """Return the total of an arm that is compared, in its unit."""
        assert self.unit is not None, f"{self.arm} has no total"
        return self.total(self.unit, at) or 0.0

    def fixed(self) -> float:
        """Return what is paid without any request, in the arm's unit."""
        return self.known_total(Volume(0.0, 0.0, self.volume.months))

    def per_request(self, unit: Unit) -> float:
        """Return what each request of the task's volume brings about, as far as it is known."""
        counted = (component for component in self.components if component.in_total)
        amounts = (component.of_one_request(unit, self.volume) for component in counted)
        return sum((amount for amount in amounts if amount is not None), 0.0)

    def usd_per_1k(self) -> float | None:
        """Return what 1,000 requests cost; None where money is not known."""
        return None if self.total("usd") is None else 1000 * self.per_request("usd")

    @property
    def capacities_per_month(self) -> list[float]:
        """Requests a month that each machine answers which is always on."""
        known = (component.capacity_per_month for component in self.components)
        return [capacity for capacity in known if capacity is not None]

    @property
    def moves_with_each_request(self) -> bool:
        """Whether more is paid for each single request, besides whole machines."""
        return any(component.per_request > 0 for component in self.components)

    def table(self) -> CostParts:
        """Return each component at the task's volume, and what is not counted."""
        columns = tuple(
            self._column(name) for name in dict.fromkeys(each.name for each in self.components)
        )
        beside = [column.name for column in columns if not column.in_total]
        unknown = [c.unknown for c in self.components if c.unknown is not None]
        if beside:
            unknown.append(f"{', '.join(beside[:-1])} and {beside[-1]} ({NO_HORIZON})")
        by_key = {
            COST_KEYS[column.name]: column.usd for column in columns if column.name in COST_KEYS
        }
        return CostParts(
            **by_key,
            not_counted=tuple(dict.fromkeys(unknown)),
            machine_s=self.total("s"),
            components=columns,
        )

    def _column(self, name: str) -> CostPart:
        """Return what all components of one name come to in money, as far as it is known."""
        own = [component for component in self.components if component.name == name]
        amounts = [component.amount("usd", self.volume) for component in own]
        known = [amount for amount in amounts if amount is not None]
        return CostPart(
            name=name,
            usd=sum(known) if known else None,
            at_least=0 < len(known) < len(own),
            in_total=all(component.in_total for component in own),
        )


def costs_of(usage: Usage, terms: Terms) -> Costs:
    """Return what an arm's cost is made of."""
    listed = tuple(component for each in COMPONENTS for component in each(usage, terms))
    return Costs(usage.arm, listed, terms.volume)


def usd_per_1k(usage: Usage, terms: Terms, paying: Serving | None = None) -> float | None:
    """Return what 1,000 requests cost, paid for in one way or else as the task pays."""
    return costs_of(usage, replace(terms, paying=paying or terms.paying)).usd_per_1k()


def common_unit(usages: Sequence[Usage], terms: Terms) -> Unit:
    """Return the unit in which most can be compared; what is in another is not comparable.

    Seconds where our own machine has no price: arms that run on it are ordered by them.
    """
    return "s" if any(costs_of(usage, terms).unit == "s" for usage in usages) else "usd"


def break_even_requests(first: Costs, second: Costs) -> float | None:
    """Return N* = (fixed_A − fixed_B) / (c_B − c_A), or None where one is always cheaper.

    Args:
        first: one arm.
        second: another, whose costs are in the same unit. Neither pays for whole machines.
    """
    unit = first.unit
    assert unit is not None, f"{first.arm} has no total"
    fixed = first.fixed() - second.fixed()
    slope = second.per_request(unit) - first.per_request(unit)
    if slope == 0 or fixed / slope <= 0:
        return None
    return fixed / slope
