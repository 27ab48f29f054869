"""The rulers: wall and CPU time, and peak memory of this process tree, phase by phase.

Peak resident memory is the higher of two: the kernel's own high-water mark of this process
(VmHWM), reset when a phase begins (proc(5), /proc/pid/clear_refs), and what this process, its
descendants and the orphans that these left hold at the same moment, sampled. `getrusage` would not
do: a child's ru_maxrss starts at its parent's size. Not covered: a rise beside living children that
is over between two samples; and pages shared with a forked child count for both, since
/proc/pid/smaps_rollup, which tells them apart, walks through all of a process's pages. Knows
nothing of strategies.
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
from typing import Literal

from harness.run.keeper import descendants
from harness.run.worker.energy import ReadJoules, no_counter, used
from harness.store.records import Measurement, Phase, joules_of

SAMPLE_EVERY_S = 0.05
PF_FORKNOEXEC = 0x40
"""Flag of a process that was forked and has not begun a program (Linux, include/linux/sched.h)."""
NEWBORN_S = 1.0
"""A child that has begun none by then goes on with its parent's, and has memory of its own."""
PEAKS = ("peak_rss_bytes", "peak_gpu_bytes", "peak_gpu_allocated_bytes")


@dataclass
class _Peaks:
    anon: int = 0
    file: int = 0
    total: int = 0
    """Of the whole tree at one moment."""


class Ruler:
    """Measures the phases of this process.

    Args:
        alone: whether this process does nothing else. Otherwise its memory is not the job's, and
            is not measured.
        keeper: the process whose descendants are the job's, this one among them, and those that
            others left behind (`harness/run/keeper.py`); None: this process and its own.
    """

    def __init__(self, alone: bool = True, keeper: int | None = None) -> None:
        self.measurements: list[Measurement] = []
        self.read_joules: ReadJoules = no_counter
        self.alone = alone
        self.keeper = keeper
        self._peaks = _Peaks()
        if alone:
            threading.Thread(target=self._sample_forever, daemon=True).start()

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Measure what happens inside the `with`; a phase that fails is measured too."""
        high_water_was_reset = self.alone and _reset_high_water()
        self._peaks = _Peaks()
        self._sample()
        _reset_gpu_peak()
        joules, waited = self.read_joules(), _cpu_wait_s()
        wall, cpu = time.perf_counter(), _cpu_s()
        try:
            yield
        finally:
            wall_s, cpu_s = time.perf_counter() - wall, _cpu_s() - cpu
            # A process that never used the GPU must not be charged what it draws when idle.
            energy_j = used(joules, self.read_joules()) if _gpu_is_used() else None
            waited_now = _cpu_wait_s()
            self._sample()
            own = _status().get("VmHWM", 0) if high_water_was_reset else 0
            peaks = self._peaks
            self.measurements.append(
                Measurement(
                    phase=name,
                    wall_s=wall_s,
                    cpu_s=cpu_s,
                    peak_rss_bytes=max(own, peaks.total) or None,
                    peak_anon_bytes=peaks.anon or None,
                    peak_file_bytes=peaks.file or None,
                    peak_gpu_bytes=_gpu_peak("reserved"),
                    peak_gpu_allocated_bytes=_gpu_peak("allocated"),
                    energy_j=energy_j,
                    # A thread that ended takes its waiting with it.
                    cpu_wait_s=None
                    if waited is None or waited_now is None
                    else max(0.0, waited_now - waited),
                )
            )

    def add_wall_s(self, wall_s: float) -> None:
        """Add time to the last phase that another process spent on the same work.

        What energy that took is not known, so the phase's is not known either.
        """
        last = self.measurements[-1]
        update = {"wall_s": last.wall_s + wall_s, "energy_j": None}
        self.measurements[-1] = last.model_copy(update=update)

    def take_over(self, done: Measurement) -> None:
        """Count work that was done elsewhere as if the last phase had done it."""
        last = self.measurements[-1]
        update: dict[str, float | None] = {
            name: max(getattr(last, name) or 0, getattr(done, name) or 0) or None for name in PEAKS
        }
        update["wall_s"] = last.wall_s + done.wall_s
        update["energy_j"] = joules_of((last, done))
        self.measurements[-1] = last.model_copy(update=update)

    def record_start(self, spawned_at_s: float) -> None:
        """Record the phase `start`: from the parent's spawn to the worker's first own line."""
        status = _status() if self.alone else {}
        self.measurements.append(
            Measurement(
                phase="start",
                wall_s=time.monotonic() - spawned_at_s,
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
        if not self.alone:
            return
        own = [] if self.keeper else [os.getpid()]
        tree = _grown([*own, *descendants(self.keeper or os.getpid())])
        peaks = self._peaks
        anon = sum(status.get("RssAnon", 0) for status in tree)
        file = sum(_file_bytes(status) for status in tree)
        total = sum(status.get("VmRSS", 0) for status in tree)
        peaks.anon = max(peaks.anon, anon)
        peaks.file = max(peaks.file, file)
        peaks.total = max(peaks.total, total)


def kept_rss_bytes(keeper: int) -> int:
    """Return the resident memory of all that a worker's keeper keeps, now; its own is not in it."""
    return sum(status.get("VmRSS", 0) for status in _grown(descendants(keeper)))


def _grown(pids: list[int]) -> list[dict[str, int]]:
    """Return the memory figures of processes but for the newborn."""
    return [_status(each) for each in pids if not _newborn(each)]


def _newborn(pid: int) -> bool:
    """Tell whether a child has just been forked and may be about to begin its own program.

    Until then its parent's memory, which it shares, would count twice.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    flags, started_ticks = int(fields[6]), int(fields[19])  # see proc_pid_stat(5)
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")
    return bool(flags & PF_FORKNOEXEC) and age_s < NEWBORN_S


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


def _gpu_is_used() -> bool:
    """Tell whether this process has used the GPU so far."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def _reset_gpu_peak() -> None:
    if _gpu_is_used():
        sys.modules["torch"].cuda.reset_peak_memory_stats()


def _cpu_wait_s() -> float | None:
    """Return for how long living threads of this process have waited for a core, each counted.

    The second figure of /proc/pid/task/tid/schedstat (Linux, Documentation/scheduler/sched-stats).
    """
    waited_ns = []
    for task in Path("/proc/self/task").glob("*/schedstat"):
        try:
            waited_ns.append(int(task.read_text().split()[1]))
        except (OSError, IndexError):  # the thread has ended meanwhile
            continue
    return sum(waited_ns) / 1e9 if waited_ns else None


def _gpu_peak(kind: Literal["reserved", "allocated"]) -> int | None:
    """Return the peak since the last reset, or since the GPU was first used in this phase."""
    if not _gpu_is_used():
        return None
    cuda = sys.modules["torch"].cuda
    if kind == "allocated":
        return int(cuda.max_memory_allocated())
    return int(cuda.max_memory_reserved())
