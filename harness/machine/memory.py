"""Main memory as this process may use it: the machine's, or less where a container limits it.

In a container psutil gives the host's figures; a process that goes by them is killed. Limits of
control groups are read where the kernel documents them: version 2 in
https://docs.kernel.org/admin-guide/cgroup-v2.html ("Memory Interface Files"), version 1 in
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html, /proc/self/cgroup in cgroups(7). Knows
nothing of GPUs. Not covered: file systems of groups that are mounted elsewhere than /sys/fs/cgroup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


@dataclass(frozen=True)
class _Layout:
    """Where a version of control groups keeps its figures, all in bytes."""

    folder: str
    """Below ROOT; the groups' own paths start there."""
    limit: str
    used: str
    reclaimable: str
    """Field of memory.stat, groups below included: pages of files that give way first."""


VERSION_2 = _Layout("", "memory.max", "memory.current", "inactive_file")
VERSION_1 = _Layout(
    "memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
)


def total_bytes() -> int:
    """Return the memory of this machine, or the lowest limit of the groups that we are in."""
    limits = [limit for limit, _ in _limits()]
    return min([int(psutil.virtual_memory().total), *limits])


def available_bytes() -> int:
    """Return the memory that a process may take now."""
    left = [max(0, limit - used) for limit, used in _limits()]
    return min([int(psutil.virtual_memory().available), *left])


def _limits() -> Iterator[tuple[int, int]]:
    """Yield limit and use of each group that we are in and that has a limit, in bytes."""
    for layout, path in _own_groups():
        for folder in _upwards(ROOT / layout.folder, path):
            limit = _number(folder / layout.limit)
            if limit is not None:
                used = _number(folder / layout.used) or 0
                yield limit, max(0, used - _reclaimable(folder, layout.reclaimable))


def _own_groups() -> Iterator[tuple[_Layout, str]]:
    """Yield layout and path of our group in each hierarchy that may limit memory."""
    for line in _lines(OWN_GROUPS):
        number, controllers, path = line.split(":", 2)
        if number == "0":
            yield VERSION_2, path
        elif "memory" in controllers.split(","):
            yield VERSION_1, path


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folders of a group and of all above it.

    In a container the path may be the host's, and what is mounted the container's own group: then
    no folder is there but the last.
    """
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:depth])


def _reclaimable(folder: Path, field: str) -> int:
    for line in _lines(folder / "memory.stat"):
        name, _, value = line.partition(" ")
        if name == field:
            return int(value)
    return 0


def _number(file: Path) -> int | None:
    """Return what a file holds; None where it is not there or says "max": no limit."""
    text = "".join(_lines(file)).strip()
    return int(text) if text.isdecimal() else None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:  # another system, another version, or a group that is gone
        return []
