"""Where a Ray cluster is: what its address says, who answers there, and how it is reached.

Ray is imported when a cluster is reached and not before. Knows nothing of nodes and jobs.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from harness.errors import UserError

LOCAL = "ray"
"""Address that means a Ray of this machine, started for the run and ended with it."""
CLIENT = "ray://"
"""Begins the address of a cluster that is reached from outside, by Ray's own server for that."""
CLIENT_PORT, HEAD_PORT = 10001, 6379
"""Where Ray listens by default, for those outside (`ray://`) and for machines of the cluster."""
REACH_S = 10.0
"""For a head to take a connection."""
NO_RAY = "Ray is not installed → pip install 'worth-tuning[ray]', here and on each node"
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
"""Ray tells nobody of a run of ours."""


def reached(address: str) -> tuple[Any, bool]:
    """Return Ray, connected to a cluster, and whether that was done now and is to be undone.

    Raises:
        UserError: there is no Ray here, or no cluster there.
    """
    with as_before():
        ray = _ray()
        ours = not ray.is_initialized()
        if ours:
            _reach(ray, address)
    return ray, ours


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


def _refused(address: str, why: str) -> str:
    more = "; if it asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN"
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
    return f"{address}: no Ray cluster can be used ({why}) → {fix}{more}"


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


@contextmanager
def as_before() -> Iterator[None]:
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
