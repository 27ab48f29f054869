"""What "cheaper" means in a comparison, in words: unit, horizon, prices, and what is apart."""

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
        machine: that was measured.
        terms: traffic and what is paid for.
        usages: of the arms that finished.
    """
    price = prices.for_machine(machine)
    if terms.traffic:
        months, monthly = terms.months, terms.traffic["requests_per_month"]
        horizon = f"{numbers.count(monthly)} requests a month for {months:g} months"
        how = "a reserved machine" if terms.reserved else "the seconds that requests take"
        horizon += f", paying for {how}"
    else:
        horizon = "serving 1,000 requests (no traffic is given), fitting shown beside it"
    if price is not None:
        basis = (
            f"Dollars over {horizon}, at ${price.usd_per_hour:g} an hour:"
            f" {price.name}, read {price.read_on} at {price.source}, which the price file lets"
            " stand for the machine that was measured."
        )
        if price.stands_for and not (price.stands_for.cpu_model or price.stands_for.gpu):
            basis += " It names no processor there: that the two are alike is an assumption."
    elif usages and common_unit(usages, terms) == "usd":
        basis = f"Dollars over {horizon}. No price row stands for this machine."
    else:
        basis = (
            f"Machine-seconds over {horizon}. No price row stands for this machine,"
            " so money is not known."
        )
    return basis + _apart(terms, usages) + "".join(_read(row) for row in prices.hosted)


def _read(row: HostedPrice) -> str:
    return f" Token prices of {row.name}: read {row.read_on} at {row.source}."


def cost_notes(
    rows: Sequence[ArmResult], choice: str | None, terms: Terms, price: MachinePrice | None
) -> Iterator[str]:
    """Yield what must be known of costs to believe a verdict that rests on them.

    Args:
        rows: of all arms.
        choice: the recommended arm, if there is one.
        terms: traffic and what is paid for.
        price: what the machine costs that was measured, where a row stands for it.
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
            f"People's time is part of the cost of {listed(counted)} and not of {listed(missing)}:"
            " these seem cheaper than they are → give labour.hours for every arm."
        )


def _too_large(rows: Sequence[ArmResult], price: MachinePrice) -> Iterator[str]:
    """Say which arms took more memory than the machine has at whose price they are counted."""
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
                    f" {has_gib:g} GiB of {price.name}, at whose price it is counted: it needs a"
                    " larger machine, which is dearer → give the price of one (prices)."
                )


def _labels_note(rows: Sequence[ArmResult], choice: str | None) -> Iterator[str]:
    """Say so where labels are most of what the chosen arm costs over the horizon."""
    row = next((row for row in rows if row.strategy == choice), None)
    if row is None or row.cost.labels_usd is None or not row.total_usd:
        return
    share = row.cost.labels_usd / row.total_usd
    if share > 1 / 2:
        without = [other.strategy for other in rows if other.cost.labels_usd == 0]
        does = "does" if len(without) == 1 else "do"
        which = f", which {listed(without)} {does} without," if without else ""
        yield (
            f"Labels{which} are {numbers.percent(share)} of what {row.strategy} costs"
            f" ({numbers.usd(row.cost.labels_usd)} of {numbers.usd(row.total_usd)})."
        )


def _apart(terms: Terms, usages: Usages) -> str:
    """Say which arms were answered elsewhere, and which of these cost cannot order."""
    away = [usage for usage in usages if usage.elsewhere]
    if not away:
        return ""
    text = f" {_names(away)}: requests cost what is charged for them, whatever pays the machine."
    unit = common_unit(usages, terms)
    if others := [usage for usage in away if costs_of(usage, terms).unit != unit]:
        text += f" The cost of {_names(others)} is not comparable: simplicity decides in its place."
    return text


def _names(usages: Usages) -> str:
    return ", ".join(usage.arm for usage in usages)
