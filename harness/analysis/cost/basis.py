"""What "cheaper" means in a comparison, in words: unit, horizon, prices, and what is not compared.

Phrases figures; computes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.cost.cost import common_unit, costs_of
from harness.analysis.cost.terms import Terms, Usage
from harness.analysis.schema.comparison import ArmResult
from harness.prices import HostedPrice, MachinePrice, Prices
from harness.store.machine import Machine
from harness.wording import numbers
from harness.wording.sentences import listed

Usages = Sequence[Usage]


def cost_basis(prices: Prices, machine: Machine, terms: Terms, usages: Usages) -> str:
    """Return the sentences that stand beside the costs.

    Args:
        prices: the rows that apply.
        machine: what the run was on.
        terms: traffic, and how serving is paid.
        usages: of the arms that finished.
    """
    price = prices.for_machine(machine)
    if terms.traffic:
        months, monthly = terms.months, terms.traffic["requests_per_month"]
        horizon = f"{numbers.count(monthly)} requests a month for {months:g} months"
        machines = "for machines that are always on"
        horizon += f", paying {machines if terms.reserved else 'per use'}"
    else:
        horizon = "serving 1,000 requests; preparation stands beside it, as no traffic is given"
    if price is not None:
        basis = (
            f"Dollars over {horizon}. The machine costs ${price.usd_per_hour:g} an hour: the price"
            f" file lets {price.name} stand for it (read {price.read_on} at {price.source})."
        )
        if price.stands_for and not (price.stands_for.cpu_model or price.stands_for.gpu):
            basis += " We assume that the two are alike; the price row names no processor."
    elif usages and common_unit(usages, terms) == "usd":
        basis = f"Dollars over {horizon}. No price row stands for this machine."
    else:
        basis = (
            f"Machine-seconds over {horizon}. No price row stands for this machine, so its cost in"
            " money is unknown."
        )
    return basis + _apart(terms, usages) + "".join(_read(row) for row in prices.hosted)


def _read(row: HostedPrice) -> str:
    return f" Token prices of {row.name}: read {row.read_on} at {row.source}."


def cost_notes(
    rows: Sequence[ArmResult], choice: str | None, terms: Terms, price: MachinePrice | None
) -> Iterator[str]:
    """Yield what a reader must know of costs before trusting a verdict that depends on them.

    Args:
        rows: of all arms.
        choice: the recommended arm, if there is one.
        terms: traffic, and how serving is paid.
        price: of the machine that the run was on, if a row stands for it.
    """
    finished = [row for row in rows if row.status == "ok"]
    if price is not None:
        yield from _too_large(finished, price)
    if not terms.traffic:  # then cost is serving alone, of which labels and people are no part
        return
    yield from _labels_note(finished, choice)
    counted = [row.strategy for row in finished if row.cost.people_usd is not None]
    missing = [row.strategy for row in finished if row.cost.people_usd is None]
    if counted and missing:
        yield (
            f"People's time is counted for {listed(counted)} and not for {listed(missing)}, which"
            " seem cheaper than they are → give labour.hours for every arm."
        )


def _too_large(rows: Sequence[ArmResult], price: MachinePrice) -> Iterator[str]:
    """Say which arms took more memory than the machine has whose price they are counted at."""
    for row in rows:
        if row.not_compared is not None:
            continue  # of another machine, at another price
        ram = max(row.fit_peak_ram_bytes or 0, row.predict_peak_ram_bytes or 0)
        gpu = max(row.fit_peak_gpu_bytes or 0, row.predict_peak_gpu_bytes or 0)
        for what, taken, has_gib in (
            ("memory", ram, price.memory_gib),
            ("GPU memory", gpu, price.gpu_memory_gib),
        ):
            if has_gib is not None and taken > has_gib * numbers.GIB:
                yield (
                    f"{row.strategy} took {numbers.size(taken)} of {what}, more than the"
                    f" {has_gib:g} GiB of {price.name}, whose price it is counted at. It needs a"
                    " larger and more expensive machine → give the price of one (prices)."
                )


def _labels_note(rows: Sequence[ArmResult], choice: str | None) -> Iterator[str]:
    """Say so if labels are most of what the chosen arm costs over the horizon."""
    row = next((row for row in rows if row.strategy == choice), None)
    if row is None or row.cost.labels_usd is None or not row.total_usd:
        return
    share = row.cost.labels_usd / row.total_usd
    if share > 1 / 2:
        without = [other.strategy for other in rows if other.cost.labels_usd == 0]
        none = "needs none" if len(without) == 1 else "need none"
        others = f" {listed(without)} {none}." if without else ""
        yield (
            f"Labels are {numbers.percent(share)} of the cost of {row.strategy}"
            f" ({numbers.usd(row.cost.labels_usd)} of {numbers.usd(row.total_usd)}).{others}"
        )


def _apart(terms: Terms, usages: Usages) -> str:
    """Say which arms' requests are charged for by others, and whose cost is not comparable."""
    away = [usage for usage in usages if usage.elsewhere]
    if not away:
        return ""
    text = f" {_names(away)}: requests cost what is charged for them, on whatever machine."
    unit = common_unit(usages, terms)
    if others := [usage for usage in away if costs_of(usage, terms).unit != unit]:
        text += f" The cost of {_names(others)} is not comparable, so simplicity decides instead."
    return text


def _names(usages: Usages) -> str:
    return ", ".join(usage.arm for usage in usages)
