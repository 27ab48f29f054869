"""Where a run's jobs are done: how many at once on this machine, or on which cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.run.launchers.local import LocalLauncher
from harness.run.site import Site

if TYPE_CHECKING:
    from harness.plan.target_machine import Place
    from harness.run.launchers.places import Node
    from harness.run.launchers.ray_cluster import Cluster
    from harness.store.machine import Hardware
    from harness.task import Task


def site_of(task: Task, on: str | None = None) -> tuple[Site, Place | None]:
    """Return where a task asks for its jobs to be done (`run.parallel`, `run.on`).

    Args:
        task: which.
        on: the cluster that the user named instead of the task's.

    Returns:
        The site, and what it has as forecasts see it; None: this machine.

    Raises:
        UserError: there is no such cluster, no Ray here, a node that does not run what this machine
            runs, or nodes are named without a cluster.
    """
    run = task.spec.run
    where = on or run.on
    if where is not None:
        return _on_cluster(task, where)
    for key in ("measure_on", "shared_folder"):
        if (value := getattr(run, key)) is not None:
            raise UserError(
                f"run.{key} ({value}) is of a cluster, and this run is on this machine → name the"
                f" cluster (--on or run.on), or leave run.{key} out"
            )
    return Site(partial(LocalLauncher, slots=_slots(run.parallel))), None


def _on_cluster(task: Task, address: str) -> tuple[Site, Place | None]:
    from harness.run.launchers.ray import RayLauncher
    from harness.run.launchers.ray_cluster import joined
    from harness.run.launchers.shared_folder import SharedFolder

    run, cluster = task.spec.run, joined(address)
    shared = None
    if run.shared_folder is not None:
        shared = SharedFolder(Path(run.shared_folder))
        shared.check(cluster)
    launcher = partial(
        RayLauncher,
        cluster=cluster,
        measure_on=run.measure_on,
        jobs_a_node=None if run.parallel == 1 else run.parallel,
        shared=shared,
    )
    told = list(_survey(task, cluster))
    site = Site(launcher, tuple(hardware for hardware, _ in told))
    return site, _priced(task, *told[0]) if told else None


def _survey(task: Task, cluster: Cluster) -> Iterator[tuple[Hardware, Place]]:
    """Ask one node of each kind what it is, and yield the kind first that trials are planned for.

    That is one of those that arms are measured on, if the task names such; else one with GPUs.
    """
    from harness.plan.node_place import told_of_itself
    from harness.run.environment import computes_with_models

    dtype = task.spec.dtype if computes_with_models(task) else None
    kinds = {(node.cpus, node.gpus, node.classes): node for node in cluster.nodes() if node.cpus}
    asked = {}
    for node in kinds.values():
        about = (node.name, node.cpus, dtype)
        asked[node] = cluster.begun(node, told_of_itself, about, **_asks(node, dtype))
    wanted = task.spec.run.measure_on
    told = list(cluster.answers(asked))
    told.sort(key=lambda one: _rank(one[0], wanted), reverse=True)
    yield from (answer for _, answer in told)


def _asks(node: Node, dtype: str | None) -> dict[str, Any]:
    """Return what such a question asks of a node: of its GPUs one, which it could not see else.

    It ends its process (`max_calls`), which would keep a part of the GPU's memory.
    """
    gpus = 1 if dtype is not None and node.gpus >= 1 else 0
    return {"num_cpus": 0, "num_gpus": gpus, "max_calls": 1}


def _rank(node: Node, wanted: str | None) -> tuple[bool, float, float, str]:
    return wanted in node.classes, node.gpus, node.cpus, node.name


def _priced(task: Task, hardware: Hardware, place: Place) -> Place:
    """Return a node as forecasts see it, with its name and its price."""
    row = task.prices.for_machine(hardware.machine) if task.prices else None
    return replace(
        place, name=f"the node {hardware.node}", usd_per_hour=row.usd_per_hour if row else None
    )


def _slots(parallel: int | str) -> int:
    """Return how many jobs may be done at once on this machine."""
    from harness.machine.device import gpu_ids
    from harness.run.launchers.occupancy import slots_by_cores

    if isinstance(parallel, int):
        return parallel
    return len(gpu_ids()) or slots_by_cores(len(os.sched_getaffinity(0)))
