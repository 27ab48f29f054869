"""Proxies and the cache, on the way to a server: what is asked directly, and what stops an arm."""

from __future__ import annotations

import errno
import os

import pytest
from scripted_server import FACTS, open_at, says

from harness import toolkit
from harness.errors import CacheError, EndpointError
from harness.lm.hosted import cache

pytestmark = pytest.mark.usefixtures("asking", "no_proxies")
CLOSED = "http://127.0.0.1:9"
"""Where nobody listens."""
REMOTE = "http://server.invalid/v1"


@pytest.fixture
def no_proxies(monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def ask(url, prompts=("one",), **endpoint):
    return toolkit.answer(open_at(url, max_retries=0, **endpoint), list(prompts), FACTS)


@pytest.mark.parametrize(
    "variables",
    [
        {"HTTP_PROXY": CLOSED},
        {"ALL_PROXY": "socks5://127.0.0.1:9"},
        {"HTTP_PROXY": "garbage::"},
        {"SSL_CERT_FILE": "/nowhere"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_a_server_on_this_machine_is_asked_directly(served, monkeypatch, variables):
    script = served()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (answer,) = ask(script.url)
    assert answer.text == "fine"


def test_any_other_is_asked_through_the_proxy(served, monkeypatch):
    script = served()
    monkeypatch.setenv("HTTP_PROXY", script.url.removesuffix("/v1"))
    (answer,) = ask(REMOTE)
    assert (answer.text, script.headers[0]["host"]) == ("fine", "server.invalid")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        (
            {"HTTP_PROXY": f"http://user:secret@{CLOSED.removeprefix('http://')}"},
            f"{REMOTE} through the proxy {CLOSED} (HTTP_PROXY) cannot be reached",
        ),
        ({"HTTP_PROXY": CLOSED}, "→ correct the proxy, name the server's host in NO_PROXY"),
        ({"HTTP_PROXY": "garbage::"}, "the proxy garbage:: (HTTP_PROXY) is no address"),
        ({"ALL_PROXY": "socks5://h:1"}, "the proxy socks5://h:1 (ALL_PROXY) wants a package"),
        ({"SSL_CERT_FILE": "/nowhere"}, "SSL_CERT_FILE=/nowhere"),
        ({"SSL_CERT_FILE": "/etc/hostname"}, "→ correct or unset SSL_CERT_FILE"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_environment_sets_is_named_and_no_password(monkeypatch, variables, said):
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(EndpointError) as raised:
        ask(REMOTE)
    assert said in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_proxy_that_refuses_is_named(served, monkeypatch):
    script = served(default=says("<h1>Forbidden</h1>", "text/html", 403))
    proxy = script.url.removesuffix("/v1")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    with pytest.raises(EndpointError, match=rf"through the proxy {proxy} \(HTTP_PROXY\)"):
        ask(REMOTE)


def test_nothing_is_asked_where_no_answer_can_be_kept(served, monkeypatch):
    script = served()
    monkeypatch.setenv("HARNESS_CACHE", "/proc/none")
    with pytest.raises(CacheError, match="→ set HARNESS_CACHE to a folder"):
        ask(script.url)
    assert script.bodies == []


def test_what_was_answered_is_replayed_from_a_cache_that_may_only_be_read(served, monkeypatch):
    script = served()
    ask(script.url)
    monkeypatch.setattr(cache, "must_be_writable", lambda: pytest.fail("looked"))
    (answer,) = ask(script.url)
    assert (answer.text, len(script.bodies)) == ("fine", 1)


def test_a_disk_that_fills_up_stops_the_asking(served, monkeypatch):
    script = served()

    def full(*given, **more):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/kept/answer.json")

    monkeypatch.setattr(cache, "keep_text", full)
    with pytest.raises(CacheError, match="what hosted models answer cannot be kept"):
        ask(script.url, [f"prompt {number}" for number in range(20)], concurrency=1)
    assert len(script.bodies) < 20
