"""One job as a task of Ray: begun on its node, waited for, called home, and what became of it.

Knows which of Ray's errors mean that a node is lost, and nothing of what the job is.
"""

from __future__ import annotations

from typing import Any

from harness.errors import HarnessError, shortened
from harness.run.launchers.base import Tick, stopped
from harness.run.launchers.on_node import Delivery, done
from harness.run.launchers.places import Seat
from harness.run.launchers.ray_cluster import Cluster, no_store
from harness.store.records import WorkerResult

LOOK_EVERY_S = 0.5
FAREWELL_S = 15.0
"""For a job that is stopped to bring home what it wrote."""
MOST_WORDS = 500
LOST = (
    "NodeDiedError", "LocalRayletDiedError", "WorkerCrashedError", "ObjectLostError",
    "TaskUnschedulableError", "NodeDrainingError",
)  # fmt: skip
"""Errors of Ray's by which a machine, or Ray's own process on it, is gone. A job has a process of
its own there, so none of them is the job's."""


class NodeLostError(HarnessError):
    """A node that is gone, or that could not take a job."""


class Task:
    """A job on its node.

    Args:
        cluster: which.
        seat: the node, and what the job asks of it.
        name: what Ray calls it.
        arguments: of `done`.
    """

    def __init__(self, cluster: Cluster, seat: Seat, name: str, arguments: tuple[Any, ...]):
        self.cluster = cluster
        self.ray = cluster.ray
        self.node = seat.node
        need = seat.demand
        options: dict[str, Any] = {"num_cpus": need.cpus, "num_gpus": need.gpus, "name": name}
        if need.memory_bytes:
            options["memory"] = need.memory_bytes
        self._reference = cluster.begun(seat.node, done, arguments, **options)

    def waited(self, tick: Tick) -> Delivery | WorkerResult:
        """Wait for the end; return what came back, or the account of a job that sent nothing.

        Args:
            tick: called about twice a second.

        Raises:
            NodeLostError: the node is gone.
            ClusterLostError: the cluster is gone.
        """
        try:
            while not self._has_ended(LOOK_EVERY_S):
                tick()
            return self._taken()
        except self.ray.exceptions.RayError as problem:
            return self._account_of(problem)

    def called_home(self) -> Delivery | None:
        """End the job with all that it started; return what it wrote until then, if that came.

        A task that has ended is not cancelled: where the two meet, Ray ends this whole process.
        """
        try:
            if not self._has_ended(0):
                self.ray.cancel(self._reference, force=False)
            if self._has_ended(FAREWELL_S):
                return self._taken()
            self.ray.cancel(self._reference, force=True)
        except Exception:  # it never began, or the cluster is gone: there is nothing to bring
            return None
        return None

    def _has_ended(self, within_s: float) -> bool:
        with self.cluster.answering():
            return bool(self.ray.wait([self._reference], timeout=within_s)[0])

    def _taken(self) -> Delivery:
        with self.cluster.answering():
            delivery = self.ray.get(self._reference)
        assert isinstance(delivery, Delivery)
        return delivery

    def _account_of(self, problem: BaseException) -> WorkerResult:
        """Return the account that an error of Ray's stands for.

        Raises:
            NodeLostError: it means that the node is gone.
        """
        told, node = self.ray.exceptions, self.node.name
        words = shortened(str(problem).strip().split("\n")[0], MOST_WORDS)
        if isinstance(problem, told.OutOfMemoryError):
            what = f"ended by Ray: the node {node} had hardly any memory left"
            return stopped("out_of_memory", f"{what} → run fewer jobs at once there")
        if isinstance(problem, (told.ObjectStoreFullError, told.OutOfDiskError)):
            return stopped("failed", no_store(f"what the job left on {node}"))
        if any(isinstance(problem, getattr(told, name, ())) for name in LOST):
            raise NodeLostError(type(problem).__name__) from problem
        cause = getattr(problem, "cause", None)
        if isinstance(cause, (told.ObjectStoreFullError, told.OutOfDiskError)):
            return stopped("failed", no_store(f"what the job left on {node}"))
        said = shortened(f"{type(cause).__name__}: {cause}", MOST_WORDS) if cause else words
        return stopped("failed", f"on the node {node}: {said}")
