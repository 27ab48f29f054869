"""Has each job done on a node of a Ray cluster, by the launcher of fresh interpreters there.

Ray says which nodes there are and carries the parcels; which job goes where is decided here
(`places.py`), because one that is measured must have a node to itself. Nothing relies on a folder
that machines share: what a job needs travels by content, what it leaves comes back, through Ray or
where one is named through a shared folder. A node that is lost costs the jobs that it did, and
these are done again elsewhere.

Not sent: this project and its packages, which each node has (`Cluster.check_versions`), models,
which each node fetches by name and revision, and the environment, of which a job has its node's,
and the secrets that are its own. Those travel as an argument of their own, which Ray keeps in
memory; between machines Ray sends in plain text unless it is told to encrypt (RAY_USE_TLS).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import ClusterLostError, HarnessError
from harness.files.atomic import atomic_write
from harness.files.removal import remove
from harness.run.job import JOB, PRINTED, RESULT, Inputs, Job
from harness.run.launchers.base import Begun, Tick, stopped, unheard
from harness.run.launchers.luggage import luggage
from harness.run.launchers.on_node import INPUTS, OWN, ROOT, Delivery, Order
from harness.run.launchers.parcel import laid_down, packed, stamps
from harness.run.launchers.places import JobsANode, Places, Seat
from harness.run.launchers.ray_cluster import Cluster
from harness.run.launchers.ray_task import NodeLostError, Task
from harness.run.launchers.shared_folder import SharedFolder
from harness.store.records import Note, WorkerResult
from harness.store.run_folder import as_jsonl

MOST_RETRIES = 3
"""Times that a job is begun again because its node was lost."""
IDLE_GPU = Note(
    kind="device",
    text="computed on the CPU of a node with a GPU: the nodes that arms are measured on"
    " (run.measure_on) have none → name others there, or take this node out of the cluster",
)


class RayLauncher:
    """A `Launcher` over Ray Core.

    `measure_on` names the class of nodes on which jobs that are measured run, in the two ways in
    which users of Ray name nodes: a label (`ray start --labels "bench=yes"`; here `bench=yes`), or
    a custom resource (`ray start --resources '{"bench": 1}'`; here `bench`). Ray itself gives a
    node with GPUs the resource `accelerator_type:A100` and the label
    `ray.io/accelerator-type=A100`. Such a job takes all CPUs and GPUs that its node has, so that
    no other task of the cluster that asks for any runs beside it.

    Args:
        root: the folder that jobs' paths start from.
        tick: called about twice a second by the thread that waits for a job.
        cluster: whose nodes run what this machine runs; left when the launcher is closed.
        measure_on: see above; None: any node.
        jobs_a_node: see `JobsANode`.
        shared: a folder that all its machines see; None: parcels travel through Ray.
    """

    isolated = True

    def __init__(
        self,
        root: Path,
        tick: Tick,
        cluster: Cluster,
        measure_on: str | None = None,
        jobs_a_node: JobsANode = None,
        shared: SharedFolder | None = None,
    ):
        self.root = root.resolve()
        self.tick = tick
        self.cluster = cluster
        self.shared = shared
        self.places = Places(cluster.nodes, tick, measure_on, jobs_a_node)
        self.slots = max(1, *map(self.places.slots, ("cpu", "cuda")))

    def close(self) -> None:
        """Leave the cluster."""
        if self.shared is not None:
            self.shared.close()
        self.cluster.close()

    def run(self, job: Job, inputs: Inputs, begun: Begun = unheard) -> WorkerResult:
        """Have a job done on a node."""
        folder = self.root / job.folder
        (folder / RESULT).unlink(missing_ok=True)
        remove(folder / PRINTED)
        try:
            order, parcel = self._packed(job, inputs)
            try:
                result = self._tried(job, order, parcel, begun)
            finally:
                _drop(parcel)
        except ClusterLostError:
            raise
        except HarnessError as problem:
            result = stopped("failed", str(problem))
        finally:
            atomic_write(folder / JOB, job.model_dump_json(indent=1))
        if not (folder / PRINTED).exists():
            atomic_write(folder / PRINTED, "")
        return result

    def _packed(self, job: Job, inputs: Inputs) -> tuple[Order, Any]:
        """Return a job as it travels, and where all lies that it needs: a file, or Ray's own."""
        own = luggage(job)
        needed = (job.folder, job.artifact, *(fit.artifact for fit in job.finished))
        left_out = {(job.folder / name).as_posix() for name in (JOB, RESULT, PRINTED)}
        files: dict[str, Path | bytes] = {
            f"{ROOT}/{name}": self.root / name
            for name in stamps(self.root, needed)
            if name not in left_out
        }
        for name, rows in inputs.items():
            files[f"{INPUTS}/{name}.jsonl"] = "".join(as_jsonl(rows)).encode()
        files |= {f"{OWN}/{name}": path for name, path in own.files.items()}
        order = Order(
            job=own.job.model_dump_json(),
            own_params=tuple(own.own_params),
            folders=tuple(own.folders),
            four_bits=own.four_bits,
            shared=str(self.shared.path) if self.shared else "",
        )
        return order, self.shared.kept(files) if self.shared else self.cluster.kept(packed(files))

    def _tried(self, job: Job, order: Order, parcel: Any, begun: Begun) -> WorkerResult:
        """Have a job done, elsewhere again where its node is lost."""
        lost: list[str] = []
        avoid: set[str] = set()
        while len(lost) <= MOST_RETRIES:
            with self.places.place(job, avoid) as seat:
                begun(seat.node.name)
                try:
                    result = self._done(job, replace(order, **_of(seat)), parcel, seat)
                except NodeLostError as problem:
                    lost.append(f"{seat.node.name} ({problem})")
                    avoid.add(seat.node.id)
                    continue
            retried = [Note(kind="retried", text=f"begun again: lost {one}") for one in lost]
            return result.model_copy(update={"notes": (*result.notes, *retried)})
        return stopped(
            "failed",
            f"begun {len(lost)} times, and each time its node was lost: {'; '.join(lost)}"
            " → see what ended them (`ray status`, the logs of Ray there), then run again",
        )

    def _done(self, job: Job, order: Order, parcel: Any, seat: Seat) -> WorkerResult:
        """Have a job done on a node, and lay down what it left.

        Raises:
            NodeLostError: the node is gone, or could not take it.
        """
        secrets = {name: os.environ[name] for name in job.own_secrets if name in os.environ}
        task = Task(self.cluster, seat, f"worth-tuning {job.kind}", (order, parcel, secrets))
        try:
            delivery = task.waited(self.tick)
        except (NodeLostError, ClusterLostError):
            raise
        except BaseException:
            if (left := task.called_home()) is not None:
                self._laid_down(job, left)
            raise
        if isinstance(delivery, WorkerResult):
            return delivery
        if delivery.refused:
            raise NodeLostError(delivery.refused)
        self._laid_down(job, delivery)
        result = WorkerResult.model_validate_json(delivery.account)
        if job.device == "cpu" and seat.node.gpus and job.model and job.model.hosted is None:
            result = result.model_copy(update={"notes": (*result.notes, IDLE_GPU)})
        if result.hardware is None:
            return result
        beside = {"neighbours": seat.stay.neighbours, "share": seat.demand.share}
        return result.model_copy(update={"hardware": result.hardware.model_copy(update=beside)})

    def _laid_down(self, job: Job, delivery: Delivery) -> None:
        laid_down(delivery.parcel, delivery.gone, self.root, job.folder)
        _drop(delivery.parcel)


def _drop(parcel: Any) -> None:
    """Take a parcel away that is a file of the shared folder; Ray drops its own."""
    if isinstance(parcel, Path):
        parcel.unlink(missing_ok=True)


def _of(seat: Seat) -> dict[str, Any]:
    """Return what an order says of the place where it is carried out."""
    node = seat.node
    return {"cpus": seat.demand.cpus, "node_cpus": node.cpus, "node": node.name}
