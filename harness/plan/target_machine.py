"""Where arms might run: this machine, whose speed is measured, and those of the price file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Literal

from harness.lm.sizing.budget import MOST_TOKENS
from harness.prices import Prices
from harness.store.machine import Machine
from harness.wording import numbers

GIBIBYTE = 2**30
CUDA_CONTEXT_BYTES = 600 * 2**20
"""What CUDA and its libraries take of a card beside tensors; not in torch's figures."""
SHARES: dict[str, dict[str, tuple[float, float]]] = {
    "cpu": {"forward": (0.4, 0.85), "training": (0.3, 0.65)},
    "cuda": {"forward": (0.1, 0.7), "training": (0.1, 0.8)},
}
"""Share of the matrix-product rate that work reaches, at the least and at the most. On a CPU
around what `python -m benchmarks utilisation` measured (0.68 and 0.54); on a GPU not measured here:
the most is about what torchtune's table gives on an A6000 (4,699 tokens/s of LoRA on 8B weights
are 0.85 of its 155 stated teraflops), the least an estimate of what small models leave of it."""
SQUARE, PRODUCTS = 1536, 6
BYTES_PER_S = {"cpu": 1e10, "cuda": 1e12}
"""Main memory of two cores, and a GPU's: for what reads all weights once a step. Estimates:
times rest on half and on twice of them."""


@dataclass(frozen=True)
class Place:
    """A machine as forecasts see it."""

    name: str
    device: Literal["cpu", "cuda"]
    dtype: str
    memory_bytes: int | None
    """What an arm may use: of the GPU where there is one. None: not known."""
    operations_per_s: float | None
    """Of large matrix products in `dtype`; None: not known, and so are times."""
    usd_per_hour: float | None = None
    main_bytes: int | None = None
    """Main memory beside a GPU's, for work that does not use it. None: not known."""

    @property
    def itemsize(self) -> int:
        """Bytes of a number in its dtype."""
        return 4 if self.dtype == "float32" else 2

    @property
    def most_tokens(self) -> int:
        """Tokens that the engine computes at once at the most."""
        return MOST_TOKENS[self.device]

    @property
    def usable_bytes(self) -> int | None:
        """Memory without what the device keeps for itself."""
        kept = CUDA_CONTEXT_BYTES if self.device == "cuda" else 0
        return None if self.memory_bytes is None else max(0, self.memory_bytes - kept)

    def room_bytes(self, on_gpu: bool) -> int | None:
        """Return what there is of the memory that work takes, on the GPU or not."""
        return self.usable_bytes if on_gpu or self.device == "cpu" else self.main_bytes

    @property
    def room(self) -> str:
        """What memory there is, in words that say what it is of where there is a GPU."""
        if self.device == "cpu":
            return numbers.size(self.usable_bytes)
        return numbers.memory(self.main_bytes, self.usable_bytes)

    def memory(self, size_bytes: int | None, on_gpu: bool | None) -> str:
        """Return what work takes of it, in such words."""
        if self.device == "cpu":
            return numbers.size(size_bytes)
        return numbers.memory(*((None, size_bytes) if on_gpu else (size_bytes, None)))

    def span_s(self, operations: float, kind: str) -> tuple[float, float] | None:
        """Return how long so many operations take, at the least and at the most."""
        if self.operations_per_s is None:
            return None
        low, high = SHARES[self.device][kind]
        return operations / (self.operations_per_s * high), operations / (
            self.operations_per_s * low
        )

    def usd(self, seconds: float | None) -> float | None:
        """Return what so many seconds cost; None: not known. No time costs nothing anywhere."""
        if seconds == 0:
            return 0.0
        if seconds is None or self.usd_per_hour is None:
            return None
        return seconds * self.usd_per_hour / 3600


def this_place(
    machine: Machine,
    device: str,
    dtype: str,
    memory_bytes: int,
    prices: Prices | None,
    computes: bool = True,
) -> Place:
    """Return this machine, its price off the row that stands for it.

    Args:
        machine: what it is.
        device: what arms run on.
        dtype: in which number format.
        memory_bytes: main memory; a GPU's own is asked for.
        prices: the task's rows.
        computes: whether any arm multiplies matrices here: only then is the rate measured.
    """
    row = prices.for_machine(machine) if prices else None
    kind: Literal["cpu", "cuda"] = "cuda" if device.startswith("cuda") else "cpu"
    return Place(
        "this machine",
        kind,
        dtype,
        _gpu_bytes() if kind == "cuda" else memory_bytes,
        measured_operations_per_s(kind, dtype) if computes else None,
        row.usd_per_hour if row else None,
        memory_bytes,
    )


def priced_places(prices: Prices | None, dtype: str) -> Iterator[Place]:
    """Yield the machines of a price file.

    Args:
        prices: the file's rows.
        dtype: what the task asks for.
    """
    for row in prices.machines if prices else []:
        gpu = row.gpu_memory_gib is not None
        automatic = "bfloat16" if gpu else "float32"
        yield Place(
            row.name,
            "cuda" if gpu else "cpu",
            automatic if dtype == "auto" else dtype,
            _bytes(row.gpu_memory_gib if gpu else row.memory_gib),
            row.teraflops * 1e12 if row.teraflops else None,
            row.usd_per_hour,
            _bytes(row.memory_gib),
        )


@cache
def measured_operations_per_s(device: str, dtype: str) -> float:
    """Return the rate of square matrix products, the best of a few, within a second or so.

    As benchmarks/utilisation.py takes it: the second factor transposed, as linear layers have it.
    """
    import torch

    size = SQUARE if device == "cpu" else 4 * SQUARE
    left, right = (
        torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2)
    )
    best = float("inf")
    for _ in range(PRODUCTS):
        begin = perf_counter()
        product = torch.mm(left, right.T)
        product[0, 0].item()  # waits for a GPU
        best = min(best, perf_counter() - begin)
    return 2 * size**3 / best


def _bytes(gib: float | None) -> int | None:
    return None if gib is None else int(gib * GIBIBYTE)


def _gpu_bytes() -> int:
    import torch

    return int(torch.cuda.mem_get_info()[0])
