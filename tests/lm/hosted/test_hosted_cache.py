"""Kept answers: the same question is asked once, any other again, and nothing is half written."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from scripted_server import FACTS, fails, open_at, reply, slow

from harness import toolkit
from harness.lm.hosted import cache
from harness.types import Prediction

pytestmark = pytest.mark.usefixtures("asking")
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 1.0}


def ask(url, prompt="one", facts=FACTS, **more):
    return toolkit.answer(open_at(url, **more), [prompt], facts)[0]


def test_a_replay_is_neither_free_nor_instant(served):
    script, notes = served(slow(0.2, reply()), default=fails(500)), []
    first = ask(script.url, **PRICES)
    again = ask(script.url, notes=notes, **PRICES)
    assert again == first
    assert again.wall_s >= 0.2
    assert again.usd == pytest.approx(107e-6)
    assert len(script.bodies) == 1
    assert any("replayed with their own times and prices" in note for note in notes)


def test_what_a_process_asked_itself_is_no_replay_of_an_earlier_run(served):
    notes = []
    model = open_at(served().url, notes)
    first, again = (toolkit.answer(model, ["one"], FACTS) for _ in range(2))
    assert again == first
    assert not any("replayed" in note for note in notes)


def test_a_single_request_that_is_replayed_from_one_of_several_is_noted(served):
    script, told = served(), "asked for several at once"
    toolkit.answer(open_at(script.url), ["one", "two"], FACTS)
    toolkit.answer(open_at(script.url), ["three"], FACTS)
    for prompt, crowded in (("one", True), ("three", False)):
        notes = []
        ask(script.url, prompt, notes=notes)
        assert any(told in note for note in notes) is crowded
    notes = []
    toolkit.answer(open_at(script.url, notes), ["one", "two"], FACTS)
    assert not any(told in note for note in notes)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "two"},
        {"facts": replace(FACTS, max_new_tokens=10)},
        {"facts": replace(FACTS, stop=("END",))},
        {"facts": replace(FACTS, schema={"type": "object"})},
        {"seed": 1},
        {"extra": {"top_k": 1}},
        {"name": "another"},
    ],
)
def test_another_question_is_asked_anew(served, other):
    script = served()
    ask(script.url)
    ask(script.url, **other)
    assert len(script.bodies) == 2


def test_another_server_is_asked_anew(served):
    first, second = served(), served()
    ask(first.url)
    ask(second.url)
    assert len(second.bodies) == 1


def test_how_it_is_asked_makes_no_other_question(served):
    script = served()
    ask(script.url)
    ask(script.url, concurrency=1, timeout_s=9, max_retries=0, key_env=None, **PRICES)
    assert len(script.bodies) == 1


def test_a_failure_is_not_kept(served):
    script = served(fails(400, "not now"))
    assert ask(script.url).error
    assert ask(script.url).text == "fine"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"text": "x"}', '{"notes": [], "other": 1}'])
def test_a_damaged_file_is_asked_for_again(served, tmp_path, damage):
    script = served()
    first = ask(script.url)
    (file,) = tmp_path.rglob("responses/*/*.json")
    file.write_text(damage)
    assert ask(script.url).text == first.text
    assert len(script.bodies) == 2
    assert json.loads(file.read_text())["text"] == first.text


def test_an_answer_kept_by_an_earlier_version_is_not_paid_again(served, tmp_path):
    script = served(default=reply(finish="length"))
    assert ask(script.url).finish_reason == "length"
    (file,) = tmp_path.rglob("responses/*/*.json")
    row = json.loads(file.read_text())
    del row["finish_reason"]
    file.write_text(json.dumps(row))
    assert ask(script.url).finish_reason is None  # nobody said it then
    assert len(script.bodies) == 1


def test_writers_at_once_leave_one_whole_file(tmp_path):
    place = cache.place_of({"model": "m"})
    answers = [cache.Kept(Prediction(str(i) * 20_000, notes=("a", "b")), True) for i in range(16)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda answer: cache.write(place, answer), answers))
    assert cache.read(place) in answers
    assert [file.name for file in place.parent.iterdir()] == [place.name]


def test_each_request_of_a_process_counts_once_replayed_or_not(served):
    usage = {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}
    script = served(default=reply("fine", usage))
    first = open_at(script.url)
    toolkit.answer(first, ["one", "two", "one"], FACTS)
    again = open_at(script.url)
    toolkit.answer(again, ["one"], FACTS)
    counts = [
        (m.requests, m.prompt_tokens, m.output_tokens) for m in (first.loaded(), again.loaded())
    ]
    assert counts == [(2, 200, 20), (1, 100, 10)]
    silent = served(default=reply("fine", None))
    unknown = open_at(silent.url)
    toolkit.answer(unknown, ["one"], FACTS)
    assert (unknown.loaded().requests, unknown.loaded().prompt_tokens) == (1, None)
