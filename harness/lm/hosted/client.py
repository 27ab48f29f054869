"""Asks a server for chat completions: many at once, each retried by the official client.

A request that fails for good is an answer with an error: of the request itself where the server
refuses it, else of the server, and then another run may ask again (`LoadedModel.unanswered`). A
server that cannot be asked at all stops everything (`EndpointError`); what was answered before is
kept and need not be asked again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.errors import EndpointError
from harness.files.network import is_loopback, through
from harness.lm.chat import messages
from harness.lm.hosted import cache, calls
from harness.lm.hosted.failures import reason, said
from harness.lm.hosted.reply import read_reply
from harness.lm.hosted.server import FAILURES_IN_A_ROW, Server
from harness.lm.model import Generation
from harness.types import Prediction, Prompt, RunningText

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

MOST_STOPS = 4
"""Stop strings that the protocol takes; all of them are applied here too."""
WITHOUT = {
    "temperature": "the server takes no temperature: answers may differ from call to call",
    "seed": "the server takes no seed",
    "stop": "the server takes no stop strings: answers were cut here, and paid in full",
    "max_tokens": "the server takes max_completion_tokens in place of max_tokens: what it thinks"
    " before it answers counts too",
    "logprobs": "the server gives no probabilities of tokens",
    "response_format": "the server takes no JSON schema: answers were not held to it",
}
"""Settings that an answer can be had without, with what that means."""
NAMED = ("seed", "temperature", "logprobs")
"""Those whose name in a server's words means that it does not take them: a server that knows no
`seed` says so in words of its own, without OpenAI's codes. The others' names are common words, or
stand in complaints that the prompt is too long."""
IN_A_TURN = "running text was sent as one turn of a chat: the protocol has no other place for it"
CROWDED = (
    "some single requests are replayed from answers that were asked for several at once: the times"
    " of those count, which may be longer"
)
"""This happens if test rows were added since, or another sample of them is timed."""
FREE = "the server cannot be held to the words of the passages: answers are free text"


def answers(server: Server, prompts: Sequence[Prompt], settings: Generation) -> list[Prediction]:
    """Answer each prompt with generated text.

    Args:
        server: whom to ask.
        prompts: sent as they stand, a turn as a message.
        settings: length, stop strings and schema of an answer; spans cannot be asked for.

    Returns:
        One prediction a prompt, in order; one that failed has an error and no text. `wall_s` and
        `usd` are those of the request, and of a replayed one those of the day it was asked.

    Raises:
        CacheError: what it answers cannot be kept.
        EndpointError: the server cannot be reached, refuses the key or the model, or wants money.
    """
    if any(settings.spans):
        server.tell(FREE)
    if any(isinstance(prompt, RunningText) for prompt in prompts):
        server.tell(IN_A_TURN)
    sent = _fields(server, settings)
    alone = len(prompts) == 1 or server.endpoint.concurrency == 1
    ask = partial(_answer, server, sent, settings.stop, alone)
    begin = time.perf_counter()
    pool = ThreadPoolExecutor(server.endpoint.concurrency)
    try:
        predictions = list(pool.map(ask, prompts))
    finally:
        pool.shutdown(cancel_futures=True)
    calls.record(time.perf_counter() - begin, predictions, server.endpoint.concurrency)
    # Told here, in the order of the prompts: threads would tell in any.
    for prediction in predictions:
        for note in prediction.notes:
            server.tell(note)
    return predictions


def _fields(server: Server, settings: Generation) -> dict[str, Any]:
    """Return the fields of a request's body besides model and messages."""
    fields: dict[str, Any] = {
        "temperature": 0,
        "max_tokens": settings.max_new_tokens,
        "seed": server.seed,
    }
    if server.logprobs:
        fields["logprobs"] = True
    if settings.stop:
        fields["stop"] = list(settings.stop[:MOST_STOPS])
    if settings.schema is not None:
        form = {"name": "answer", "schema": dict(settings.schema), "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": form}
    # As vLLM, SGLang and llama.cpp take them; what is said of this server alone counts first.
    extra = dict(server.endpoint.extra)
    if server.ref.chat.template_kwargs:
        own = extra.get("chat_template_kwargs", {})
        extra["chat_template_kwargs"] = {**server.ref.chat.template_kwargs, **own}
    if extra:
        fields["extra_body"] = extra
    return fields


def _answer(
    server: Server,
    fields: Mapping[str, Any],
    stop: Sequence[str],
    alone: bool,
    prompt: Prompt,
) -> Prediction:
    """Return the answer to one request, replayed if it was ever given.

    Args:
        server: whom to ask.
        fields: of the request's body, besides model and messages.
        stop: strings that an answer is cut at.
        alone: whether no other request of this process is under way.
        prompt: what to ask.
    """
    # The hash covers all that decides an answer, and nothing of how it is asked for.
    request = {"model": server.ref.name, "messages": messages(prompt, server.ref.chat.system)}
    place = cache.place_of({"base_url": server.ref.location, **request, **fields, "cut": stop})
    known = cache.read(place)
    if known is not None:
        if place.name not in server.answers:
            server.tell("answers of an earlier run are replayed with their own times and prices")
        if alone and not known.alone:
            server.tell(CROWDED)
        server.answers[place.name] = known.answer
        return replace(known.answer, prompt=prompt)  # running text and one turn are one request
    cache.must_be_writable()
    import openai

    begin = time.perf_counter()
    try:
        completion, dropped = _ask(server, request, fields)
    except openai.OpenAIError as problem:
        return Prediction("", prompt=prompt, error=_error(server, problem, place.name))
    wall_s = time.perf_counter() - begin
    server.works(place.name)
    prediction = read_reply(completion, prompt, stop, server.ref.chat.asks_thoughts)
    notes = (*(WITHOUT[setting] for setting in sorted(dropped)), *prediction.notes)
    if (named := server.says_it_is(completion.model)) is not None:
        notes += (named,)
    prediction = replace(prediction, wall_s=wall_s, notes=notes)
    prediction = replace(prediction, usd=server.endpoint.charge_usd(prediction))
    server.answers[place.name] = prediction
    cache.write(place, cache.Kept(prediction, alone))
    return prediction


def _ask(
    server: Server, request: Mapping[str, Any], fields: Mapping[str, Any]
) -> tuple[ChatCompletion, frozenset[str]]:
    """Return the server's reply, and which settings had to be left out to get it."""
    import openai

    # Servers take different subsets of the protocol: what one refuses is left out for good.
    dropped = server.refused & fields.keys()
    while True:
        sent = {key: value for key, value in fields.items() if key not in dropped}
        if "max_tokens" in dropped:
            sent["max_completion_tokens"] = fields["max_tokens"]
        try:
            completion = server.client.chat.completions.create(**request, **sent)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as problem:
            refused = _refused(server, problem, sent)
            if refused is None:
                raise
            dropped |= {refused}
        else:
            server.refused |= dropped  # only now is it known that this was at fault
            return completion, dropped


def _refused(server: Server, problem: openai.APIStatusError, sent: Mapping[str, Any]) -> str | None:
    """Return the setting that a refusal names, else the schema: servers word that in many ways.

    One of `NAMED` that is not at fault is tried without in vain, and then the schema.
    """
    unsupported = problem.code in ("unsupported_parameter", "unsupported_value")
    # A server may send anything for a name, and a list could not be looked up.
    if unsupported and isinstance(problem.param, str) and problem.param in WITHOUT:
        return problem.param if problem.param in sent else None
    words = set(re.findall(r"\w+", said(server, problem)))
    named = (name for name in NAMED if name in sent and name in words)
    return next(named, "response_format" if "response_format" in sent else None)


def _error(server: Server, problem: openai.OpenAIError, request: str) -> str:
    """Return why a request failed for good, and have it counted where it may be asked again.

    Args:
        server: who was asked.
        problem: what the client raised after its last attempt.
        request: the request's hash.

    Raises:
        EndpointError: no other request would fare better.
    """
    why, whose = reason(server, problem)
    url = server.ref.location
    way = "" if is_loopback(url) else through(url)
    why = f"hosted model '{server.ref.name}' at {url}{way} {why}"
    if whose == "the request":
        return why
    server.fails(request)
    if whose == "the account" or (whose == "the task file" and not server.answered):
        raise EndpointError(why) from None
    if server.failures_in_a_row >= FAILURES_IN_A_ROW:
        raise EndpointError(
            f"{why}; {server.failures_in_a_row} requests in a row have failed → run again when the"
            " server is well: what it answered is kept"
        ) from None
    return why
