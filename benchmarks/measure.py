"""Times a piece of work and reads the memory that its process has needed so far.

The peak is that of the whole process, with loading: it is what the work asks of a machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

Measurement = dict[str, Any]
"""`wall_s`, `peak_rss_bytes` and, where a GPU computes, `peak_gpu_bytes` (else None)."""


def measured(work: Callable[[], Any]) -> tuple[Any, Measurement]:
    """Run `work` once and return what it returned, with its wall time and the peak after it."""
    _wait_for_gpu()
    start = perf_counter()
    outcome = work()
    _wait_for_gpu()
    wall_s = perf_counter() - start
    return outcome, {
        "wall_s": wall_s,
        "peak_rss_bytes": peak_rss_bytes(),
        "peak_gpu_bytes": _peak_gpu_bytes(),
    }


def peak_rss_bytes() -> int:
    """Return the largest resident size that this process has had (VmHWM), in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/self/status has no VmHWM: benchmarks need Linux")


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    return torch.cuda if torch is not None and torch.cuda.is_initialized() else None


def _wait_for_gpu() -> None:
    if cuda := _cuda():
        cuda.synchronize()


def _peak_gpu_bytes() -> int | None:
    return int(cuda.max_memory_allocated()) if (cuda := _cuda()) else None
