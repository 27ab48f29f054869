"""What an arm costs over the horizon: labels, people, fitting, re-fitting, serving.

Pure arithmetic on measured seconds and given prices. A part that is not given is not counted, and
said; a price that does not apply leaves money unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, Literal

from harness.analysis.schema.comparison import CostParts

HOURS_PER_MONTH = 730
"""8,760 hours a year / 12, as cloud providers bill."""
MONTH_S = HOURS_PER_MONTH * 3600
EQUAL_COST = 1.05
"""Costs whose ratio is at most this count as equal."""
MACHINE_TIME = "machine time in money (no price row stands for this machine)"
FITTING_REQUESTS = "requests to a hosted model while fitting"
"""Named among what is not counted; where fitting has a figure all the same, it is of the rest."""


@dataclass(frozen=True)
class Usage:
    """What was measured of an arm, and what it is."""

    arm: str
    fit_s: float
    throughput_per_s: float
    labels_n: int
    """Training and validation rows that it uses."""
    needs_model: bool
    learns: str
    tunes: bool = False
    """Weights of a pretrained model."""
    elsewhere: bool = False
    """Its answers come from a machine that is not ours: our seconds of serving cost nothing."""
    usd_per_request: float | None = None
    """What was charged for an answer; None elsewhere means that money is not known."""
    charged_by: str | None = None
    """Whose charges these are: a hosted model, or the arm itself where its answers are replayed."""
    fit_charged_usd: float | None = 0.0
    """What a hosted model charged while the arm was fitted; None: not known."""


@dataclass(frozen=True)
class Terms:
    """What the task says of money and traffic, and the price that applies."""

    usd_per_hour: float | None
    traffic: dict[str, Any] | None
    needs: dict[str, Any]
    labour: dict[str, Any]

    @property
    def months(self) -> float:
        """The horizon; without traffic a single fit and 1,000 requests are compared."""
        return float(self.traffic["months"]) if self.traffic else 0.0

    @property
    def requests(self) -> float:
        """Requests over the horizon."""
        return float(self.traffic["requests_per_month"]) * self.months if self.traffic else 1_000.0

    def at_volume(self, requests_per_month: float) -> Terms:
        """Return the same terms for another traffic."""
        assert self.traffic is not None
        return replace(
            self, traffic={**self.traffic, "requests_per_month": float(requests_per_month)}
        )

    @property
    def reserved(self) -> bool:
        """Whether serving is paid by machines that are always on."""
        return self.traffic is not None and self.traffic["serving"] == "reserved"


def unit(usage: Usage, terms: Terms) -> Literal["usd", "s"] | None:
    """Return what the arm's cost is in: dollars, our machine's seconds, or nothing known."""
    if usage.elsewhere:
        return "usd" if usage.usd_per_request is not None else None
    return "usd" if terms.usd_per_hour is not None else "s"


def common_unit(usages: Sequence[Usage], terms: Terms) -> Literal["usd", "s"]:
    """Return the unit in which most can be compared; what is in another is not comparable.

    Seconds where our own machine has no price: arms that run on it are ordered by them.
    """
    return "s" if any(unit(usage, terms) == "s" for usage in usages) else "usd"


def refits(usage: Usage, terms: Terms) -> float:
    """Return how often the arm is fitted again over the horizon.

    Knowledge updates reach an index or weights by fitting again; a new base model reaches only
    weights that were tuned on the old one. Wherever they were tuned: a vendor has to do it again
    too.
    """
    if usage.learns == "nothing" and not usage.tunes:
        return 0.0
    times = float(terms.needs["knowledge_updates_per_month"]) * terms.months
    if usage.tunes and (usage.needs_model or usage.elsewhere):
        times += float(terms.needs["model_changes_per_year"]) * terms.months / 12
    return times


def serving_s(usage: Usage, terms: Terms) -> float:
    """Return the machine-seconds that serving takes over the horizon.

    busy: the seconds in which requests are computed, at the measured throughput. reserved: whole
    machines, always on, each used up to the stated utilisation.
    """
    if not terms.reserved:
        return terms.requests / usage.throughput_per_s
    return reserved_s_per_month(usage, terms) * terms.months


def reserved_s_per_month(usage: Usage, terms: Terms) -> float:
    """Return a month's machine-seconds of as many whole machines as the traffic takes."""
    assert terms.traffic is not None
    needed = terms.traffic["requests_per_month"] / capacity_per_month(usage, terms)
    return float(MONTH_S * ceil(needed))


def capacity_per_month(usage: Usage, terms: Terms) -> float:
    """Return the requests that one reserved machine answers in a month, as far as it is used."""
    assert terms.traffic is not None
    return float(usage.throughput_per_s * terms.traffic["utilisation"] * MONTH_S)


def usd_per_1k(usage: Usage, terms: Terms) -> float | None:
    """Return what 1,000 requests cost, as the task serves."""
    return (usd_per_1k_reserved if terms.reserved else usd_per_1k_busy)(usage, terms)


def usd_per_1k_busy(usage: Usage, terms: Terms) -> float | None:
    """Return what 1,000 requests cost, paying for the seconds they take or what is charged."""
    return None if unit(usage, terms) != "usd" else 1000 * cost_per_request(usage, terms)


def usd_per_1k_reserved(usage: Usage, terms: Terms) -> float | None:
    """Return what 1,000 requests cost at this traffic on machines that are always on.

    Whoever charges by the request charges the same then.
    """
    if usage.elsewhere:
        return usd_per_1k_busy(usage, terms)
    if terms.usd_per_hour is None or terms.traffic is None:
        return None
    month_usd = reserved_s_per_month(usage, terms) * terms.usd_per_hour / 3600
    return 1000 * month_usd / float(terms.traffic["requests_per_month"])


def fixed_s(usage: Usage, terms: Terms) -> float:
    """Return the machine-seconds that do not depend on volume: fitting, now and again."""
    return usage.fit_s * (1 + refits(usage, terms))


def machine_s(usage: Usage, terms: Terms) -> float:
    """Return all machine-seconds over the horizon.

    Without traffic there is no horizon to spread a fit over: only serving is compared then.
    """
    return serving_s(usage, terms) + (fixed_s(usage, terms) if terms.traffic else 0.0)


def cost_of(usage: Usage, terms: Terms) -> CostParts:
    """Return the parts of an arm's cost, and what is not counted."""
    fitting = fitting_usd(usage, terms)
    labels, people, missing = _labour(usage, terms)
    if terms.usd_per_hour is None:
        missing.append(MACHINE_TIME)
    if usage.elsewhere and usage.usd_per_request is None:
        missing.append(
            "requests to a hosted model (model.usd_per_million_…_tokens, or a row of prices)"
        )
    elif usage.fit_charged_usd is None:
        missing.append(FITTING_REQUESTS)
    if not terms.traffic:
        missing.append(
            "labels, people's time, fitting and re-fitting (they need `traffic`; without it serving"
            " 1,000 requests is compared)"
        )
    return CostParts(
        labels_usd=labels,
        people_usd=people,
        fitting_usd=fitting,
        refitting_usd=None if fitting is None else refits(usage, terms) * fitting,
        serving_usd=_serving_usd(usage, terms),
        not_counted=tuple(missing),
        machine_s=None if usage.elsewhere else machine_s(usage, terms),
    )


def fitting_usd(usage: Usage, terms: Terms) -> float | None:
    """Return what one fit costs: our machine's time and what was charged, as far as known."""
    machine = None if terms.usd_per_hour is None else usage.fit_s * terms.usd_per_hour / 3600
    if not usage.fit_charged_usd:
        return machine
    return (machine or 0.0) + usage.fit_charged_usd


def _serving_usd(usage: Usage, terms: Terms) -> float | None:
    if usage.elsewhere:
        return None if usage.usd_per_request is None else terms.requests * usage.usd_per_request
    if terms.usd_per_hour is None:
        return None
    return serving_s(usage, terms) * terms.usd_per_hour / 3600


def total_usd(parts: CostParts, terms: Terms) -> float | None:
    """Return the sum of the counted parts, or None where serving has no price."""
    if parts.serving_usd is None:
        return None
    if not terms.traffic:
        return parts.serving_usd
    counted = (parts.labels_usd, parts.people_usd, parts.fitting_usd, parts.refitting_usd)
    return parts.serving_usd + sum(part for part in counted if part is not None)


def fixed_cost(usage: Usage, terms: Terms) -> float:
    """Return what does not depend on volume, in the arm's `unit`; unpriced fitting not counted."""
    if unit(usage, terms) != "usd":
        return fixed_s(usage, terms)
    labels, people, _ = _labour(usage, terms)
    fitting = (fitting_usd(usage, terms) or 0.0) * (1 + refits(usage, terms))
    return fitting + (labels or 0.0) + (people or 0.0)


def cost_per_request(usage: Usage, terms: Terms) -> float:
    """Return the cost of one more request under busy time, in the arm's `unit`."""
    if usage.usd_per_request is not None:
        return usage.usd_per_request
    seconds = 1 / usage.throughput_per_s
    return seconds if terms.usd_per_hour is None else seconds * terms.usd_per_hour / 3600


def total_cost(usage: Usage, terms: Terms) -> float:
    """Return all that an arm costs over the horizon, in its `unit`."""
    if usage.elsewhere or not terms.reserved:
        return fixed_cost(usage, terms) + terms.requests * cost_per_request(usage, terms)
    price = 1.0 if terms.usd_per_hour is None else terms.usd_per_hour / 3600
    return fixed_cost(usage, terms) + serving_s(usage, terms) * price


def break_even_requests(first: Usage, second: Usage, terms: Terms) -> float | None:
    """Return N* = (fixed_A − fixed_B) / (c_B − c_A), or None where one is always cheaper."""
    fixed = fixed_cost(first, terms) - fixed_cost(second, terms)
    slope = cost_per_request(second, terms) - cost_per_request(first, terms)
    if slope == 0 or fixed / slope <= 0:
        return None
    return fixed / slope


def _labour(usage: Usage, terms: Terms) -> tuple[float | None, float | None, list[str]]:
    missing = []
    labels = people = None
    per_label, per_hour = terms.labour["usd_per_label"], terms.labour["usd_per_hour"]
    if not usage.labels_n:
        labels = 0.0
    elif per_label is not None:
        labels = per_label * usage.labels_n
    else:
        missing.append("labels (labour.usd_per_label)")
    hours = terms.labour["hours"]
    own = hours.get(usage.arm, hours.get(usage.arm.split("@")[0]))
    if per_hour is not None and own is not None:
        people = per_hour * own
    else:
        missing.append("people's time (labour.usd_per_hour and hours)")
    return labels, people, missing
