"""Asks a hosted model: many requests at once, retried by the official client, each by itself.

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
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import EndpointError
from harness.lm.hosted import cache
from harness.lm.hosted.model import FAILURES_IN_A_ROW, HostedModel
from harness.prompts import messages
from harness.types import Prediction, Prompt, TaskFacts

if TYPE_CHECKING:
    import openai
    from openai.types.chat import ChatCompletion

Fault = Literal["the request", "the server", "the task file", "the account"]
MOST_STOPS = 4
"""Stop strings that the protocol takes; all of them are applied here too."""
WITHOUT = {
    "temperature": "the server takes no temperature: answers may differ from call to call",
    "seed": "the server takes no seed",
    "stop": "the server takes no stop strings: answers were cut here, and paid in full",
    "max_tokens": "the server takes max_completion_tokens in place of max_tokens: what it thinks"
    " before it answers counts too",
    "response_format": "the server takes no JSON schema: answers were not held to it",
}
"""Settings that an answer can be had without, with what that means."""
NAMED = ("seed", "temperature")
"""Those whose name in a server's words means that it does not take them: a server that knows no
`seed` says so in words of its own, without OpenAI's codes. The others' names are common words, or
stand in complaints that the prompt is too long."""
USED_UP = "insufficient_quota"
"""Code, or type, that OpenAI gives an error of status 429 when the account's credit has ended:
waiting does not help then. Other servers say 402."""
PASSING = (408, 409, 429)
"""Statuses besides those from 500 on that may pass: the client tries them again (its
`_should_retry`)."""


def answer_hosted(
    model: HostedModel, prompts: Sequence[Prompt], facts: TaskFacts
) -> list[Prediction]:
    """Answer each prompt with generated text; a choice is left in the model's own words.

    Args:
        model: whom to ask.
        prompts: sent as they stand, a turn as a message.
        facts: kind of answer, schema, length and stop strings.

    Returns:
        One prediction a prompt, in order; one that failed has an error and no text.

    Raises:
        EndpointError: the server cannot be reached, refuses the key or the model, or wants money.
    """
    ask = partial(_answer, model, _settings(model, facts), facts.stop)
    pool = ThreadPoolExecutor(model.endpoint.concurrency)
    try:
        predictions = list(pool.map(ask, prompts))
    finally:
        pool.shutdown(cancel_futures=True)
    for prediction in predictions:
        for note in prediction.notes:
            model.tell(note)
    return predictions


def _settings(model: HostedModel, facts: TaskFacts) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "temperature": 0,
        "max_tokens": facts.max_new_tokens,
        "seed": model.seed,
    }
    if facts.stop:
        settings["stop"] = list(facts.stop[:MOST_STOPS])
    if facts.schema is not None:
        form = {"name": "answer", "schema": dict(facts.schema), "strict": True}
        settings["response_format"] = {"type": "json_schema", "json_schema": form}
    if model.endpoint.extra:
        settings["extra_body"] = dict(model.endpoint.extra)
    return settings


def _answer(
    model: HostedModel, settings: Mapping[str, Any], stop: Sequence[str], prompt: Prompt
) -> Prediction:
    request = {"model": model.ref.name, "messages": messages(prompt)}
    place = cache.place_of({"base_url": model.ref.location, **request, **settings, "cut": stop})
    known = cache.read(place)
    if known is not None:
        if place.name not in model.answers:
            model.tell("answers of an earlier run are replayed with their own times and prices")
        model.answers[place.name] = known
        return known
    import openai

    begin = time.perf_counter()
    try:
        completion, dropped = _ask(model, request, settings)
    except openai.OpenAIError as problem:
        return Prediction("", prompt=prompt, error=_error(model, problem, place.name))
    wall_s = time.perf_counter() - begin
    model.works(place.name)
    prediction = _read(completion, prompt, stop)
    notes = (*(WITHOUT[setting] for setting in sorted(dropped)), *prediction.notes)
    if completion.model and completion.model != model.ref.name:
        notes += (f"the server answered as '{completion.model}'",)
    prediction = replace(prediction, wall_s=wall_s, notes=notes)
    prediction = replace(prediction, usd=model.endpoint.charge_usd(prediction))
    model.answers[place.name] = prediction
    cache.write(place, prediction)
    return prediction


def _ask(
    model: HostedModel, request: Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[ChatCompletion, frozenset[str]]:
    """Return the server's reply, and which settings had to be left out to get it."""
    import openai

    dropped = model.refused & settings.keys()
    while True:
        sent = {key: value for key, value in settings.items() if key not in dropped}
        if "max_tokens" in dropped:
            sent["max_completion_tokens"] = settings["max_tokens"]
        try:
            completion = model.client.chat.completions.create(**request, **sent)
        except (openai.BadRequestError, openai.UnprocessableEntityError) as problem:
            refused = _refused(problem, sent)
            if refused is None:
                raise
            dropped |= {refused}
        else:
            model.refused |= dropped  # only now is it known that this was at fault
            return completion, dropped


def _refused(problem: openai.APIStatusError, sent: Mapping[str, Any]) -> str | None:
    """Return the setting that a refusal names, else the schema: servers word that in many ways.

    One of `NAMED` that is not at fault is tried without in vain, and then the schema.
    """
    if problem.code in ("unsupported_parameter", "unsupported_value") and problem.param in WITHOUT:
        return problem.param if problem.param in sent else None
    words = set(re.findall(r"\w+", str(problem)))
    named = (name for name in NAMED if name in sent and name in words)
    return next(named, "response_format" if "response_format" in sent else None)


def _read(completion: ChatCompletion, prompt: Prompt, stop: Sequence[str]) -> Prediction:
    choice, usage = completion.choices[0], completion.usage
    text = choice.message.content or ""
    for word in stop:
        text = text.split(word, 1)[0]
    notes = []
    if choice.finish_reason == "length":
        notes.append("some answers were cut at max_new_tokens")
    if choice.message.refusal:
        notes.append("the model declined some answers")
    details = usage.prompt_tokens_details if usage else None
    return Prediction(
        text=text.strip(),
        prompt=prompt,
        prompt_tokens=usage.prompt_tokens if usage else None,
        cached_tokens=details.cached_tokens if details else None,
        output_tokens=usage.completion_tokens if usage else None,
        notes=tuple(notes),
    )


def _error(model: HostedModel, problem: openai.OpenAIError, request: str) -> str:
    """Return why a request failed for good, and have it counted where it may be asked again.

    Args:
        model: who was asked.
        problem: what the client raised after its last attempt.
        request: the request's hash.

    Raises:
        EndpointError: no other request would fare better.
    """
    why, whose = _reason(model, problem)
    why = f"hosted model '{model.ref.name}' at {model.ref.location} {why}"
    if whose == "the request":
        return why
    model.fails(request)
    if whose == "the account" or (whose == "the task file" and not model.answered):
        raise EndpointError(why) from None
    if model.failures_in_a_row >= FAILURES_IN_A_ROW:
        raise EndpointError(
            f"{why}; {model.failures_in_a_row} requests in a row have failed → run again when the"
            " server is well: what it answered is kept"
        ) from None
    return why


def _reason(model: HostedModel, problem: openai.OpenAIError) -> tuple[str, Fault]:
    """Return in words why a request failed after all retries, and where the fault may lie."""
    import openai

    if isinstance(problem, openai.APIConnectionError):
        return _silence(model, problem)
    if isinstance(problem, openai.APIStatusError):
        return _refusal(model, problem)
    return f"refuses the request: {model.without_key(str(problem))}", "the request"


def _refusal(model: HostedModel, problem: openai.APIStatusError) -> tuple[str, Fault]:
    """Do so for a reply with the status of an error.

    A 403 once answers came is not at once the end: it is also what a moderated server or its
    firewall says to a single prompt.
    """
    words, key_env = model.without_key(str(problem)), model.endpoint.key_env
    status = problem.status_code
    if status == 402 or USED_UP in (problem.code, problem.type):
        fix = "top up the account, then run again: what was answered is kept"
        return f"wants to be paid first: {words} → {fix}", "the account"
    if status == 401:
        fix = f"correct {key_env}" if key_env else "name the key's environment variable: key_env"
        return f"refuses the key: {words} → {fix}", "the task file"
    if status == 403:
        fix = f"have this model allowed to {key_env or 'you'}, or name another model"
        return f"forbids this: {words} → {fix}", "the task file"
    if status == 404:
        return f"was not found: {words} → correct model or base_url", "the task file"
    if status in PASSING or status >= 500:
        return f"failed: {words}, {_times(model)}", "the server"
    return f"refuses the request: {words}", "the request"


def _silence(model: HostedModel, problem: openai.APIConnectionError) -> tuple[str, Fault]:
    """Do so for a request that got no answer, or half a one."""
    import httpx2
    import openai

    cause = problem.__cause__
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        fix = "start the server, or correct base_url"
        return f"cannot be reached ({cause or 'no answer'}) → {fix}", "the task file"
    if isinstance(problem, openai.APITimeoutError):
        return f"was silent for {model.endpoint.timeout_s:g} s, {_times(model)}", "the server"
    words = model.without_key(str(cause))
    return f"gave no whole answer ({words}), {_times(model)}", "the server"


def _times(model: HostedModel) -> str:
    return f"asked {model.endpoint.max_retries + 1} times"
