"""Peak memory of an arm: of main memory, of the GPU, and which of them a limit is held against."""

from __future__ import annotations

from typing import NamedTuple

from harness.analysis.schema.comparison import Row
from harness.store.records import Machine
from harness.wording import numbers


class Peaks(NamedTuple):
    """The highest peaks over some phases and all seeds."""

    ram_bytes: int | None
    """Resident main memory of the process tree."""
    gpu_bytes: int | None = None
    """What torch reserved on the GPU; None where none was used."""

    @property
    def limited_bytes(self) -> int | None:
        """What limits are held against: of the GPU where one was used, else of main memory."""
        return self.ram_bytes if self.gpu_bytes is None else self.gpu_bytes

    @property
    def place(self) -> str:
        """Where that was, in words; nothing for main memory."""
        return "" if self.gpu_bytes is None else " on the GPU"


def fitting_memory(row: Row, machine: Machine) -> str:
    """Return an arm's peak memory while it was fitted, in words."""
    return _text(row.fit_peak_bytes, Peaks(row.fit_peak_ram_bytes, row.fit_peak_gpu_bytes), machine)


def serving_memory(row: Row, machine: Machine) -> str:
    """Return an arm's peak memory while it answered, in words."""
    peaks = Peaks(row.predict_peak_ram_bytes, row.predict_peak_gpu_bytes)
    return _text(row.predict_peak_bytes, peaks, machine)


def _text(limited_bytes: int | None, peaks: Peaks, machine: Machine) -> str:
    """Say what each figure is of, on a machine with a GPU; what earlier versions judged cannot."""
    if machine.gpu is None or peaks == (None, None):
        return numbers.size(limited_bytes)
    return numbers.memory(*peaks)
