"""What "cheaper" means in a comparison, in words: unit, horizon, prices, and what is apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import numbers
from harness.judge import cost
from harness.judge.comparison import Row
from harness.prices import HostedPrice, Prices
from harness.records import Machine

Usages = Sequence[cost.Usage]


def cost_basis(prices: Prices, machine: Machine, terms: cost.Terms, usages: Usages) -> str:
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
    elif usages and cost.common_unit(usages, terms) == "usd":
        basis = f"Dollars over {horizon}. No price row stands for this machine."
    else:
        basis = (
            f"Machine-seconds over {horizon}. No price row stands for this machine,"
            " so money is not known."
        )
    return basis + _apart(terms, usages) + "".join(_read(row) for row in prices.hosted)


def _read(row: HostedPrice) -> str:
    return f" Token prices of {row.name}: read {row.read_on} at {row.source}."


def labels_note(row: Row | None, terms: cost.Terms) -> Iterator[str]:
    """Say so where labels are most of what the chosen arm costs over the horizon."""
    if row is None or row.cost.labels_usd is None or not row.total_usd:
        return
    if not terms.traffic:  # then the total is serving alone, of which labels are no part
        return
    share = row.cost.labels_usd / row.total_usd
    if share > 1 / 2:
        yield (
            f"Labels are {numbers.percent(share)} of what {row.strategy} costs"
            f" ({numbers.usd(row.cost.labels_usd)} of {numbers.usd(row.total_usd)}): their price"
            " decides more than the machine's."
        )


def _apart(terms: cost.Terms, usages: Usages) -> str:
    """Say which arms were answered elsewhere, and which of these cost cannot order."""
    away = [usage for usage in usages if usage.elsewhere]
    if not away:
        return ""
    text = f" {_names(away)}: requests cost what is charged for them, whatever pays the machine."
    unit = cost.common_unit(usages, terms)
    if others := [usage for usage in away if cost.unit(usage, terms) != unit]:
        text += f" The cost of {_names(others)} is not comparable: simplicity decides in its place."
    return text


def _names(usages: Usages) -> str:
    return ", ".join(usage.arm for usage in usages)
