"""What a hosted model's server replies, in all the forms that servers have."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from scripted_server import FACTS, KEY, fails, open_at, reply, says

from harness import toolkit
from harness.metrics.reading import read_choice
from harness.types import ChatSettings, TaskInfo

pytestmark = pytest.mark.usefixtures("asking")
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def ask(script, prompts=("one",), **endpoint):
    return toolkit.answer(open_at(script.url, **endpoint), list(prompts), FACTS)


UNKNOWN = 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'
FORBIDDEN = {"type": "extra_forbidden", "loc": ["body", "seed"], "input": 0}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": {"message": UNKNOWN}}),
        (400, [{"error": {"code": 400, "message": UNKNOWN}}]),
        (422, {"detail": [FORBIDDEN]}),
        (422, {"object": "error", "message": {"detail": [FORBIDDEN]}}),
        (400, "seed is not a known field"),
        (422, {"detail": [{"input": "a long prompt " * 99, **FORBIDDEN}]}),
    ],
)
def test_a_setting_that_a_server_names_in_its_own_words_is_left_out(served, status, body):
    """In every form that errors have: the client itself quotes OpenAI's alone."""
    facts = TaskInfo("t", "Which?", "json", {}, schema=SCHEMA)
    sent = body if isinstance(body, str) else json.dumps(body)
    script, notes = served(says(sent, status=status), default=reply('{"a": 1}')), []
    assert not toolkit.answer(open_at(script.url, notes), ["one"], facts)[0].error
    assert "seed" not in script.bodies[-1]
    assert "response_format" in script.bodies[-1]  # that was not what it complained of
    assert "the server takes no seed" in notes


@pytest.mark.parametrize("body", [f'{{"detail": "no {KEY}"}}', f"<p>\n no  {KEY} </p>"])
def test_a_refusal_of_any_form_is_shown_without_the_key(served, body):
    (answer,) = ask(served(says(body, status=413)))
    assert "no [key]" in answer.error
    assert KEY not in answer.error


@pytest.mark.parametrize("place", range(70, 101))
def test_a_key_is_not_shown_in_part_where_a_text_is_cut(served, place):
    echoed = "x" * place + KEY + "x" * 100
    (answer,) = ask(served(default=says(echoed)), max_retries=0)
    assert "no chat completion" in answer.error
    assert KEY[:6] not in answer.error


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ([{"type": "thinking", "thinking": []}, {"type": "text", "text": "fi"}], "fi"),
        ([{"type": "text", "text": "fi"}, {"type": "text", "text": "ne"}], "fine"),
        ([{"type": "output_text", "text": "fine"}], "fine"),
        ([], ""),
        (None, ""),
    ],
)
def test_an_answer_in_parts_is_put_together(served, content, text):
    (answer,) = ask(served(reply(content)))
    assert (answer.text, answer.error) == (text, None)


LABELS = ("spam", "ham")
ASKED = ChatSettings(template_kwargs={"enable_thinking": True})


@pytest.mark.parametrize(
    ("content", "further"),
    [
        ("spam", {"reasoning_content": "No ham here."}),
        ("spam", {"reasoning": "No ham here."}),
        ([{"type": "thinking", "thinking": "ham?"}, {"type": "text", "text": "spam"}], {}),
        ("<think>\nIs it ham?\n</think>\n\nspam", {}),
        ("Is it ham?\n</think>\n\nspam", {}),
        ("[THINK]ham[/THINK]spam", {}),
        ("<|channel>thought\nham<channel|>spam", {}),
    ],
)
@pytest.mark.parametrize("chat", [ChatSettings(), ASKED])
def test_thoughts_in_every_form_are_read_alike(served, content, further, chat):
    facts = replace(FACTS, stop=("it",))  # what stands in a thought ends no answer
    model = open_at(served(reply(content, **further)).url, chat=chat)
    (answer,) = toolkit.answer(model, ["one"], facts)
    assert read_choice(answer.text, LABELS) == "spam"


@pytest.mark.parametrize(
    ("content", "further"),
    [
        (None, {"reasoning_content": "So it is spam"}),
        ("", {"reasoning": "So it is spam"}),
        ([{"type": "thinking", "thinking": "spam"}], {}),
        ("<think>\nSo it is spam", {}),
        ("So it is spam", {}),
    ],
)
def test_a_reply_that_was_cut_in_its_thoughts_gives_no_label(served, content, further):
    script = served(reply(content, finish="length", **further))
    (answer,) = toolkit.answer(open_at(script.url, chat=ASKED), ["one"], FACTS)
    assert read_choice(answer.text, LABELS) is None
    assert answer.finish_reason == "length"


@pytest.mark.parametrize("content", [5, {"text": "x"}, ["x"]])
def test_content_that_is_no_text_is_no_answer(served, content):
    script = served(by_prompt={"odd": [reply(content)] * 3})
    odd, other = ask(script, ["odd", "other"])
    assert "no chat completion" in odd.error
    assert other.text == "fine"


@pytest.mark.parametrize("usage", ["n/a", {"prompt_tokens": "7", "completion_tokens": None}, []])
def test_tokens_that_are_no_numbers_are_not_known(served, usage):
    prices = {"usd_per_million_input_tokens": 1, "usd_per_million_output_tokens": 1}
    (answer,) = ask(served(reply(usage=usage)), **prices)
    assert (answer.text, answer.error) == ("fine", None)
    assert (answer.prompt_tokens, answer.output_tokens, answer.usd) == (None, None, None)


def test_a_server_that_asks_for_too_long_a_pause_is_asked_once_and_quoted(served):
    script = served(fails(429, "slow down", headers={"Retry-After": "600"}))
    (answer,) = ask(script)
    assert answer.error.endswith("slow down, asked once (it says Retry-After: 600)")
    assert len(script.bodies) == 1


@pytest.mark.parametrize(
    ("said", "kept"),
    [("stop", "stop"), ("length", "length"), ("content_filter", None), ("tool_calls", None)],
)
def test_why_an_answer_ended_is_kept_where_it_says_whether_the_answer_is_whole(served, said, kept):
    notes = []
    script = served(default=reply(finish=said))
    (answer,) = toolkit.answer(open_at(script.url, notes), ["one"], FACTS)
    assert answer.finish_reason == kept
    assert ("some answers were cut at max_new_tokens" in notes) == (kept == "length")


def test_an_answer_that_goes_on_behind_its_stop_string_is_whole_not_cut(served):
    facts, notes = TaskInfo("t", "Which?", "text", {}, stop=("\n",)), []
    script = served(default=reply("fine\nand so on and so", finish="length"))
    (answer,) = toolkit.answer(open_at(script.url, notes), ["one"], facts)
    assert (answer.text, answer.finish_reason) == ("fine", "stop")
    assert not any("cut at max_new_tokens" in note for note in notes)
