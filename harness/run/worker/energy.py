"""What a counter of the machine says that was used: joules, or nothing where there is none.

Only the GPU's own counter is read (NVML, through NVIDIA's nvidia-ml-py: the extra `energy`).
Nothing is estimated from power ratings or load. It counts the whole device, whoever uses it.
"""

from __future__ import annotations

from collections.abc import Callable

ReadJoules = Callable[[], float | None]
"""Joules since some fixed moment; None where no counter answers."""


def no_counter() -> None:
    """Read nothing."""


def counter(device: str) -> ReadJoules:
    """Return what reads the energy counter of the device that a trial computes on.

    There is none where the trial does not use the GPU, where nvidia-ml-py is not installed, and
    where the machine has several GPUs: which of them a trial uses is not known before it does.
    """
    if device != "cuda":
        return no_counter
    try:
        import pynvml
    except ImportError:
        return no_counter
    try:
        pynvml.nvmlInit()
        if pynvml.nvmlDeviceGetCount() != 1:
            return no_counter
        gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
    except pynvml.NVMLError:
        return no_counter

    def joules() -> float | None:
        try:
            return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)) / 1000  # millijoules
        except pynvml.NVMLError:  # before Volta there is no counter
            return None

    return joules


def used(before: float | None, after: float | None) -> float | None:
    """Return the joules between two readings; None where one is missing or it was reset."""
    if before is None or after is None or after < before:
        return None
    return after - before
