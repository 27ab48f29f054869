"""Says why a request to a hosted model failed for good, and where the fault may lie.

In the server's own words, as far as it has any, and never with the key.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harness.files.network import is_loopback, proxy_for, setting_at_fault
from harness.lm.hosted.server import SHOWN, Server

if TYPE_CHECKING:
    import openai

    from harness.lm.hosted.unusable import Fault

USED_UP = "insufficient_quota"
"""Code, or type, that OpenAI gives an error of status 429 when the account's credit has ended:
waiting does not help then. Other servers say 402."""
PASSING = (408, 409, 429)
"""Statuses besides those from 500 on that may pass: the client tries them again (its
`_should_retry`)."""
MOST_WORDS = 20_000
"""Characters of a refusal in which the name of a setting is looked for."""
TRIED = "x-stainless-retry-count"
"""Header in which the client says how often it has asked before."""


def reason(server: Server, problem: openai.OpenAIError) -> tuple[str, Fault]:
    """Return in words why a request failed after all retries, and where the fault may lie."""
    import openai

    from harness.lm.hosted.unusable import UnusableReply

    if isinstance(problem, UnusableReply):
        return server.shown(str(problem)), problem.fault
    if isinstance(problem, openai.APIConnectionError):
        return _silence(server, problem)
    if isinstance(problem, openai.APIStatusError):
        return _refusal(server, problem)
    return f"refuses the request: {server.shown(str(problem))}", "the request"


def said(server: Server, problem: openai.APIStatusError) -> str:
    """Return all the words of a refusal, without the key.

    The client quotes errors of OpenAI's form alone; of any other form its body is what it says.
    """
    words = str(problem)
    if words == f"Error code: {problem.status_code}" and problem.body:
        body = problem.body
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        words = f"{words} - {' '.join(text.split())}"
    return server.shown(words, MOST_WORDS)


def _refusal(server: Server, problem: openai.APIStatusError) -> tuple[str, Fault]:
    """Return the reason and the fault for a reply with the status of an error.

    A 403 once answers came is not at once the end: it is also what a moderated server or its
    firewall says to a single prompt.
    """
    words, key_env = said(server, problem)[:SHOWN], server.endpoint.key_env
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
        wait = problem.response.headers.get("retry-after")
        told = f" (it says Retry-After: {server.shown(wait)})" if wait else ""
        return f"failed: {words}, {_times(problem.request)}{told}", "the server"
    return f"refuses the request: {words}", "the request"


def _silence(server: Server, problem: openai.APIConnectionError) -> tuple[str, Fault]:
    """Return the reason and the fault for a request that got no answer, or half of one."""
    import httpx2
    import openai

    cause = problem.__cause__
    url = server.ref.location
    if isinstance(cause, httpx2.ConnectError) and (fault := setting_at_fault(cause, url)):
        return f"cannot be reached: {fault}", "the task file"
    if isinstance(cause, httpx2.ProxyError):
        fix = "correct the proxy, or name the server's host in NO_PROXY"
        said = server.shown(str(cause))
        return f"cannot be reached: the proxy refuses ({said}) → {fix}", "the task file"
    if isinstance(cause, httpx2.ConnectError | httpx2.ConnectTimeout):
        fix = "start the server, or correct base_url"
        if not is_loopback(url) and proxy_for(url):
            fix = "correct the proxy, name the server's host in NO_PROXY, or correct base_url"
        said = server.shown(str(cause)) or "no answer"
        return f"cannot be reached ({said}) → {fix}", "the task file"
    times = _times(problem.request)
    if isinstance(problem, openai.APITimeoutError):
        return f"was silent for {server.endpoint.timeout_s:g} s, {times}", "the server"
    return f"gave no whole answer ({server.shown(str(cause))}), {times}", "the server"


def _times(last: object) -> str:
    """Say how often a request was made, from its last attempt."""
    tried = 1 + int(getattr(last, "headers", {}).get(TRIED, 0))
    return "asked once" if tried == 1 else f"asked {tried} times"
