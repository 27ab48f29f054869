"""What machines and hosted models cost: rows that cite a page that somebody read, with the date.

An editable YAML file. A machine's price applies to measured figures only where `stands_for` matches
the machine that was measured, a hosted model's where address and name are the same; what no row
matches is unknown, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from harness.errors import Fault, TaskError, nearest_name, unknown_name
from harness.files.yaml_source import Source, quote_it
from harness.store.machine import Machine
from harness.types import Endpoint, ModelRef
from harness.wording.wrong_value import each_once, wrong_value

STALE_AFTER = timedelta(days=365)
"""Age from which a price is said to be old."""
GRACE = timedelta(days=1)
"""Where it is a day later than here, a page may have been read tomorrow."""


class StandsFor(BaseModel):
    """Which measured machines a price row may be applied to; every given key must match."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu_model: str | None = None
    """Part of the processor's name as the machine reports it."""
    cores: int | None = None
    """Cores that it has."""
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


class PriceRow(BaseModel):
    """Base of all rows: each says where its price was read, and when."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        protected_namespaces=(),
        str_min_length=1,
        allow_inf_nan=False,
    )

    source: str
    """Address of the page that was read, or whose invoice it is."""
    read_on: date
    """Day on which the page was read: 2026-01-31."""

    @field_validator("read_on")
    @classmethod
    def _not_in_the_future(cls, read_on: date, info: ValidationInfo) -> date:
        if info.context and read_on > info.context["latest"]:
            raise PydanticCustomError("future_date", "the page cannot have been read after today")
        return read_on


class MachinePrice(PriceRow):
    """The price of one kind of machine."""

    name: str
    """What the machine is called where it is offered."""
    usd_per_hour: Annotated[float, Field(gt=0)]
    """Dollars an hour."""
    memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Main memory, for forecasts: None, and what fits it is unknown."""
    gpu_memory_gib: Annotated[float, Field(gt=0)] | None = None
    """Memory of its GPU; None: it has none."""
    teraflops: Annotated[float, Field(gt=0)] | None = None
    """10¹² operations a second that its maker states, dense, in the format that models are
    computed in there (bfloat16 on a GPU); None, and times on it are unknown."""
    stands_for: StandsFor | None = None
    """Which measured machines this price is applied to; null: it is for forecasts alone."""


class HostedPrice(PriceRow):
    """What a hosted model charges for tokens."""

    model: str
    """As its server calls it."""
    base_url: str
    """Address of its server, up to and with `/v1`."""
    usd_per_million_input_tokens: Annotated[float, Field(ge=0)]
    """Dollars for a million prompt tokens."""
    usd_per_million_output_tokens: Annotated[float, Field(ge=0)]
    """Dollars for a million tokens of answers."""
    usd_per_million_cached_tokens: Annotated[float, Field(ge=0)] | None = None
    """Dollars for a million prompt tokens that the server had kept; null: not known."""

    @property
    def name(self) -> str:
        """The model and where it is asked, in words."""
        return f"{self.model} at {self.base_url}"

    def matches(self, model: ModelRef) -> bool:
        """Tell whether this is what `model` charges."""
        same_server = self.base_url.rstrip("/") == model.location.rstrip("/")
        return model.hosted is not None and same_server and self.model == model.name


class Prices(BaseModel):
    """A whole price file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    machines: list[MachinePrice] = []
    """Prices of machines."""
    hosted: list[HostedPrice] = []
    """Prices of hosted models."""

    def for_machine(self, machine: Machine) -> MachinePrice | None:
        """Return the first row that stands for `machine`, or None."""
        rows = (row for row in self.machines if row.stands_for and row.stands_for.matches(machine))
        return next(rows, None)

    def for_hosted(self, model: ModelRef) -> HostedPrice | None:
        """Return the row with what `model` charges; None where it brings prices of its own."""
        if model.hosted is None or model.hosted.has_prices:
            return None
        return next((row for row in self.hosted if row.matches(model)), None)

    def priced(self, model: ModelRef) -> Endpoint | None:
        """Return how a hosted model is asked, with its prices: its own, else those of its row."""
        row = self.for_hosted(model)
        if model.hosted is None or row is None:
            return model.hosted
        return replace(
            model.hosted,
            usd_per_million_input_tokens=row.usd_per_million_input_tokens,
            usd_per_million_output_tokens=row.usd_per_million_output_tokens,
            usd_per_million_cached_tokens=row.usd_per_million_cached_tokens,
        )

    def used(self, machines: Iterable[Machine], models: Iterable[ModelRef]) -> Prices:
        """Return the rows that apply to a run, each once and in this file's order, and no others.

        In another order a row could come to stand for a machine that an earlier one stands for.

        Args:
            machines: that measured any of its trials.
            models: that its arms use.
        """
        found = [self.for_machine(machine) for machine in machines]
        of_machines = [row for row in self.machines if any(row is one for one in found)]
        of_models = [row for model in models if (row := self.for_hosted(model))]
        return Prices(machines=of_machines, hosted=of_models)

    def stale(self, on: date, when: str = "before this run") -> Iterator[str]:
        """Say which rows were read more than a year before a day, which `when` puts in words."""
        for row in self.stale_rows(on):
            yield (
                f"the price of {row.name} was read on {row.read_on}, more than a year {when}:"
                f" read {row.source} again and `report --prices` with what it says"
            )

    def stale_rows(self, on: date) -> Iterator[MachinePrice | HostedPrice]:
        """Yield the rows that were read more than a year before a day."""
        rows: list[MachinePrice | HostedPrice] = [*self.machines, *self.hosted]
        yield from (row for row in rows if on - row.read_on > STALE_AFTER)


def read_prices(path: Path, within: Path | None = None) -> Prices:
    """Read a price file; no link may leave the folder `within` if it lies in it.

    Raises:
        TaskError: with every fault in it.
    """
    source = Source(path, "name the price file under `prices`", within)
    try:
        return Prices.model_validate(source.value, context={"latest": date.today() + GRACE})
    except ValidationError as problem:
        raise TaskError(_faults(source, problem)) from None


FIXES = {
    "greater_than": "write what you pay, or remove the row: without one the price is unknown",
    "greater_than_equal": "write what is charged, or remove the row: without one it is unknown",
    "future_date": "write the day on which it was read",
    "missing": "add it, or remove the row: a price is of use only with where and when it was read",
}
"""Remedies by the kind of error, where a price's own is better."""


def _faults(source: Source, problem: ValidationError) -> list[Fault]:
    errors = sorted(each_once(problem.errors()), key=lambda e: source.position(list(e["loc"])))
    return [_fault(source, error) for error in errors]


def _fault(source: Source, error: Any) -> Fault:
    keys = list(error["loc"])
    where, kind = source.where(keys), error["type"]
    if kind == "missing":
        return Fault(where, "this key is missing", FIXES[kind])
    if kind == "extra_forbidden":
        known = _known_keys(keys)
        near = nearest_name(str(keys[-1]), known)
        fix = f"rename it to '{near}'" if near else "remove it"
        return Fault(where, unknown_name("key", str(keys[-1]), known), fix)
    given, written = error["input"], source.written(keys)
    what, fix = wrong_value(error, f"{given}" if isinstance(given, date) else written)
    if kind == "string_type" and written:
        fix = quote_it(written)
    return Fault(where, what, FIXES.get(kind, fix) or "correct it")


def _known_keys(keys: Sequence[Any]) -> list[str]:
    """Return the keys that may stand where a key stands that is not known."""
    rows: dict[str, type[BaseModel]] = {"machines": MachinePrice, "hosted": HostedPrice}
    if len(keys) == 1:
        return [*Prices.model_fields]
    return [*(StandsFor if keys[-2] == "stands_for" else rows[keys[0]]).model_fields]
