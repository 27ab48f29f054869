"""Where a run's jobs are done: how many at once on this machine, or on which cluster."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import UserError

if TYPE_CHECKING:
    from harness.run.launchers.base import NewLauncher
    from harness.task import Task


def launcher_of(task: Task, on: str | None = None) -> NewLauncher:
    """Return what makes the launcher that a task asks for (`run.parallel`, `run.on`).

    Args:
        task: which.
        on: the cluster that the user named instead of the task's.

    Raises:
        UserError: there is no such cluster, no Ray here, or nodes are named without a cluster.
    """
    run = task.spec.run
    where = on or run.on
    if where is None and run.measure_on is not None:
        raise UserError(
            f"run.measure_on ({run.measure_on}) names nodes of a cluster, and this run is on this"
            " machine → name the cluster (--on or run.on), or leave run.measure_on out"
        )
    if where is None:
        from harness.run.launchers.local import LocalLauncher

        return partial(LocalLauncher, slots=_slots(run.parallel))
    from harness.run.launchers.ray import RayLauncher
    from harness.run.launchers.ray_address import check_reachable

    check_reachable(where)  # before forecasts are made, which take a while
    return partial(
        RayLauncher,
        address=where,
        measure_on=run.measure_on,
        jobs_a_node=None if run.parallel == 1 else run.parallel,
    )


def _slots(parallel: int | str) -> int:
    """Return how many jobs may be done at once on this machine."""
    from harness.machine.device import gpu_ids
    from harness.run.launchers.occupancy import slots_by_cores

    if isinstance(parallel, int):
        return parallel
    return len(gpu_ids()) or slots_by_cores(len(os.sched_getaffinity(0)))
