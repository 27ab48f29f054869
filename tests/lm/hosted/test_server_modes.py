"""Every way in which a server may misbehave: each ends as an answer or a reason, in its time.

Over real sockets, since what is tried is what comes over one, down to its bytes and their pace. No
worker is started: tests/run/test_hosted_run.py asks from one.
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from html import escape
from itertools import repeat
from urllib.parse import quote

import pytest
from raw_server import as_json, coded, completion, raw_server, whole
from scripted_server import FACTS, open_at

from harness import toolkit
from harness.errors import EndpointError
from harness.lm.hosted.door import MOST_BYTES, WHOLE

SECRET = 'sk-5f/0c+never<to>be"written\\anywhere=1'
"""With all that is written otherwise in addresses, JSON, HTML and Python."""
PATIENCE_S = 20
"""What a busy machine may take to say something."""
SILENCE_S = 0.4
"""Where silence is meant; a server that is slow is never silent for nearly so long."""
YEAR_S = 365 * 24 * 3600


def says(body, **more):
    return lambda key, server: whole(body.replace("KEY", key), **more)


def lines(*more, status="200 OK", body=b""):
    def mode(key, server):
        head = [
            f"HTTP/1.1 {status}".replace("KEY", key),
            *(one.replace("KEY", key) for one in more),
        ]
        return "\r\n".join([*head, "", ""]).encode() + body

    return mode


def slowly(parts, every_s=0.05):
    """Send parts so that no silence is long, until the test is over."""

    def mode(key, server):
        for part in parts:
            yield part
            if server.over.wait(every_s):
                return

    return mode


def silent_after(sent):
    def mode(key, server):
        yield sent
        server.over.wait(30)

    return mode


def refusal(words, status="500 Ill", headers=()):
    def mode(key, server):
        body = json.dumps({"error": {"message": words(key)}})
        return whole(body, status, [one.replace("KEY", key) for one in headers])

    return mode


def redirect(status, place):
    def mode(key, server):
        where = place.replace("KEY", key).replace("PORT", str(server.port))
        if len(server.requests) > 1 and "again" not in place:
            return whole(json.dumps(completion()))
        return whole("", f"{status} Moved", [f"Location: {where}"])

    return mode


def packed(name, body):
    return lambda key, server: whole(body, headers=[f"Content-Encoding: {name}"])


def answers(make):
    """A proper answer whose text is made of the key."""
    return lambda key, server: whole(json.dumps(completion(make(key))))


FINE = json.dumps(completion()).encode()
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = b"100000\r\n" + b" " * 2**20 + b"\r\n"
LONG = HEAD + b"Content-Length: 500\r\n\r\n"
CUT_CHUNK = CHUNKED + b"5\r\nab"
DEEP = "[" * 100_000
HUGE = '{"choices": ' + "9" * 5000 + "}"
NAMED = {"param": ["seed"], "code": "unsupported_value", "message": "no"}
NONE = "no chat completion"
CUT = "gave no whole answer"
SLOW = f"took longer than {WHOLE * SILENCE_S:g} s → raise timeout_s"

ANSWERS = {
    "a proper answer": (as_json(), "fine"),
    "fields that are missing": (as_json(id=None, object=None, model=None, usage=None), "fine"),
    "no reason why it ended": (
        as_json(choices=[{"message": {"content": "fine"}}]),
        "fine",
    ),
    "JSON that is called text": (says(FINE.decode(), kind="text/plain"), "fine"),
    "JSON in UTF-16": (lambda key, server: whole(FINE.decode().encode("utf-16")), "fine"),
    "a mark of its order of bytes": (lambda key, server: whole(b"\xef\xbb\xbf" + FINE), "fine"),
    "another status that is good": (says(FINE.decode(), status="201 Created"), "fine"),
    "a part that is the whole": (says(FINE.decode(), status="206 Partial"), "fine"),
    "gzip": (packed("gzip", gzip.compress(FINE)), "fine"),
    "deflate": (packed("deflate", zlib.compress(FINE)), "fine"),
    "deflate without a head": (packed("deflate", zlib.compress(FINE)[2:-4]), "fine"),
    "the same server elsewhere, 307": (redirect(307, "http://127.0.0.1:PORT/v2/x"), "fine"),
    "the same server elsewhere, 308": (redirect(308, "/v2/x"), "fine"),
    "NUL, half a pair, other lines": (
        as_json(content="a\0\ud800b\u2028c\x85d"),
        "a\0�b\u2028c\x85d",
    ),
    "the key": (answers(lambda key: f"it is {key}!"), "it is [key]!"),
    "the key in base64": (answers(lambda key: coded(f"ab:{key}:cd")), r".*\[key\].*"),
    "the key for an address": (answers(lambda key: quote(key, safe="")), "[key]"),
    "the key for a page": (answers(escape), "[key]"),
    "the key in hex": (answers(lambda key: key.encode().hex()), "[key]"),
    "the key in capitals": (answers(str.upper), "[key]"),
    "the key cut short": (answers(lambda key: f"{key[:20]}…"), "[key]…"),
    "the key letter by letter": (
        lambda key, server: whole(
            json.dumps(completion("KEY")).replace("KEY", "".join(f"\\u{ord(c):04x}" for c in key))
        ),
        "[key]",
    ),
    "the key as its name": (lambda key, server: whole(json.dumps(completion(model=key))), "fine"),
    "a name of a million letters": (as_json(model="m" * 10**6), "fine"),
    "a cookie with the key": (
        lambda key, server: whole(FINE, headers=[f"Set-Cookie: key={key}"]),
        "fine",
    ),
    "less than no tokens": (as_json(usage={"prompt_tokens": -5, "completion_tokens": 1}), "fine"),
}
ITEMS = {
    "the key in the status line": (lines(status="500 KEY", body=b""), ""),
    "a status line that is none": (lines(status="OK KEY"), CUT),
    "a header that is none": (lines("no header: KEY", "KEY"), CUT),
    "the key as the name of a header": (lines("X\0KEY: 1"), CUT),
    "the key as the time to wait": (
        refusal(lambda key: "ill", headers=["Retry-After: KEY"]),
        "(it says Retry-After: [key])",
    ),
    "a header without end": (lambda key, s: HEAD + b"X: " + b"x" * 300_000, CUT),
    "headers without end": (lambda key, s: HEAD + b"X: y\r\n" * 60_000, CUT),
    "word without end that it goes on": (
        slowly(repeat(b"HTTP/1.1 100 Continue\r\n\r\n"), 0.02),
        SLOW,
    ),
    "a header letter by letter": (slowly([HEAD, *([b"X"] * 500)]), SLOW),
    "a body letter by letter": (slowly([LONG, *([b" "] * 500)]), SLOW),
    "blanks that keep it awake": (slowly([CHUNKED, *repeat(b"1\r\n \r\n", 500)]), SLOW),
    "silence": (silent_after(b""), f"was silent for {SILENCE_S} s, asked 2 times"),
    "silence behind its head": (silent_after(HEAD + b"Content-Length: 5\r\n\r\n"), "was silent"),
    "nothing": (lambda key, server: b"", CUT),
    "half a head": (lambda key, server: HEAD, CUT),
    "half a body": (lambda key, server: whole(FINE)[:-20], CUT),
    "half a chunk": (lambda key, server: CUT_CHUNK, CUT),
    "a chunk of no size": (lambda key, server: CHUNKED + b"zz\r\n", CUT),
    "no HTTP": (lambda key, server: b"SSH-2.0-x\r\n", CUT),
    "bare bytes of an answer": (lambda key, server: FINE, CUT),
    "another protocol": (lambda key, server: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", CUT),
    "a body too large": (lambda key, server: whole(b" " * (MOST_BYTES + 1)), "more than 8 MiB"),
    "a body without end": (slowly([CHUNKED, *repeat(MEGABYTE, 50)], 0), "more than 8 MiB"),
    "a gzip bomb": (packed("gzip", gzip.compress(b" " * 40 * 2**20)), "more than 8 MiB"),
    "a bomb in a bomb": (packed("gzip, gzip", gzip.compress(gzip.compress(FINE))), "nobody asked"),
    "a packing nobody asked for": (packed("br", b"x"), "nobody asked"),
    "gzip that is cut": (packed("gzip", gzip.compress(FINE)[:-9]), "packed, and cut"),
    "gzip that is damaged": (packed("gzip", b"x" * 50), "packed, and damaged"),
    "a page": (says("<html>KEY</html>", kind="text/html"), NONE),
    "no content": (lines(status="204 No Content"), NONE),
    "an empty body": (says(""), NONE),
    "no JSON": (says("{'choices': 'KEY'}"), NONE),
    "half of JSON": (says(FINE.decode()[:40]), NONE),
    "JSON without depth": (says(DEEP), NONE),
    "a number without end": (says(HUGE), NONE),
    "nothing, in JSON": (says("null"), NONE),
    "a number": (says("1e999"), NONE),
    "a list": (says("[]"), NONE),
    "no letters": (lambda key, server: whole(b"\xff\xfe\xfd{}"), NONE),
    "no choices": (as_json(choices=[]), NONE),
    "choices by name": (as_json(choices={"0": 1}), NONE),
    "a choice that is none": (as_json(choices=["KEY"]), NONE),
    "text completion": (as_json(choices=[{"text": "fine"}]), NONE),
    "a piece of a stream": (as_json(choices=[{"delta": {"content": "fine"}}]), NONE),
    "a stream": (says('data: {"choices": []}\n\ndata: [DONE]\n\n', kind="text/event-stream"), NONE),
    "another maker's message": (
        says('{"type": "message", "content": [{"type": "text", "text": "fine"}]}'),
        NONE,
    ),
    "another maker's candidates": (
        says('{"candidates": [{"content": {"parts": [{"text": "fine"}]}}]}'),
        NONE,
    ),
    "another server's own form": (says('{"message": {"content": "fine"}, "done": true}'), NONE),
    "the prompt again": (
        as_json(choices=[{"message": {"role": "user", "content": "one"}}]),
        NONE,
    ),
    "an error beside an answer": (as_json(error={"message": "overloaded"}), NONE),
    "an answer that failed": (
        as_json(choices=[{"finish_reason": "error", "message": {"content": "KEY"}}]),
        NONE,
    ),
    "a year to wait": (
        refusal(lambda key: "later", "429 Later", [f"Retry-After: {YEAR_S}"]),
        f"asked once (it says Retry-After: {YEAR_S})",
    ),
    "a date to wait for": (
        refusal(lambda key: "later", "503 Later", ["Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"]),
        "asked once (it says Retry-After: Fri",
    ),
    "no number to wait for": (
        refusal(lambda key: "later", "503 Later", ["Retry-After: nan"]),
        "asked 2 times",
    ),
    "asks to be asked again": (
        refusal(lambda key: "bad", "400 Bad", ["X-Should-Retry: true"]),
        "bad",
    ),
    "an unknown status": (refusal(lambda key: "odd", "799 Odd"), "odd"),
    "another protocol from here": (lines("Upgrade: x", status="101 Switching Protocols"), ""),
    "a refusal of many megabytes": (refusal(lambda key: "x" * 5_000_000, "400 Bad"), "xxx"),
    "a refusal that is a list": (says('["KEY"]', status="400 Bad"), '["[key]"]'),
    "a refusal that is nothing": (says("null", status="400 Bad"), "refuses the request"),
    "a refusal with no number": (says('{"error": {"message": NaN}}', status="400 Bad"), ""),
    "a refusal that names a list": (says(json.dumps({"error": NAMED}), status="400 Bad"), "no"),
    "the key in a refusal": (refusal(lambda key: f"{key}?"), "[key]?"),
    "the key in a refusal, in base64": (refusal(lambda key: coded(f"u:{key}")), "[key]"),
    "the key in a refusal, for an address": (refusal(quote), "[key]"),
    "the key as Python shows it": (says("{'key': 'KEY'", status="500 Ill"), "[key]"),
}
ALL = {
    "no such path": (refusal(lambda key: key, "404 None"), "correct model or base_url"),
    "a refused key": (refusal(lambda key: f"Bearer {key}", "401 No"), "Bearer [key] → correct"),
    "another host, 307": (redirect(307, "http://localhost:PORT/v1"), "another server"),
    "another host, 308": (redirect(308, "//localhost:PORT/v1"), "another server"),
    "another port, 302": (redirect(302, "http://127.0.0.1:9/v1"), "another server"),
    "another scheme": (redirect(301, "https://127.0.0.1:PORT/v1"), "another server"),
    "a file": (redirect(303, "file:///etc/passwd"), "another server"),
    "an address with the key": (redirect(307, "http://localhost:PORT/?KEY"), "[key]"),
    "an address that is none": (redirect(307, "http://[KEY"), "another server"),
    "in circles": (redirect(307, "/again"), "redirects again and again"),
}


@pytest.fixture
def ask(asking, monkeypatch, tmp_path, capfd, caplog):
    """Ask a server of some mode, and look for the key in all that is left of it."""
    monkeypatch.setenv("TEST_KEY", SECRET)
    monkeypatch.setenv("OPENAI_LOG", "debug")
    caplog.set_level(logging.DEBUG)
    notes = []

    def asked(mode, prompts=("one",), **endpoint):
        with raw_server(mode) as server:
            settings = {"timeout_s": PATIENCE_S, "max_retries": 1, **endpoint}
            model = open_at(server.url, notes, **settings)
            try:
                return toolkit.answer(model, list(prompts), FACTS), notes, server
            except EndpointError as stopped:
                return stopped, notes, server

    yield asked
    left = [capfd.readouterr().err, caplog.text, *notes]
    left += [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    held_back(*left)


def held_back(*texts):
    for form in (
        SECRET,
        coded(SECRET)[:-4],
        quote(SECRET),
        quote(SECRET, safe=""),
        escape(SECRET),
        SECRET[:12],
    ):
        assert [text for text in texts if form.lower() in text.lower()] == []


@pytest.mark.timeout(30)
@pytest.mark.parametrize("mode", ANSWERS)
def test_what_answers_is_an_answer(ask, mode):
    step, text = ANSWERS[mode]
    ((answer,), notes, _) = ask(step)
    assert answer.error is None
    assert answer.text == text or re.fullmatch(text, answer.text)
    assert all(len(note) < 200 for note in notes)
    held_back(answer.text)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("mode", ITEMS)
def test_what_does_not_answer_is_a_failed_item_with_its_reason(ask, mode):
    step, words = ITEMS[mode]
    waited_for = words == SLOW or words.startswith("was silent")
    ((answer,), _, server) = ask(step, timeout_s=SILENCE_S if waited_for else PATIENCE_S)
    assert answer.text == ""
    assert words in answer.error
    assert len(answer.error) < 1000
    assert 1 <= len(server.requests) <= 2
    held_back(answer.error)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("mode", ALL)
def test_what_would_fare_no_better_with_another_prompt_stops_the_arm(ask, mode):
    step, words = ALL[mode]
    stopped, _, server = ask(step)
    assert isinstance(stopped, EndpointError)
    assert stopped.__suppress_context__  # a traceback would show the server's own words
    assert words in str(stopped)
    assert len(server.requests) <= 6
    held_back(str(stopped))


def test_a_redirect_carries_neither_key_nor_prompt_to_another_server(ask):
    with raw_server(as_json()) as other:
        stopped, _, _ = ask(redirect(307, f"http://127.0.0.1:{other.port}/v1/chat"))
        assert "another server" in str(stopped)
        assert other.requests == []


def test_a_slow_server_is_not_asked_a_second_time_and_costs_one_item_alone(ask):
    ((answer,), _, server) = ask(
        ITEMS["a body letter by letter"][0], max_retries=5, timeout_s=SILENCE_S
    )
    assert SLOW in answer.error
    assert len(server.requests) == 1


def test_counts_that_contradict_each_other_charge_nothing(ask):
    odd = {
        "prompt_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 9},
        "completion_tokens": 1,
    }
    prices = {f"usd_per_million_{kind}_tokens": 1.0 for kind in ("input", "cached", "output")}
    for usage in (odd, {"prompt_tokens": -5, "completion_tokens": 1}, {"prompt_tokens": 10**30}):
        ((answer,), _, _) = ask(as_json(usage=usage), [f"{usage}"], **prices)
        assert (answer.prompt_tokens, answer.usd) == (None, None)


def test_a_server_that_has_another_name_each_time_is_noted_a_few_times(ask):
    def mode(key, server):
        return whole(json.dumps(completion(model=f"m{len(server.requests)}")))

    _, notes, _ = ask(mode, [f"prompt {n}" for n in range(20)], concurrency=1)
    assert len(notes) == 6
    assert notes[-1] == "the server answered as others still"


def test_a_server_gets_the_key_and_nothing_else_of_the_environment(ask, monkeypatch):
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-mine")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: mine")
    _, _, server = ask(as_json())
    (request,) = server.requests
    assert SECRET.encode() in request
    assert b"mine" not in request


def test_a_key_that_is_a_common_word_stays_in_answers_and_in_nothing_else(ask, monkeypatch):
    monkeypatch.setenv("TEST_KEY", "none")
    ((answer,), _, _) = ask(as_json(content="none of these"))
    assert answer.text == "none of these"
    ((answer,), _, _) = ask(refusal(lambda key: f"bad {key}", "400 Bad"), ["two"])
    assert "bad [key]" in answer.error


def test_there_are_as_many_modes_as_promised():
    assert len(ANSWERS) + len(ITEMS) + len(ALL) >= 100
