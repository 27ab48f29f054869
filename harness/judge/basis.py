"""What "cheaper" means in a comparison, in words: unit, horizon, prices, and what is apart."""

from __future__ import annotations

from collections.abc import Sequence

from harness import numbers
from harness.judge import cost
from harness.prices import MachinePrice


def cost_basis(price: MachinePrice | None, terms: cost.Terms, usages: Sequence[cost.Usage]) -> str:
    """Return the sentences that stand beside the costs.

    Args:
        price: the row that stands for the machine, if any.
        terms: traffic and what is paid for.
        usages: of the arms that finished.
    """
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
    return basis + _apart(terms, usages)


def _apart(terms: cost.Terms, usages: Sequence[cost.Usage]) -> str:
    """Say which arms were answered elsewhere, and which of these cost cannot order."""
    away = [usage for usage in usages if usage.elsewhere]
    if not away:
        return ""
    text = f" {_names(away)}: requests cost what is charged for them, whatever pays the machine."
    unit = cost.common_unit(usages, terms)
    if others := [usage for usage in away if cost.unit(usage, terms) != unit]:
        text += f" The cost of {_names(others)} is not comparable: simplicity decides in its place."
    return text


def _names(usages: Sequence[cost.Usage]) -> str:
    return ", ".join(usage.arm for usage in usages)
