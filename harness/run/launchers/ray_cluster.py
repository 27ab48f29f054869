"""A Ray cluster in use: what its nodes are, whether they run the same, and what is begun on them.

Knows nothing of jobs. Ray is imported when a cluster is reached and not before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from harness.errors import ClusterLostError, UserError
from harness.run.launchers.places import Node
from harness.run.launchers.ray_address import LOCAL, as_before, reached
from harness.run.launchers.ray_versions import (
    CODE,
    COMPARED,
    asking,
    refuse_difference,
    versions_here,
)

ANSWER_S = 120.0
"""For all nodes to say what they run: a worker of Ray's takes seconds to start."""


class Cluster:
    """A cluster that was reached.

    Args:
        address: `ray`, `ray://HOST:PORT`, or what `ray.init` takes.

    Raises:
        UserError: there is no Ray here, or no cluster there.
    """

    def __init__(self, address: str = LOCAL):
        self.address = address
        self.ray, self._ours = reached(address)

    def nodes(self) -> list[Node]:
        """Return the nodes that live now.

        Raises:
            ClusterLostError: the cluster is gone.
        """
        with self.answering():
            return [_node(told) for told in self.ray.nodes() if told["Alive"]]

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Have all that means that the cluster is gone say so; errors of Ray's own pass.

        By `ray://` these are errors of gRPC.

        Raises:
            ClusterLostError: it is gone.
        """
        told = self.ray.exceptions
        try:
            yield
        except Exception as problem:
            if isinstance(problem, told.RayError) and not isinstance(problem, told.RpcError):
                raise
            why = f"{type(problem).__name__}: {problem}".strip().split("\n")[0]
            raise ClusterLostError(
                f"the Ray cluster at {self.address} is gone ({why})"
                " → start it again, then run again: what is recorded is not run twice"
            ) from problem

    def begun(
        self, node: Node, work: Callable[..., Any], arguments: tuple[Any, ...], **options: Any
    ) -> Any:
        """Begin something on a node, or not at all; return the reference to what will come of it.

        Args:
            node: which.
            work: a function.
            arguments: of it.
            options: of a task of Ray's: what it asks of the node, and its name.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        there = NodeAffinitySchedulingStrategy(node_id=node.id, soft=False)
        remote = self.ray.remote(max_retries=0, scheduling_strategy=there, **options)
        with self.answering():
            return remote(work).remote(*arguments)

    def kept(self, parcel: bytes) -> Any:
        """Have Ray keep a parcel; return the reference by which a node gets it.

        Raises:
            UserError: it has no room.
            ClusterLostError: the cluster is gone.
        """
        told = self.ray.exceptions
        try:
            with self.answering():
                return self.ray.put(parcel)
        except (told.ObjectStoreFullError, told.OutOfDiskError) as problem:
            raise UserError(no_store(f"{len(parcel) / 2**20:,.0f} MiB for a node")) from problem

    def close(self) -> None:
        """Leave the cluster; one that was started for this run ends."""
        if self._ours:
            with as_before():
                self.ray.shutdown()

    def check_versions(self) -> None:
        """See that every node runs what this machine runs.

        Raises:
            UserError: one runs something else, or does not answer.
        """
        here, nodes = versions_here(), self.nodes()
        asked = {n: self.begun(n, asking(), (COMPARED, CODE), num_cpus=0) for n in nodes}
        for node, there in self.answers(asked):
            refuse_difference(here, there, node.name)

    def answers(self, asked: Mapping[Node, Any]) -> Iterator[tuple[Node, Any]]:
        """Yield what nodes say that were asked something, as it comes.

        One that is gone meanwhile says nothing.

        Args:
            asked: by node, the reference to what was begun there.

        Raises:
            UserError: one does not answer, or what it was asked fails there.
        """
        nodes = {reference: node for node, reference in asked.items()}
        waiting, until = list(nodes), time.monotonic() + ANSWER_S
        while waiting and time.monotonic() < until:
            said, waiting = self.ray.wait(waiting, timeout=0.5)
            for reference in said:
                try:
                    answer = self.ray.get(reference)
                except self.ray.exceptions.RayTaskError as problem:
                    name, cause = nodes[reference].name, problem.cause
                    raise UserError(f"the node {name}: {type(cause).__name__}: {cause}") from cause
                except self.ray.exceptions.RayError:
                    continue
                yield nodes[reference], answer
        for reference in waiting:
            raise UserError(
                f"the node {nodes[reference].name} did not answer within {ANSWER_S:.0f} s: it"
                " hangs, or others use all of it → look at it with `ray status`, or take it out of"
                " the cluster"
            )


def joined(address: str = LOCAL) -> Cluster:
    """Reach a cluster and see that every node runs what this machine runs.

    Args:
        address: `ray` (one of this machine, started for the run), `ray://HOST:PORT`, or on a
            machine of a cluster what `ray.init` takes.

    Raises:
        UserError: there is no such cluster, or a node runs something else.
    """
    cluster = Cluster(address)
    try:
        cluster.check_versions()
    except BaseException:
        cluster.close()
        raise
    return cluster


def no_store(what: str) -> str:
    """Say that Ray has no room to keep what travels."""
    return (
        f"Ray's object store is full: no room for {what} → start the nodes with a larger one"
        " (`ray start --object-store-memory BYTES`), or free space where it spills to"
        " (the disk of /tmp/ray), then run again"
    )


def _node(told: Mapping[str, Any]) -> Node:
    resources = told["Resources"]
    labels = told.get("Labels") or {}
    own = {name for name in resources if not name.startswith(("node:", "object_store_"))}
    classes = {f"{key}={value}" for key, value in labels.items() if key != "ray.io/node-id"}
    return Node(
        id=told["NodeID"],
        name=told["NodeManagerAddress"],
        cpus=resources.get("CPU", 0.0),
        gpus=resources.get("GPU", 0.0),
        memory_bytes=int(resources.get("memory", 0)),
        classes=frozenset(classes | (own - {"CPU", "GPU", "memory"})),
    )
