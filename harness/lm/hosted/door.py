"""The door to a server: what is sent to it, and what of its reply is let in.

Whatever comes in has a size, ends by a deadline, stays with the server that was asked, and has no
key in it; what is no chat completion is none. Knows nothing of prompts and retries.
"""

from __future__ import annotations

import json
import time
import zlib
from typing import Any

import httpx2

from harness.lm.hosted.deadline import DEADLINE, hold
from harness.lm.hosted.reply import plain_reply
from harness.lm.hosted.unusable import UnusableReply
from harness.machine.secrets import SHORTEST, all_without, without

MOST_BYTES = 8 * 2**20
"""Of a reply's body, on the wire and unpacked: an answer of 100,000 tokens has half a million."""
WHOLE = 5
"""So many times `timeout_s`, the longest silence, an attempt may take from its first byte to the
last of its reply. One that takes longer is not made again: it would take as long."""
MOST_REDIRECTS = 5
SENT = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length", "content-type"}
    | {"host", "idempotency-key", "transfer-encoding", "user-agent"}
)
"""Headers that a server is sent, with those that begin with `CLIENT`. The client would add
organisation, project and headers of its user's environment for any server."""
CLIENT = "x-stainless-"
OPENAI = ".openai.com"
"""Hosts of the client's own makers, who are sent all that the client has for them."""
TAKEN = ("retry-after", "retry-after-ms", "x-should-retry")
"""Headers of a reply that are let in."""
MOST_OF_A_HEADER = 100
SHOWN = 100
"""Characters that are shown of what is no chat completion."""


class Door(httpx2.Client):
    """An HTTP client for one server.

    Args:
        key: the secret that must come back in nothing; None: there is none.
        timeout_s: the longest silence.
        **more: as `httpx2.Client` takes it.
    """

    def __init__(self, key: str | None, timeout_s: float, **more: Any):
        # Other packings are not unpacked here, so they are not asked for.
        super().__init__(headers={"Accept-Encoding": "gzip, deflate"}, **more)
        self._key = key
        self._whole_s = WHOLE * timeout_s
        hold(self)

    def send(self, request: httpx2.Request, **more: Any) -> httpx2.Response:
        """Send a request; return what of the reply may be let in.

        Raises:
            UnusableReply: there is none, and asking again would give none.
            httpx2.RequestError: there is none this time.
        """
        _leave_out_headers(request)
        deadline = time.monotonic() + self._whole_s
        token = DEADLINE.set(deadline)
        try:
            return self._asked(request, more)
        except httpx2.RequestError as problem:
            if isinstance(problem, httpx2.TimeoutException) and time.monotonic() >= deadline:
                said = f"took longer than {self._whole_s:g} s → raise timeout_s, of which it may"
                raise UnusableReply(f"{said} take {WHOLE} times as much", "the server") from None
            # Its words quote what the server sent, and a traceback would show them.
            raise type(problem)(without(self._key, str(problem)), request=request) from None
        finally:
            DEADLINE.reset(token)

    def _asked(self, request: httpx2.Request, more: dict[str, Any]) -> httpx2.Response:
        """Ask, and ask again where the same server says that it answers at another path."""
        for _ in range(1 + MOST_REDIRECTS):
            response = super().send(request, **{**more, "stream": True, "follow_redirects": False})
            try:
                if not response.has_redirect_location:
                    return self._let_in(request, response)
            finally:
                response.close()
            request = self._onward(request, response)
        raise UnusableReply("redirects again and again → correct base_url", "the task file")

    def _onward(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Request:
        """Return the request that a redirect wants, if it goes to the server that was asked."""
        onward = response.next_request
        if onward is not None and _same_server(request.url, onward.url):
            return onward
        place = without(self._key, response.headers["location"])[:MOST_OF_A_HEADER]
        raise UnusableReply(
            f"redirects to another server ({place!r}), which is sent neither key nor prompt"
            " → name that one as base_url if you trust it",
            "the task file",
        )

    def _let_in(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Response:
        """Return a reply, read whole, that holds nothing but what it is for.

        An answer without its key, in the protocol's form; of a refusal all its words.
        """
        body = _unpacked(_read(response), response.headers.get("content-encoding", "").lower())
        # In honest answers a short key is a word like others.
        shortest = SHORTEST if response.is_success else 1
        text = without(self._key, body.decode("utf-8", "replace"), shortest)
        try:
            value = all_without(self._key, json.loads(body), shortest)
        except (ValueError, RecursionError):
            value = text
        if response.is_success:
            value = plain_reply(value)
            if value is None:
                words = without(self._key, text)[:SHOWN]
                raise httpx2.DecodingError(f"no chat completion: {words!r}", request=request)
        headers = {
            name: without(self._key, response.headers[name])[:MOST_OF_A_HEADER]
            for name in TAKEN
            if name in response.headers
        }
        if not isinstance(value, str):
            headers["content-type"], value = "application/json", json.dumps(value)
        status = 200 if response.is_success else response.status_code
        return httpx2.Response(status, headers=headers, content=value.encode(), request=request)


def _leave_out_headers(request: httpx2.Request) -> None:
    host = f".{request.url.host}"
    if request.url.scheme == "https" and host.endswith(OPENAI):
        return
    for name in list(request.headers):
        if name.lower() not in SENT and not name.lower().startswith(CLIENT):
            del request.headers[name]


def _same_server(one: httpx2.URL, other: httpx2.URL) -> bool:
    """Tell whether two addresses are of one server; the second may be enciphered instead."""
    if one.host != other.host:
        return False
    ports = tuple({"http": 80, "https": 443}.get(url.scheme) for url in (one, other))
    first, second = one.port or ports[0], other.port or ports[1]
    return (one.scheme, first) == (other.scheme, second) or (
        (one.scheme, first, other.scheme, second) == ("http", 80, "https", 443)
    )


def _read(response: httpx2.Response) -> bytes:
    """Return a reply's body as it comes over the wire, up to `MOST_BYTES`."""
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > MOST_BYTES:
            raise _too_large()
    return bytes(body)


def _unpacked(body: bytes, packing: str) -> bytes:
    """Return a body unpacked, up to `MOST_BYTES`.

    Raises:
        UnusableReply: it is larger, or packed in another way than was asked for.
        httpx2.DecodingError: it is damaged or cut.
    """
    if packing in ("", "identity"):
        return body
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise UnusableReply("packs its reply as nobody asked it to", "the server")
    try:
        # 32: a header of either kind; -15: none, as some servers understand "deflate".
        bare = packing == "deflate" and body[:1] and body[0] & 0x0F != 8
        reader = zlib.decompressobj(-15 if bare else 32 + 15)
        found = reader.decompress(body, MOST_BYTES + 1)
    except zlib.error:
        raise httpx2.DecodingError("it is packed, and damaged") from None
    if len(found) > MOST_BYTES:
        raise _too_large()
    if not reader.eof:
        raise httpx2.DecodingError("it is packed, and cut")
    return found


def _too_large() -> UnusableReply:
    return UnusableReply(f"sends more than {MOST_BYTES // 2**20} MiB as one reply", "the server")
