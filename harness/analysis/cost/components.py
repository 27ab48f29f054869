"""What a cost is made of: one function a component, in the order in which the report shows them.

A new component is a function here and its name in `COMPONENTS`. The table, the total, the
break-even, the curve, the cost of 1,000 requests and the sensitivity all fold over this list
(cost.py); none of them knows a component by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

from harness.analysis.cost.terms import OtherMachine, Terms, Usage, Volume
from harness.analysis.schema.comparison import COST_KEYS

Unit = Literal["usd", "s"]
"""Dollars, or machine-seconds."""
HOURS_PER_MONTH = 730
"""8,760 hours a year / 12, as cloud providers bill."""
MONTH_S = HOURS_PER_MONTH * 3600

MACHINE_TIME = "machine time in money (no price row stands for this machine)"
REQUESTS = "requests to a hosted model (model.usd_per_million_…_tokens, or a row of prices)"
PREPARATION_REQUESTS = "requests to a hosted model during preparation"

LABELS, PEOPLE, PREPARATION, REPEATED, SERVING = COST_KEYS


@dataclass(frozen=True)
class CostComponent:
    """One component of an arm's cost over the horizon.

    Guarantees, whatever the component:
    - An amount is a fixed part, a part that grows with each request, and whole machines.
    - It depends on nothing but the component and the volume, and never falls with the volume.
    - `None` means not known; `unknown` then says why, in words for the reader. It is never 0.
    """

    name: str
    """Its column in the table; components of one name share a column."""
    unit: Unit
    fixed: float | None = 0.0
    """Over the horizon, in the unit; None: the component is not known."""
    per_request: float = 0.0
    """In the unit."""
    capacity_per_month: float | None = None
    """Requests a month that one machine answers which is always on: whole machines are paid, a
    flight of steps over the volume. None: no such machine is part of it."""
    usd_per_hour: float | None = None
    """Price of the machine, where the unit is its seconds; None: no price row applies."""
    unknown: str | None = None
    """Why it is not known in money."""
    required: bool = False
    """Without it there is no total. What is not required and not known is left out, and said."""
    in_total: bool = True
    """False: it is shown beside the total, which has no horizon to spread it over."""
    comparable: bool = True
    """False: machine time of another class of machine than the run's. It is in the arm's total, at
    that machine's price, and the total is compared with no other arm's."""

    def amount(self, unit: Unit, volume: Volume) -> float | None:
        """Return what it comes to; None where it is not known in this unit."""
        if self.fixed is None:
            return None
        asked = self.per_request * volume.requests + self._month_s(volume) * volume.months
        return self._in(unit, self.fixed + asked)

    def of_one_request(self, unit: Unit, volume: Volume) -> float | None:
        """Return what each request of a volume brings about; None where it is not known."""
        if self.fixed is None:
            return None
        share_s = self._month_s(volume) / volume.per_month if self.capacity_per_month else 0.0
        return self._in(unit, self.per_request + share_s)

    def _month_s(self, volume: Volume) -> float:
        """Return a month's seconds of the machines that are always on."""
        if self.capacity_per_month is None:
            return 0.0
        return float(MONTH_S * ceil(volume.per_month / self.capacity_per_month))

    def _in(self, unit: Unit, own: float) -> float | None:
        """Turn an amount in the component's unit into another; None: nothing does."""
        if unit == self.unit:
            return own
        if unit == "s" or self.usd_per_hour is None:
            return None
        return own * self.usd_per_hour / 3600


def labels(usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield what the labelled rows cost that the arm uses; nothing is spent where it uses none."""
    price = terms.labour["usd_per_label"] if usage.labels_n else 0.0
    yield CostComponent(
        LABELS,
        "usd",
        fixed=None if price is None else price * usage.labels_n,
        unknown="labels (labour.usd_per_label)" if price is None else None,
        in_total=bool(terms.traffic),
    )


def people(usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield what people's hours cost that the task gives for the arm."""
    price, hours = terms.labour["usd_per_hour"], terms.labour["hours"]
    own = hours.get(usage.arm, hours.get(usage.arm.split("@")[0]))
    known = price is not None and own is not None
    yield CostComponent(
        PEOPLE,
        "usd",
        fixed=price * own if known else None,
        unknown=None if known else "people's time (labour.usd_per_hour and hours)",
        in_total=bool(terms.traffic),
    )


def preparation(usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield training or indexing, once: machine time, and what a hosted model charged for it."""
    return _prepared(PREPARATION, 1.0, usage, terms)


def repeated_preparation(usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield what it costs to prepare the arm again, as often as the task's needs ask for it."""
    return _prepared(REPEATED, refits(usage, terms), usage, terms)


def serving(usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield what answering costs: charges, seconds by the measured throughput, or whole machines.

    Whoever charges by the request charges the same however machines are paid. A machine that is
    always on is used up to the stated utilisation; what it costs a request is not known without
    traffic.
    """
    if usage.elsewhere:
        charge = usage.usd_per_request
        yield CostComponent(
            SERVING,
            "usd",
            fixed=None if charge is None else 0.0,
            per_request=charge or 0.0,
            unknown=REQUESTS if charge is None else None,
            required=True,
        )
    elif not terms.reserved:
        seconds = 1 / usage.throughput_per_s
        by_use = CostComponent(SERVING, "s", per_request=seconds, required=True)
        yield _priced(by_use, terms, usage.served_on)
    elif terms.traffic:
        used_s = terms.traffic["utilisation"] * MONTH_S
        capacity = float(usage.throughput_per_s * used_s)
        machines = CostComponent(SERVING, "s", capacity_per_month=capacity, required=True)
        yield _priced(machines, terms, usage.served_on)
    else:
        unknown = CostComponent(SERVING, "s", fixed=None, required=True)
        yield _priced(unknown, terms, usage.served_on)


COMPONENTS: tuple[Callable[[Usage, Terms], Iterator[CostComponent]], ...] = (
    labels,
    people,
    preparation,
    repeated_preparation,
    serving,
)


def refits(usage: Usage, terms: Terms) -> float:
    """Return how often the arm is prepared again over the horizon.

    Knowledge updates reach an index or weights by preparing the arm again. A new base model
    reaches only weights that were tuned on the old one, wherever they were tuned: a vendor has to
    tune them again too.
    """
    if usage.learns == "nothing" and not usage.tunes:
        return 0.0
    times = float(terms.needs["knowledge_updates_per_month"]) * terms.months
    if usage.tunes and (usage.needs_model or usage.elsewhere):
        times += float(terms.needs["model_changes_per_year"]) * terms.months / 12
    return times


def _prepared(name: str, times: float, usage: Usage, terms: Terms) -> Iterator[CostComponent]:
    """Yield so many preparations: machine time, and charges where there are or may be some."""
    in_total = bool(terms.traffic)
    machine = CostComponent(name, "s", fixed=usage.prepare_s * times, in_total=in_total)
    yield _priced(machine, terms, usage.prepared_on)
    charged = usage.fit_charged_usd
    if charged is None:
        unpriced = usage.elsewhere and usage.usd_per_request is None
        why = REQUESTS if unpriced else PREPARATION_REQUESTS
        yield CostComponent(name, "usd", fixed=None, unknown=why, in_total=in_total)
    elif charged:
        charges = charged * usage.trainings * times
        yield CostComponent(name, "usd", fixed=charges, in_total=in_total)


def _priced(
    component: CostComponent, terms: Terms, other: OtherMachine | None = None
) -> CostComponent:
    """Return machine-seconds with the price of the machine, if a price row stands for it.

    Args:
        component: in seconds.
        terms: with the price of the run's machine.
        other: the machine that the seconds are of, where that is another one.
    """
    per_hour = terms.usd_per_hour if other is None else other.usd_per_hour
    unknown = MACHINE_TIME if per_hour is None else None
    return replace(component, usd_per_hour=per_hour, unknown=unknown, comparable=other is None)
