"""Which nodes of a cluster can take a job, how many jobs each does at once, and what one asks for.

Who is beside whom, `occupancy.py` says. Knows nothing of Ray and of how a job gets there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from harness.errors import UserError
from harness.run.job import Job
from harness.run.launchers.occupancy import Occupancy, Stay, slots_by_cores

JobsANode = int | Literal["auto"] | None
"""Jobs that a node does at once; None: one, or with GPUs one for each; "auto": the same, and
without GPUs as many as its cores allow (`slots_by_cores`)."""
PATIENCE_S = 60.0
"""For a node that can take a job to come (back), where there is none at all."""


@dataclass(frozen=True)
class Node:
    """A machine of a cluster, as the cluster was told of it."""

    id: str
    name: str
    cpus: float
    gpus: float = 0.0
    memory_bytes: int = 0
    classes: frozenset[str] = frozenset()
    """What `run.measure_on` may name it by: labels as KEY=VALUE, and custom resources."""


@dataclass(frozen=True)
class Demand:
    """What a job asks of its node."""

    cpus: float
    gpus: float
    memory_bytes: int
    share: float
    """Of the node."""


@dataclass(frozen=True)
class Seat:
    """A job on a node."""

    node: Node
    demand: Demand
    stay: Stay


def slots_of(node: Node, device: str, jobs_a_node: JobsANode) -> int:
    """Return how many jobs a node does at once; none if it has nothing to do them with.

    Args:
        node: which.
        device: that jobs compute on.
        jobs_a_node: as the user asked.
    """
    if node.cpus <= 0 or (device == "cuda" and node.gpus < 1):
        return 0
    if isinstance(jobs_a_node, int):
        return jobs_a_node
    if device == "cuda":
        return int(node.gpus)
    return slots_by_cores(node.cpus) if jobs_a_node == "auto" else 1


def demand(job: Job, node: Node, slots: int) -> Demand:
    """Return what a job asks of a node that does so many at once; one that is alone asks for all.

    More memory than the node has is not asked for: a forecast may be wrong, and a job that does
    not fit says so itself.
    """
    cuda, parts = job.device == "cuda", 1 if job.alone else slots
    cpus = node.cpus / parts
    gpus = (node.gpus if job.alone else max(1.0, node.gpus // parts)) if cuda else 0.0
    memory = 0 if cuda or job.expected_bytes is None else job.expected_bytes
    return Demand(
        cpus=float(int(cpus)) if cpus >= 1 else round(cpus, 2),
        gpus=gpus,
        memory_bytes=min(memory, node.memory_bytes // parts),
        share=1 / parts,
    )


class Places:
    """The nodes of a cluster and who is there.

    Args:
        nodes: returns those that live now.
        tick: called about twice a second by whoever waits; what it raises ends the waiting.
        measure_on: the class of nodes for jobs that are alone; None: any.
        jobs_a_node: see `JobsANode`.
    """

    def __init__(
        self,
        nodes: Callable[[], Sequence[Node]],
        tick: Callable[[], None],
        measure_on: str | None = None,
        jobs_a_node: JobsANode = None,
    ):
        self.nodes = nodes
        self.measure_on = measure_on
        self.jobs_a_node = jobs_a_node
        self._occupancy = Occupancy(tick)

    def slots(self, device: str) -> int:
        """Return how many jobs all nodes together do at once."""
        return sum(slots_of(node, device, self.jobs_a_node) for node in self.nodes())

    @contextmanager
    def place(self, job: Job, avoid: Collection[str] = ()) -> Iterator[Seat]:
        """Wait for a place for a job and keep it.

        Args:
            job: which.
            avoid: ids of nodes that are taken only where there is no other.

        Raises:
            UserError: no node can take it, whoever leaves.
        """
        deadline = time.monotonic() + PATIENCE_S
        known: dict[str, Node] = {}

        def offered() -> Mapping[str, int]:
            nonlocal deadline
            able = self._able(job)
            if able:
                deadline = time.monotonic() + PATIENCE_S
            elif time.monotonic() > deadline:
                raise UserError(self._none_for(job))
            able = [node for node in able if node.id not in avoid] or able
            known.update({node.id: node for node in able})
            # Those first that nobody waits to be measured on.
            able.sort(key=self._is_wanted)
            return {node.id: slots_of(node, job.device, self.jobs_a_node) for node in able}

        with self._occupancy.place(job.alone, offered) as stay:
            node = known[stay.machine]
            slots = slots_of(node, job.device, self.jobs_a_node)
            yield Seat(node, demand(job, node, slots), stay)

    def _able(self, job: Job) -> list[Node]:
        """Return the nodes that can take a job when nobody is there."""
        able = [n for n in self.nodes() if slots_of(n, job.device, self.jobs_a_node)]
        if job.alone and self.measure_on is not None:
            able = [node for node in able if self.measure_on in node.classes]
        return able

    def _is_wanted(self, node: Node) -> bool:
        return self.measure_on is not None and self.measure_on in node.classes

    def _none_for(self, job: Job) -> str:
        known = ", ".join(sorted({one for node in self.nodes() for one in node.classes})) or "none"
        if job.alone and self.measure_on is not None:
            return (
                f"run.measure_on: no node is of the class '{self.measure_on}'; known: {known}"
                " → start one with that label (`ray start --labels KEY=VALUE`), or name another"
            )
        what = "a GPU" if job.device == "cuda" else "CPUs for jobs"
        return f"no node of the cluster has {what} → start one that has, then run again"
