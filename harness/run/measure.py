"""The rulers: wall and CPU time, and peak memory of this process tree, phase by phase.

Peak resident memory is the kernel's own high-water mark (VmHWM), reset when a phase begins
(proc(5), /proc/pid/clear_refs), plus that of children, sampled. `getrusage` would not do: a
child's ru_maxrss starts at its parent's size. Knows nothing of strategies.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.records import Measurement, Phase

SAMPLE_EVERY_S = 0.05


@dataclass
class _Peaks:
    anon: int = 0
    file: int = 0
    children: int = 0
    total: int = 0


class Ruler:
    """Measures the phases of this process."""

    def __init__(self) -> None:
        self.measurements: list[Measurement] = []
        self._peaks = _Peaks()
        threading.Thread(target=self._sample_forever, daemon=True).start()

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Measure what happens inside the `with`; a phase that fails is measured too."""
        high_water_was_reset = _reset_high_water()
        self._peaks = _Peaks()
        self._sample()
        _reset_gpu_peak()
        wall, cpu = time.perf_counter(), _cpu_s()
        try:
            yield
        finally:
            wall_s, cpu_s = time.perf_counter() - wall, _cpu_s() - cpu
            self._sample()
            own = _status().get("VmHWM", 0) if high_water_was_reset else 0
            peaks = self._peaks
            self.measurements.append(
                Measurement(
                    phase=name,
                    wall_s=wall_s,
                    cpu_s=cpu_s,
                    peak_rss_bytes=max(own + peaks.children, peaks.total) or None,
                    peak_anon_bytes=peaks.anon or None,
                    peak_file_bytes=peaks.file or None,
                    peak_gpu_bytes=_gpu_peak(),
                )
            )

    def add_wall_s(self, wall_s: float) -> None:
        """Add time to the last phase that another process spent on the same work."""
        last = self.measurements[-1]
        self.measurements[-1] = last.model_copy(update={"wall_s": last.wall_s + wall_s})

    def take_over(
        self, wall_s: float, peak_rss_bytes: int | None, peak_gpu_bytes: int | None
    ) -> None:
        """Count work that was done elsewhere as if the last phase had done it: time and peaks."""
        self.add_wall_s(wall_s)
        last = self.measurements[-1]
        peaks = {
            "peak_rss_bytes": max(last.peak_rss_bytes or 0, peak_rss_bytes or 0) or None,
            "peak_gpu_bytes": max(last.peak_gpu_bytes or 0, peak_gpu_bytes or 0) or None,
        }
        self.measurements[-1] = last.model_copy(update=peaks)

    def record_start(self, spawned_at_unix_s: float) -> None:
        """Record the phase `start`: from the parent's spawn to the worker's first own line."""
        status = _status()
        self.measurements.append(
            Measurement(
                phase="start",
                wall_s=time.time() - spawned_at_unix_s,
                cpu_s=_cpu_s(),
                peak_rss_bytes=status.get("VmHWM"),
                peak_anon_bytes=status.get("RssAnon"),
                peak_file_bytes=_file_bytes(status) or None,
            )
        )

    def _sample_forever(self) -> None:
        while True:
            time.sleep(SAMPLE_EVERY_S)
            self._sample()

    def _sample(self) -> None:
        own = _status()
        children = [_status(pid) for pid in descendants(os.getpid())]
        peaks = self._peaks
        anon = sum(status.get("RssAnon", 0) for status in (own, *children))
        file = sum(_file_bytes(status) for status in (own, *children))
        below = sum(status.get("VmRSS", 0) for status in children)
        peaks.anon = max(peaks.anon, anon)
        peaks.file = max(peaks.file, file)
        peaks.children = max(peaks.children, below)
        peaks.total = max(peaks.total, below + own.get("VmRSS", 0))


def descendants(pid: int) -> list[int]:
    """Return the ids of all living descendants of a process (empty off Linux)."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            direct = [int(child) for child in children.read_text().split()]
        except OSError:
            continue
        for child in direct:
            found += [child, *descendants(child)]
    return found


def tree_rss_bytes(pid: int) -> int:
    """Return the resident memory of a process and its descendants, now."""
    return sum(_status(each).get("VmRSS", 0) for each in (pid, *descendants(pid)))


def _status(pid: int | str = "self") -> dict[str, int]:
    """Return the memory figures of /proc/pid/status in bytes (empty if there are none)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    wanted = ("VmHWM", "VmRSS", "RssAnon", "RssFile", "RssShmem")
    fields = (line.split() for line in lines if line.split(":")[0] in wanted)
    return {name.rstrip(":"): int(kilobytes) * 1024 for name, kilobytes, *_ in fields}


def _file_bytes(status: dict[str, int]) -> int:
    """Return what is mapped from files, those of a file system in memory (RssShmem) included."""
    return status.get("RssFile", 0) + status.get("RssShmem", 0)


def _reset_high_water() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def _cpu_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _reset_gpu_peak() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.reset_peak_memory_stats()


def _gpu_peak() -> int | None:
    """Return the peak since the last reset, or since the GPU was first used in this phase."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_reserved())
