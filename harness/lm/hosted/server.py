"""The server of a hosted model: a connection, and what has been learnt of who answers there."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from harness.errors import EndpointError
from harness.files.network import is_loopback, setting_at_fault
from harness.lm.sizing.budget import Note
from harness.machine.secrets import without
from harness.store.records import LoadedModel
from harness.types import Context, Endpoint, ModelRef, Prediction

if TYPE_CHECKING:
    import httpx2
    import openai

CONNECT_S = 5.0
"""A server that takes longer to accept a connection is down (the client's own default)."""
FAILURES_IN_A_ROW = 10
"""So many requests that fail after all retries, none answered between: the server is down."""

SHOWN = 500
"""Characters that are shown of what a server says when it does not answer."""
MOST_NAMES = 5
"""Names of models that are noted where a server calls itself by another each time."""
MOST_OF_A_NAME = 100


@dataclass(eq=False)
class Server:
    """A connection to a model's server, and what has been learnt of that server."""

    ref: ModelRef
    endpoint: Endpoint
    client: openai.OpenAI
    seed: int
    note: Note
    logprobs: bool
    """Whether it is asked how likely its tokens are."""
    key: str | None = field(repr=False)
    refused: frozenset[str] = frozenset()
    """Settings that the server does not take."""
    answered: bool = False
    """Whether it has ever answered this process."""
    failures_in_a_row: int = 0
    answers: dict[str, Prediction] = field(default_factory=dict)
    """What it answered in this process, new or replayed, by the requests' hashes."""
    unanswered: set[str] = field(default_factory=set)
    """Hashes of requests that its server failed to answer, and may answer another time."""
    names: set[str] = field(default_factory=set)
    """Models that it said it was, beside the one that is asked for."""
    told: set[str] = field(default_factory=set)
    """Remarks that were left already."""

    def loaded(self) -> LoadedModel:
        """Return what is asked, where, and how much so far."""
        answers = list(self.answers.values())
        return LoadedModel(
            name=self.ref.name,
            hosted_at=self.ref.location,
            requests=len(answers),
            prompt_tokens=_sum(answer.prompt_tokens for answer in answers),
            cached_tokens=sum(answer.cached_tokens or 0 for answer in answers),
            output_tokens=_sum(answer.output_tokens for answer in answers),
            unanswered=len(self.unanswered),
        )

    def tell(self, text: str) -> None:
        """Leave a remark for the record, once."""
        if text not in self.told:
            self.told.add(text)
            self.note("hosted", text)

    def works(self, request: str) -> None:
        """Note that a request, named by its hash, was answered."""
        self.answered = True
        self.failures_in_a_row = 0
        self.unanswered.discard(request)

    def fails(self, request: str) -> None:
        """Note that the server, or what the task file says of it, failed a request."""
        self.failures_in_a_row += 1
        self.unanswered.add(request)

    def shown(self, text: str, most: int = SHOWN) -> str:
        """Return a server's words without the key, should it repeat that, and then cut."""
        return without(self.key, text)[:most]

    def says_it_is(self, model: str) -> str | None:
        """Return what to note of the name under which the server answered; None: nothing."""
        if not model or model == self.ref.name:
            return None
        if model not in self.names and len(self.names) >= MOST_NAMES:
            return "the server answered as others still"
        self.names.add(model)
        return f"the server answered as '{self.shown(model, MOST_OF_A_NAME)}'"


def _sum(counts: Iterable[int | None]) -> int | None:
    """Return the sum, or None where a part of it is not known."""
    known = list(counts)
    return None if None in known else sum(count or 0 for count in known)


def connect(context: Context) -> Server:
    """Return a connection to the server named in a strategy's context. Asks nothing yet.

    Raises:
        EndpointError: the environment does not hold the key, or sets a proxy or certificates that
            cannot be used.
    """
    import openai

    ref = context.model
    assert ref is not None
    assert ref.hosted is not None
    key = key_of(ref)
    # It logs what servers say if its user's environment asks it to, and our log is kept.
    for name in ("openai", "httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    client = openai.OpenAI(
        api_key=key or "none",  # given no key, the client would send the one it finds by itself
        base_url=ref.location,
        timeout=openai.Timeout(ref.hosted.timeout_s, connect=min(CONNECT_S, ref.hosted.timeout_s)),
        max_retries=ref.hosted.max_retries,
        http_client=_http_client(ref, key),
    )
    server = Server(ref, ref.hosted, client, context.seed, context.note, context.logprobs, key)
    weakref.finalize(server, client.close)
    return server


def _http_client(ref: ModelRef, key: str | None) -> httpx2.Client:
    """Return the client that the official one sends its requests with.

    Proxies and certificates are those of the environment, but a server on this very machine is
    asked directly, as browsers and Go's client do it: a proxy elsewhere cannot reach it, and
    hardly anybody lists it in NO_PROXY.
    """
    import httpx2
    from openai import DEFAULT_CONNECTION_LIMITS

    from harness.lm.hosted.door import Door

    assert ref.hosted is not None
    url = ref.location
    open_door = partial(Door, key, ref.hosted.timeout_s, limits=DEFAULT_CONNECTION_LIMITS)
    try:
        if not is_loopback(url):
            return open_door()
        # Certificates of the environment count for https alone, which is rare here.
        verify = httpx2.create_ssl_context() if url.startswith("https:") else True
        return open_door(trust_env=False, verify=verify)
    except (OSError, ValueError, ImportError, httpx2.InvalidURL) as problem:
        why = setting_at_fault(problem, url)
        if why is None:
            raise
        raise EndpointError(f"hosted model '{ref.name}' at {url}: {why}") from problem


def key_of(ref: ModelRef) -> str | None:
    """Return a hosted model's key from the environment; None where its server wants none.

    Raises:
        EndpointError: it is not there, or cannot be one.
    """
    assert ref.hosted is not None
    name = ref.hosted.key_env
    if name is None:
        return None
    key = os.environ.get(name, "").strip()
    if not key:
        raise EndpointError(
            f"hosted model '{ref.name}': the environment variable {name} holds no key"
            f" → set {name}, or key_env: null for a server that wants none"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        # Sent all the same, it would come back in the words of an error.
        raise EndpointError(
            f"hosted model '{ref.name}': what the environment variable {name} holds is no key:"
            " a key is one line of ASCII characters without blanks"
            f" → set {name} to the key alone"
        )
    return key
