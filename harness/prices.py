"""What machines cost: rows that cite a page that somebody read, with the date.

An editable YAML file. A row's price applies to measured figures only where `stands_for` matches
the machine that was measured; what no row matches is unknown, never 0.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.errors import Fault, TaskError
from harness.records import Machine
from harness.source import Source


class StandsFor(BaseModel):
    """Which measured machines a price row may be applied to; every given key must match."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_model: str | None = None
    """Part of the processor's name as the machine reports it."""
    cores: int | None = None
    gpu: str | None = None
    """Part of the GPU's name; without it the row never stands for a machine with a GPU."""

    def matches(self, machine: Machine) -> bool:
        """Tell whether this row's price may be applied to figures measured on `machine`."""
        if (self.gpu is None) != (machine.gpu is None):
            return False
        return (
            (self.cpu_model is None or self.cpu_model.lower() in machine.cpu_model.lower())
            and (self.cores is None or self.cores == machine.cores)
            and (self.gpu is None or self.gpu.lower() in str(machine.gpu).lower())
        )


class MachinePrice(BaseModel):
    """The price of one kind of machine."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_min_length=1, allow_inf_nan=False)

    name: str
    usd_per_hour: Annotated[float, Field(gt=0)]
    source: str
    """Address of the page that was read, or whose invoice it is."""
    read_on: date
    stands_for: StandsFor | None = None


class Prices(BaseModel):
    """A whole price file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machines: list[MachinePrice] = []

    def for_machine(self, machine: Machine) -> MachinePrice | None:
        """Return the first row that stands for `machine`, or None."""
        rows = (row for row in self.machines if row.stands_for and row.stands_for.matches(machine))
        return next(rows, None)


def read_prices(path: Path) -> Prices:
    """Read a price file.

    Raises:
        TaskError: with every fault in it.
    """
    source = Source(path, "name the price file under `prices`")
    try:
        return Prices.model_validate(source.value)
    except ValidationError as problem:
        raise TaskError(
            [
                Fault(source.where(list(error["loc"])), f"{error['msg']}, got {error['input']!r}")
                for error in problem.errors()
            ]
        ) from None
