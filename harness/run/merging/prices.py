"""The price rows of several runs in one list: each run's machines keep the rows that they had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from pydantic import ValidationError

from harness.errors import RunFolderError
from harness.prices import HostedPrice, MachinePrice, Prices
from harness.run.merging.source import AGAIN, Source
from harness.store.machine import Machine

Row = TypeVar("Row", MachinePrice, HostedPrice)


class PricesDifferError(RunFolderError):
    """Two runs have other prices for the same thing."""


def united_prices(sources: Sequence[Source]) -> Prices | None:
    """Return the price rows of all runs; None: no run had any.

    A run keeps the rows of its own machines alone, in the order of the price file, of which the
    first that stands for a machine applies. So the order of the file is found again: a row goes
    before those of other runs that stand for its machine too.

    Raises:
        PricesDifferError: a machine or a hosted model has other prices in two runs.
    """
    if all(source.header.prices is None for source in sources):
        return None
    each = [_prices_of(source) for source in sources]
    rows = _each_once([row for prices in each for row in prices.machines])
    hosted = _each_once([row for prices in each for row in prices.hosted])
    for _ in range(len(rows) ** 2):
        if not any(
            _put_before(rows, source, own) for source, own in zip(sources, each, strict=True)
        ):
            break
    united = Prices(machines=rows, hosted=hosted)
    for source, own in zip(sources, each, strict=True):
        for machine in _machines(source):
            if own.for_machine(machine) != united.for_machine(machine):
                raise PricesDifferError(_said(source, f"of {machine.cpu_model}"))
        for model in source.header.models.values():
            if own.for_hosted(model) != united.for_hosted(model):
                raise PricesDifferError(_said(source, f"of {model.name}"))
    return united


def _prices_of(source: Source) -> Prices:
    try:
        return Prices.model_validate(source.header.prices or {})
    except ValidationError:
        fix = AGAIN.format(folder=source.name)
        raise PricesDifferError(f"{source.name}: its prices cannot be read → {fix}") from None


def _said(source: Source, whose: str) -> str:
    return (
        f"{source.name}: its price {whose} differs from that in another folder → run the task"
        f" again with that folder's price file (--out {source.name}), then merge"
    )


def _machines(source: Source) -> Iterator[Machine]:
    yield source.header.machine
    for record in source.records.values():
        yield from (on.machine for on in record.hardware)


def _each_once(rows: Sequence[Row]) -> list[Row]:
    return [row for place, row in enumerate(rows) if row not in rows[:place]]


def _put_before(rows: list[MachinePrice], source: Source, own: Prices) -> bool:
    """Move one row to where it applies to a machine of its run; tell whether one was moved."""
    for machine in _machines(source):
        wanted, found = own.for_machine(machine), Prices(machines=rows).for_machine(machine)
        if wanted is not None and found is not None and wanted != found:
            rows.remove(wanted)
            rows.insert(rows.index(found), wanted)
            return True
    return False
