"""A Ray cluster as it is found: reached, asked what its nodes are, and whether they run the same.

Knows nothing of jobs. Ray is imported when a cluster is reached and not before.
"""

from __future__ import annotations

import logging
import os
import platform
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.errors import ClusterLostError, UserError
from harness.files.hashing import sha256_of
from harness.files.reached_code import sha256_of_code
from harness.registry.source import HOME
from harness.run.launchers.places import Node

LOCAL = "ray"
"""Address that means a Ray of this machine, started for the run and ended with it."""
CLIENT = "ray://"
"""Begins the address of a cluster that is reached from outside, by Ray's own server for that."""
CLIENT_PORT, HEAD_PORT = 10001, 6379
"""Where Ray listens by default, for those outside (`ray://`) and for machines of the cluster."""
REACH_S, ANSWER_S = 10.0, 120.0
"""For a head to take a connection, and for all nodes to say what they run: a worker of Ray's takes
seconds to start."""
AUTH_MODE = "RAY_AUTH_MODE"
"""A cluster that was started where there is a token asks for it (Ray 2.59 and later); who connects
has to say that there is one."""
NO_RAY = "Ray is not installed → pip install 'worth-tuning[ray]', here and on each node"
PROJECT = "worth-tuning"
COMPARED = (PROJECT, "torch", "transformers")
"""Packages whose versions are the same on all nodes."""
CODE = "code of worth-tuning"
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
"""Ray tells nobody of a run of ours."""


class Cluster:
    """A cluster that was reached.

    Args:
        address: `ray`, `ray://HOST:PORT`, or what `ray.init` takes.

    Raises:
        UserError: there is no Ray here, or no cluster there.
    """

    def __init__(self, address: str = LOCAL):
        self.address = address
        with _as_before():
            if address != LOCAL and _has_token():  # which Ray reads when it is imported
                os.environ.setdefault(AUTH_MODE, "token")
            self.ray = _ray()
            self._ours = not self.ray.is_initialized()
            if self._ours:
                _reach(self.ray, address)

    def nodes(self) -> list[Node]:
        """Return the nodes that live now.

        Raises:
            ClusterLostError: the cluster is gone.
        """
        with self.reached():
            return [_node(told) for told in self.ray.nodes() if told["Alive"]]

    @contextmanager
    def reached(self) -> Iterator[None]:
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
        with self.reached():
            return remote(work).remote(*arguments)

    def kept(self, parcel: bytes) -> Any:
        """Have Ray keep a parcel; return the reference by which a node gets it.

        Raises:
            UserError: it has no room.
            ClusterLostError: the cluster is gone.
        """
        told = self.ray.exceptions
        try:
            with self.reached():
                return self.ray.put(parcel)
        except (told.ObjectStoreFullError, told.OutOfDiskError) as problem:
            raise UserError(no_store(f"{len(parcel) / 2**20:,.0f} MiB for a node")) from problem

    def close(self) -> None:
        """Leave the cluster; one that was started for this run ends."""
        if self._ours:
            with _as_before():
                self.ray.shutdown()

    def check_versions(self, tick: Callable[[], None]) -> None:
        """See that every node runs what this machine runs.

        Args:
            tick: called about twice a second.

        Raises:
            UserError: one runs something else, or does not answer.
        """
        here, asked = _versions(), {}
        for node in self.nodes():
            asked[self.begun(node, _asking(), (COMPARED, CODE), num_cpus=0)] = node
        waiting, rounds = list(asked), int(ANSWER_S * 2)
        while waiting and rounds:
            said, waiting = self.ray.wait(waiting, timeout=0.5)
            rounds -= 1
            for reference in said:
                with suppress(self.ray.exceptions.RayError):  # a node that is gone has no version
                    refuse_difference(here, self.ray.get(reference), asked[reference].name)
            tick()
        for reference in waiting:
            raise UserError(
                f"the node {asked[reference].name} did not answer within {ANSWER_S:.0f} s"
                " → look at it with `ray status`, or take it out of the cluster"
            )


def check_reachable(address: str) -> None:
    """See that there is Ray here, and that somebody answers where an address says.

    Raises:
        UserError: not so.
    """
    if find_spec("ray") is None:
        raise UserError(NO_RAY)
    place = _place(address)
    if place is not None:
        _knock(address, *place)


def no_store(what: str) -> str:
    """Say that Ray has no room to keep what travels."""
    return (
        f"Ray's object store is full: no room for {what} → start the nodes with a larger one"
        " (`ray start --object-store-memory BYTES`), or free space where it spills to"
        " (the disk of /tmp/ray), then run again"
    )


def _ray() -> Any:
    try:
        import ray
    except ImportError as problem:
        raise UserError(f"{NO_RAY} ({problem})") from None
    return ray


def _reach(ray: Any, address: str) -> None:
    """Connect to a cluster, or start one here.

    In this thread, which has to be the main one: processes that Ray starts end with the thread.
    """
    check_reachable(address)
    _quieten()
    options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address == LOCAL:
        options |= {"address": "local", "include_dashboard": False}
    else:
        options["address"] = address
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError, ImportError, OSError) as problem:
        why = str(problem).strip().split("\n")[0]
        raise UserError(_refused(address, why)) from problem


def _quieten() -> None:
    """Keep Ray's own words off the screen: of a lost node it prints twenty lines of a log.

    No option of Ray's covers these words; where a later version has them elsewhere, they come back.
    """
    logging.getLogger("ray").setLevel(logging.ERROR)
    with suppress(ImportError, AttributeError):
        from ray._private import worker

        assert callable(worker.print_to_stdstream)
        worker.print_to_stdstream = lambda *_, **__: None


def _has_token() -> bool:
    """Tell whether this user has a token for clusters that ask for one, by Ray's own rule."""
    named = any(os.environ.get(f"RAY_AUTH_TOKEN{end}") for end in ("", "_PATH"))
    return named or Path("~/.ray/auth_token").expanduser().is_file()


def _refused(address: str, why: str) -> str:
    token = f"; if it asks for a token, set {AUTH_MODE}=token and RAY_AUTH_TOKEN"
    if "grpc" in why:
        return f"{address}: {why} → pip install 'worth-tuning[ray]'"
    if "ersion" in why:
        return f"{address}: {why} → install the same versions of Ray and Python on both sides"
    if address.startswith(CLIENT) or address == LOCAL:
        fix = "see that `ray status` works there"
    else:
        fix = (
            f"from a machine that is none of its nodes, write {CLIENT}HOST:{CLIENT_PORT}; on a"
            " node, see that `ray status` works"
        )
    return f"{address}: no Ray cluster can be used ({why}) → {fix}{token}"


def _place(address: str) -> tuple[str, int] | None:
    """Return host and port that an address names, if it does.

    Raises:
        UserError: it names no port.
    """
    rest = address.removeprefix(CLIENT)
    host, _, port = rest.rpartition(":")
    if address.startswith(CLIENT) and not host:
        host, port = port, str(CLIENT_PORT)
    if not host:
        return None
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UserError(f"{address}: '{port}' is no port → write {CLIENT}HOST:{CLIENT_PORT}")
    return host.strip("[]"), int(port)


def _knock(address: str, host: str, port: int) -> None:
    """See that somebody listens there: Ray itself would try for minutes.

    Raises:
        UserError: nobody does.
    """
    try:
        socket.create_connection((host, port), REACH_S).close()
    except OSError as problem:
        ports = f"{CLIENT_PORT} for {CLIENT}, {HEAD_PORT} for machines of the cluster"
        raise UserError(
            f"{address}: the head cannot be reached ({problem.strerror or problem}) → start it"
            f" with `ray start --head`, and see that this machine may connect to its port ({ports})"
        ) from None


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


def _asking() -> Callable[..., dict[str, str | None]]:
    """Return a function that says what runs where it is called.

    Defined inside this one, so that Ray sends it by value: a node may not have this project.
    """

    def versions(packages: tuple[str, ...], code: str) -> dict[str, str | None]:
        import platform
        from importlib import metadata
        from importlib.util import find_spec

        found: dict[str, str | None] = {"Python": platform.python_version()}
        for name in packages:
            try:
                found[name] = metadata.version(name)
            except metadata.PackageNotFoundError:
                found[name] = None
        found[code] = None
        if find_spec("harness") is not None:
            from harness.run.launchers.ray_cluster import code_sha256

            found[code] = code_sha256()
        return found

    return versions


def code_sha256() -> str:
    """Hash this project's code as it is installed: one version number may stand for several."""
    return sha256_of([sha256_of_code(HOME), sha256_of_code(HOME.parent / "strategies")])


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"Python": platform.python_version(), CODE: code_sha256()}
    for name in COMPARED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def refuse_difference(
    here: Mapping[str, str | None], there: Mapping[str, str | None], node: str
) -> None:
    """Refuse a node that does not run what this machine runs.

    Of Python the first two numbers count, of torch not what it was built for ("+cpu").

    Raises:
        UserError: it names what, both sides, the node, and what to do.
    """
    for name in ("Python", *COMPARED, CODE):
        if _counted(name, here.get(name)) == _counted(name, there.get(name)):
            continue
        mine, other = (_said(side.get(name)) for side in (here, there))
        raise UserError(
            f"the node {node} has {name} {other}, and this machine {mine}: what they compute could"
            f" not be compared → {_remedy(name, here.get(name))}"
        )


def _counted(name: str, version: str | None) -> str | None:
    if version is None:
        return None
    return ".".join(version.split(".")[:2]) if name == "Python" else version.split("+")[0]


def _said(version: str | None) -> str:
    return "not installed" if version is None else version[:12]


def _remedy(name: str, version: str | None) -> str:
    if name == "Python":
        return f"start the node with Python {_counted(name, version)}"
    if name == CODE or version is None:
        return f"install the same {name.removeprefix('code of ')} on both"
    return f"pip install {name}=={version.split('+')[0]} on the node"


@contextmanager
def _as_before() -> Iterator[None]:
    """Have Ray change neither the environment nor how this process ends on a signal."""
    before = dict(os.environ)
    mine = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM) if mine else None
    os.environ.update(QUIET)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        if handler is not None:
            signal.signal(signal.SIGTERM, handler)
