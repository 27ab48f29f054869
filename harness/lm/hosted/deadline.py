"""Holds everything that is read from a connection, and written to it, to one deadline a request.

A client's own timeouts are of silence: a server that sends a byte now and then would never end one.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from math import inf
from typing import Any

import httpcore2
import httpx2

DEADLINE: ContextVar[float] = ContextVar("deadline", default=inf)
"""When the request of this thread must be over, by `time.monotonic()`."""


def hold(client: httpx2.Client) -> None:
    """Have all connections of a client, proxies' too, keep the deadlines of their requests."""
    # The library takes a backend of one's own, but its client hands none on.
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx2.HTTPTransport):
            pool = transport._pool
            pool._network_backend = HeldBackend(pool._network_backend)


class HeldBackend(httpcore2.NetworkBackend):
    """Opens connections that keep the deadline."""

    def __init__(self, backend: httpcore2.NetworkBackend):
        self.backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect."""
        left_s = _left_s(timeout)
        return HeldStream(
            self.backend.connect_tcp(host, port, left_s, local_address, socket_options)
        )

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.backend.sleep(seconds)


class HeldStream(httpcore2.NetworkStream):
    """A connection that keeps the deadline."""

    def __init__(self, stream: httpcore2.NetworkStream):
        self.stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read some bytes."""
        return self.stream.read(max_bytes, _left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all bytes."""
        self.stream.write(buffer, _left_s(timeout))

    def close(self) -> None:
        """Close the connection."""
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Return the same connection, enciphered."""
        return HeldStream(self.stream.start_tls(ssl_context, server_hostname, _left_s(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """Return what the connection says of itself."""
        return self.stream.get_extra_info(info)


def _left_s(timeout: float | None) -> float | None:
    """Return how long may be waited: no longer than allowed, nor than there is time left.

    Raises:
        httpcore2.ReadTimeout: there is none left.
    """
    left_s = DEADLINE.get() - time.monotonic()
    if left_s <= 0:
        raise httpcore2.ReadTimeout("the deadline is over")
    if left_s == inf:
        return timeout
    return left_s if timeout is None else min(timeout, left_s)
