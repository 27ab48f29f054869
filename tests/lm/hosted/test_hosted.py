"""Asking a hosted model: what is sent, what is read, and every way in which a server fails."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from scripted_server import FACTS, KEY, cut_off, fails, hangs, open_at, reply, says, slow

from harness import lm, toolkit
from harness.errors import EndpointError, ModelError
from harness.types import ChatSettings, Context, Endpoint, ModelRef, TaskInfo

pytestmark = pytest.mark.usefixtures("asking")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def ask(script, prompts=("one",), facts=FACTS, **endpoint):
    return toolkit.answer(open_at(script.url, **endpoint), list(prompts), facts)


def test_what_is_sent_is_greedy_bounded_and_seeded(served):
    script = served()
    facts = TaskInfo("t", "Which?", "choice", {"x": ""}, max_new_tokens=9, stop=("\n", "END"))
    ask(script, ["Which?"], facts, seed=3, extra={"top_k": 1})
    (body,) = script.bodies
    assert body == {
        "model": "asked",
        "messages": [{"role": "user", "content": "Which?"}],
        "temperature": 0,
        "max_tokens": 9,
        "seed": 3,
        "stop": ["\n", "END"],
        "top_k": 1,
    }
    assert script.headers[0]["authorization"] == f"Bearer {KEY}"


def test_demonstrations_are_sent_as_turns(served):
    script = served()
    (answer,) = ask(script, [("Where?", "here", "When?")])
    assert script.bodies[0]["messages"] == [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "here"},
        {"role": "user", "content": "When?"},
    ]
    assert answer.prompt == ("Where?", "here", "When?")
    (kept,) = ask(script, [("Where?", "here", "When?")])
    assert (kept.prompt, len(script.bodies)) == (answer.prompt, 1)


def test_a_system_turn_and_what_the_template_takes_are_sent_along(served):
    chat = ChatSettings("Be brief.", {"enable_thinking": True, "more": 1}, date="2026-11-29")
    own = {"chat_template_kwargs": {"more": 2}, "top_k": 1}
    script = served()
    toolkit.answer(open_at(script.url, chat=chat, extra=own), ["one"], FACTS)
    (body,) = script.bodies
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
    ]
    assert body["chat_template_kwargs"] == {"enable_thinking": True, "more": 2}
    assert body["top_k"] == 1


def test_a_server_without_keys_is_not_sent_the_one_that_lies_about(served, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    script = served()
    ask(script, key_env=None)
    assert "sk-" not in str(script.headers)


def test_an_answer_is_read_with_tokens_price_and_time(served):
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 10,
        "total_tokens": 1010,
        "prompt_tokens_details": {"cached_tokens": 600},
    }
    script = served(slow(0.2, reply(" billing END more", usage)))
    prices = {"input": 2.0, "cached": 0.5, "output": 8.0}
    facts = TaskInfo("t", "Which?", "text", {}, stop=("END",))
    endpoint = {f"usd_per_million_{kind}_tokens": usd for kind, usd in prices.items()}
    (answer,) = ask(script, facts=facts, **endpoint)
    assert answer.text == "billing"  # the server did not stop where it was told to
    assert (answer.prompt_tokens, answer.cached_tokens, answer.output_tokens) == (1000, 600, 10)
    # 400 at 2 $, 600 at 0.5 $ and 10 at 8 $ a million
    assert answer.usd == pytest.approx((400 * 2 + 600 * 0.5 + 10 * 8) / 1e6)
    assert answer.wall_s >= 0.2
    assert answer.prompt == "one"
    assert answer.label_logprobs is None


@pytest.mark.parametrize(
    ("usage", "prices", "usd"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"input": 1, "output": 2}, 20e-6),
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"input": 1}, None),
        ({"prompt_tokens": 10, "completion_tokens": 5}, {"input": 0, "output": 0}, 0.0),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 4},
            },
            {"input": 1, "output": 2},  # what kept tokens cost is not known
            None,
        ),
        (None, {"input": 1, "output": 2}, None),
    ],
)
def test_a_price_that_is_not_known_is_not_nothing(served, usage, prices, usd):
    endpoint = {f"usd_per_million_{kind}_tokens": price for kind, price in prices.items()}
    (answer,) = ask(served(reply(usage=usage)), **endpoint)
    assert answer.usd == (usd if usd is None else pytest.approx(usd))


def test_a_held_back_request_waits_as_long_as_it_is_told(served):
    script = served(fails(429, headers={"Retry-After": "0.3"}))
    (answer,) = ask(script)
    assert answer.text == "fine"
    first, second = script.times
    assert second - first >= 0.3
    assert answer.wall_s >= 0.3


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (fails(500, "overheated"), "overheated"),
        (fails(429, "too many"), "too many"),
        (cut_off, "gave no whole answer"),
        (says('{"choices": [{"text"'), "no chat completion"),
        (says('{"error": {"message": "upstream"}}'), "upstream"),
        (says("<html>gateway</html>", "text/html"), "<html>gateway"),
    ],
)
def test_trouble_is_tried_again_and_else_costs_one_item_alone(served, trouble, words):
    script = served(by_prompt={"passing": [trouble] * 2, "lasting": [trouble] * 3})
    passing, lasting, other = ask(script, ["passing", "lasting", "other"])
    assert (passing.text, passing.error) == ("fine", None)
    assert (other.text, other.error) == ("fine", None)
    assert lasting.text == ""
    assert words in lasting.error
    assert "asked 3 times" in lasting.error
    assert len(script.bodies) == 3 + 3 + 1


def test_a_silent_server_costs_one_item_alone(served):
    script = served(by_prompt={"silent": [hangs] * 2})
    silent, other = ask(script, ["silent", "other"], timeout_s=0.3, max_retries=1)
    assert silent.error.endswith("was silent for 0.3 s, asked 2 times")
    assert other.text == "fine"


def test_a_refused_request_is_not_tried_again(served):
    script = served(by_prompt={"long": [fails(400, "context length exceeded")]})
    long, other = ask(script, ["long", "other"])
    assert "refuses the request" in long.error
    assert "context length exceeded" in long.error
    assert other.text == "fine"
    assert len(script.bodies) == 2


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (fails(401, f"wrong key {KEY}"), "refuses the key: Error code: 401 - wrong key [key] →"),
        (fails(402, "no credit"), "no credit → top up the account, then run again"),
        (fails(403, "not yours"), "not yours → have this model allowed to TEST_KEY"),
        (fails(404, "no such model"), "no such model → correct model or base_url"),
        (fails(429, "no quota", type="insufficient_quota"), "no quota → top up the account"),
    ],
)
def test_what_would_fail_for_every_item_stops_at_once(served, step, words):
    script = served(default=step)
    with pytest.raises(EndpointError) as stopped:
        ask(script, ["one"] + ["more"] * 50, concurrency=1, max_retries=0)
    assert words in str(stopped.value)
    assert len(script.bodies) <= 2
    assert KEY not in str(stopped.value)
    assert stopped.value.__suppress_context__  # a traceback would show the server's own words


def test_a_server_that_is_down_stops_at_once():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(EndpointError, match=r"cannot be reached .* → start the server"):
        toolkit.answer(open_at(url), ["one", "two"], FACTS)


def test_a_server_that_falls_ill_on_the_way_stops_after_ten_in_a_row(served):
    script = served(reply(), default=fails(503, "ill"))
    with pytest.raises(EndpointError, match="10 requests in a row have failed → run again"):
        ask(script, [f"prompt {i}" for i in range(100)], concurrency=1, max_retries=0)
    assert len(script.bodies) <= 1 + 11


def test_credit_that_ends_on_the_way_stops_at_once(served):
    script = served(reply(), default=fails(402, "used up"))
    with pytest.raises(EndpointError, match=r"wants to be paid first: .*used up → top up"):
        ask(script, ["one", "two", "three"], concurrency=1)
    assert len(script.bodies) <= 3


def test_a_prompt_that_is_forbidden_between_others_costs_itself_alone(served):
    script = served(by_prompt={"bad": [fails(403, "flagged")]})
    good, bad, other = ask(script, ["good", "bad", "other"], concurrency=1)
    assert (good.text, other.text) == ("fine", "fine")
    assert "forbids this" in bad.error


@pytest.mark.parametrize(
    ("trouble", "unanswered"),
    [
        (fails(503), 1),
        (fails(429), 1),
        (fails(409), 1),
        (fails(403), 1),
        (cut_off, 1),
        (fails(400), 0),  # of the request itself: it would be refused again
        (fails(413), 0),
    ],
)
def test_what_the_server_failed_to_answer_is_counted_until_it_does(served, trouble, unanswered):
    script = served(by_prompt={"two": [trouble]})
    model = open_at(script.url, max_retries=0, concurrency=1)
    _, failed = toolkit.answer(model, ["one", "two"], FACTS)
    assert failed.error
    assert model.loaded().unanswered == unanswered
    assert toolkit.answer(model, ["two"], FACTS)[0].text == "fine"
    assert model.loaded().unanswered == 0


@pytest.mark.parametrize("key", [None, " "])
def test_a_missing_key_stops_before_anything_is_asked(served, monkeypatch, key):
    monkeypatch.delenv("TEST_KEY") if key is None else monkeypatch.setenv("TEST_KEY", key)
    with pytest.raises(EndpointError, match="TEST_KEY holds no key → set TEST_KEY"):
        open_at(served().url)


@pytest.mark.parametrize("key", ["sk-first\nsk-second", "sk-one sk-two", "sk-“quoted”"])
def test_what_cannot_be_a_key_is_refused_unquoted_before_it_is_sent(served, monkeypatch, key):
    monkeypatch.setenv("TEST_KEY", key)
    with pytest.raises(EndpointError, match="TEST_KEY holds is no key") as caught:
        open_at(served().url)
    assert "sk-" not in str(caught.value)


def test_as_many_are_asked_at_once_as_allowed_and_answers_keep_their_order(served):
    prompts = [f"prompt {i}" for i in range(12)]
    steps = {prompt: [slow(0.3 - 0.02 * i, reply(prompt))] for i, prompt in enumerate(prompts)}
    script = served(by_prompt=steps)
    answers = ask(script, prompts, concurrency=6)
    assert [answer.text for answer in answers] == prompts
    assert script.most_in_flight == 6


def test_a_schema_is_sent_and_done_without_where_it_is_refused(served):
    facts = TaskInfo("t", "Which?", "json", {}, schema=SCHEMA)
    script, notes = served(fails(400, "response_format?"), default=reply('{"a": 1}')), []
    model = open_at(script.url, notes)
    first, second = (toolkit.answer(model, [prompt], facts)[0] for prompt in ("one", "two"))
    sent = [body.get("response_format") for body in script.bodies]
    assert sent[0]["json_schema"]["schema"] == SCHEMA
    assert sent[1:] == [None, None]  # refused once, not tried again
    assert first.text == second.text == '{"a": 1}'
    assert "takes no JSON schema" in notes[0]
    assert sum("JSON schema" in note for note in notes) == 1


def test_a_server_that_cannot_be_held_to_spans_is_asked_freely_and_that_is_said(served):
    script, notes = served(default=reply("free")), []
    model = open_at(script.url, notes)
    held = lm.Generation(9, spans=(lm.Spans(("a passage",)), None))
    assert [answer.text for answer in model.generate(["one", "two"], held)] == ["free", "free"]
    assert all("spans" not in body for body in script.bodies)
    assert sum("cannot be held to the words" in note for note in notes) == 1


def test_a_schema_is_not_blamed_for_what_fails_without_it_too(served):
    facts = TaskInfo("t", "Which?", "json", {}, schema=SCHEMA)
    script = served(by_prompt={"long": [fails(400, "too long")] * 2})
    model = open_at(script.url)
    assert "too long" in toolkit.answer(model, ["long"], facts)[0].error
    toolkit.answer(model, ["short"], facts)
    assert "response_format" in script.bodies[-1]


def test_models_that_think_are_asked_as_they_want_to_be(served):
    def refuses(param, code):
        return fails(400, f"Unsupported: '{param}'", param=param, code=code)

    steps = [
        refuses("max_tokens", "unsupported_parameter"),
        refuses("temperature", "unsupported_value"),
    ]
    script, notes = served(*steps), []
    assert toolkit.answer(open_at(script.url, notes), ["one"], FACTS)[0].text == "fine"
    assert script.bodies[-1]["max_completion_tokens"] == 9
    assert {"max_tokens", "temperature"} & script.bodies[-1].keys() == set()
    assert any("answers may differ from call to call" in note for note in notes)


def test_the_record_says_who_really_answered(served):
    script, notes = served(default=reply(finish="length", model="asked-2026-01-01")), []
    model = open_at(script.url, notes)
    toolkit.answer(model, ["one", "two"], FACTS)
    assert "the server answered as 'asked-2026-01-01'" in notes
    assert "some answers were cut at max_new_tokens" in notes
    assert len(notes) == 2
    facts = lm.loaded_models()[-1]
    assert (facts.name, facts.hosted_at, facts.parameters) == ("asked", script.url, None)


def test_nothing_that_needs_weights_is_given_a_hosted_model():
    ref = ModelRef("asked", "http://x/v1", hosted=Endpoint("openai", None))
    context = Context(FACTS, (), ref, 0, "cpu", "float32", 0, None, None, None, None)
    for refused in (
        lambda: lm.open_weights(context),
        lambda: lm.open_weights(context, adapter=Path("artifact")),
    ):
        with pytest.raises(ModelError, match="needs a model's weights; 'asked' is hosted"):
            refused()
