"""A folder that all machines of a cluster see: parcels travel through it and not through Ray.

For artifacts of many GB, which would fill Ray's object store. Each run has a folder of its own in
it, which goes with the run. Knows nothing of jobs.
"""

from __future__ import annotations

import atexit
import secrets
from collections.abc import Mapping
from pathlib import Path

from harness.errors import UserError
from harness.files.refusals import words_of
from harness.files.removal import remove
from harness.run.launchers.parcel import written
from harness.run.launchers.places import Node
from harness.run.launchers.ray_cluster import Cluster

OWN = "worth-tuning-"
"""Begins the names of runs' own folders."""
WRITTEN = "here"


class SharedFolder:
    """A run's own folder in one that all machines see.

    Args:
        path: of the folder that they share, the same on all of them.

    Raises:
        UserError: it is no whole path, there is none on this machine, or nothing can be written
            to it.
    """

    def __init__(self, path: Path):
        if not path.is_absolute():
            raise UserError(
                f"run.shared_folder: {path} is no whole path, and nodes work in folders of their"
                f" own → write {path.resolve()}, or where else it lies on every machine"
            )
        self.path = path / f"{OWN}{secrets.token_hex(8)}"
        atexit.register(self.close)  # a run may be refused before anybody has it to close
        try:
            self.path.mkdir()
            (self.path / WRITTEN).write_text(self.path.name)
        except OSError as problem:
            raise UserError(
                f"run.shared_folder: {words_of(problem)} → name a folder that this machine and all"
                " nodes can write to, or leave run.shared_folder out"
            ) from problem

    def check(self, cluster: Cluster) -> None:
        """See that each node reads what is written here, and that this machine reads what they
        write.

        Raises:
            UserError: not so.
        """
        asked = {
            node: cluster.begun(node, answered, (str(self.path), node.id), num_cpus=0)
            for node in cluster.nodes()
        }
        for node, said in cluster.answers(asked):
            seen = (self.path / node.id).is_file()
            problem = said if said or seen else "writes to another folder of that name"
            if problem is not None:
                raise UserError(self._not_shared(node, problem))

    def _not_shared(self, node: Node, problem: str) -> str:
        return (
            f"run.shared_folder: {self.path.parent} is not shared: the node {node.name} {problem}"
            " → mount the same folder under this path on every machine, or leave run.shared_folder"
            " out, and what jobs leave travels through Ray"
        )

    def kept(self, files: Mapping[str, Path | bytes]) -> Path:
        """Write a parcel; return where."""
        return written(self.path, files)

    def close(self) -> None:
        """Take the run's own folder away."""
        atexit.unregister(self.close)
        remove(self.path)


def answered(path: str, name: str) -> str | None:
    """Say, on a node, what is wrong with a folder there; None: it is the one that was meant."""
    folder = Path(path)
    try:
        if (folder / WRITTEN).read_text() != folder.name:
            return "has another folder of that name"
        (folder / name).touch()
    except FileNotFoundError:
        return "does not see what this machine writes there"
    except OSError as problem:
        return f"cannot use it ({words_of(problem)})"
    return None
