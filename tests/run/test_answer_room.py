"""How long answers may be: what the task says, else what the targets need, by each tokenizer."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from word_tokenizer import write_word_tokenizer

from harness.run import answer_room
from harness.run.answer_room import THOUGHTS, asked, room_of, rooms
from harness.run.environment import Setting, header
from harness.task import load_task
from harness.types import NEW_TOKENS, ChatSettings, Endpoint, ModelRef

SOURCE = """
from harness import Prediction, Strategy

class Fixed(Strategy):
    answers = frozenset({"choice", "text", "json"})

    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class WithModel(Fixed):
    needs_model = True
"""
ARMS = [
    {"use": "own.py:Fixed", "name": "plain"},
    {"use": "own.py:WithModel", "name": "words", "model": "./words"},
    {"use": "own.py:WithModel", "name": "letters", "model": "./letters"},
]
SERVED = ModelRef("far", "http://x/v1", hosted=Endpoint("openai"))


@pytest.fixture
def write(tiny, tmp_path):
    """Write a task of text answers, with so many words as each training target has."""

    def task(words=(), arms=ARMS, **changes):
        text = {"answer": {"kind": "text"}, "metric": "token_f1", **changes}
        path = tiny(tmp_path, SOURCE, arms, **text)
        if words:
            rows = [{"text": f"q{i}", "label": " ".join(["w"] * n)} for i, n in enumerate(words)]
            (tmp_path / "train.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        return load_task(path)

    return task


@pytest.fixture
def model(tmp_path):
    """A model of which there is a tokenizer alone: a word is a token."""
    return ModelRef("words", str(write_word_tokenizer(tmp_path / "words")), sha256="1")


def test_the_99th_percentile_with_a_margin_and_the_end_of_the_turn(write, model):
    room = room_of(write([10] * 98 + [159, 1000]), model)
    assert (room.needed, room.max_new_tokens) == (160, 200)
    assert (room.estimated, room.given) == (False, False)


@pytest.mark.parametrize(("words", "most"), [(3, NEW_TOKENS), (59, 75), (79, 100), (60, 77)])
def test_the_margin_is_a_quarter_and_nobody_has_less_than_where_nothing_is_known(
    write, model, words, most
):
    assert room_of(write([words] * 5), model).max_new_tokens == most


@pytest.mark.parametrize(
    ("config", "most"),
    [
        ({}, 1252),
        ({"max_position_embeddings": 2048}, 1024),
        ({"text_config": {"max_position_embeddings": 1000}}, 500),
        ({"max_position_embeddings": 64}, NEW_TOKENS),
        ({"max_position_embeddings": 512, "is_encoder_decoder": True}, 1252),
    ],
    ids=["not said", "half", "of the text model", "no less than before", "a context each"],
)
def test_half_of_the_context_is_left_to_the_prompt(write, model, tmp_path, config, most):
    (tmp_path / "words/config.json").write_text(json.dumps(config))
    assert room_of(write([1000] * 5), model).max_new_tokens == most


def test_a_number_of_the_task_stands(write, model):
    room = room_of(write([500] * 5, generation={"max_new_tokens": 7}), model)
    assert (room.max_new_tokens, room.given) == (7, True)


def test_without_training_rows_it_is_what_it_is_where_nothing_is_known(write, model, tmp_path):
    task = write(data={"test": "test.jsonl", "input": "text", "target": "label"})
    assert room_of(task, model).max_new_tokens == NEW_TOKENS


def test_a_choice_that_is_scored_needs_none_and_one_that_is_written_its_longest_label(write, model):
    labels = ["a", "b", "x" * 1000]
    task = write(answer={"kind": "choice", "labels": labels}, metric="accuracy")
    assert room_of(task, model).max_new_tokens == NEW_TOKENS
    assert room_of(task, SERVED).max_new_tokens == 314  # 1,000 characters and the end of the turn


@pytest.mark.parametrize(
    ("text", "needed"),
    [("abcd" * 100, 101), ("你好" * 100, 201), ("abc" * 100 + "é", 77)],
    ids=["English", "Chinese", "an accent"],
)
def test_where_no_tokenizer_is_known_it_is_an_estimate_by_characters(write, text, needed):
    task = write()
    rows = task.path.parent / "train.jsonl"
    rows.write_text(json.dumps({"text": "q", "label": text}) + "\n")
    task = load_task(task.path)
    for ref in (SERVED, ModelRef("gone", "/nowhere")):
        room = room_of(task, ref)
        assert (room.needed, room.estimated) == (needed, True)


def test_a_model_that_is_asked_to_think_has_room_for_its_thoughts(write, model):
    thinking = replace(model, chat=ChatSettings(template_kwargs={"enable_thinking": True}))
    assert room_of(write([100] * 5), thinking).max_new_tokens == 127 + THOUGHTS
    scored = write(answer={"kind": "choice", "labels": ["a", "b"]}, metric="accuracy")
    assert room_of(scored, thinking).max_new_tokens == NEW_TOKENS


def test_each_arm_is_told_the_room_of_its_own_model(write, model, tmp_path):
    task = write([100] * 5)
    letters = ModelRef("letters", str(tmp_path), sha256="2")  # no tokenizer: four characters each
    found = rooms(task, {"./words": model, "./letters": letters})
    told = {arm.name: asked(task, arm.name, found).info.max_new_tokens for arm in task.arms}
    assert told == {"plain": NEW_TOKENS, "words": 127, "letters": 64}


def test_the_room_decides_the_fit_of_arms_with_that_model_and_of_no_other(write, model):
    task = write([100] * 5)

    def ids(**found):
        setting = Setting(models={"./words": model}, answer_room=found)
        plan = header(task, setting, frozenset(), "now")
        return {trial.arm: trial.fit_id for trial in plan.trials}

    room = room_of(task, model)
    wider = room.model_copy(update={"max_new_tokens": 999})
    one, other = ids(**{"./words": room}), ids(**{"./words": wider})
    assert {arm for arm in one if one[arm] != other[arm]} == {"words"}


def test_what_the_last_header_says_stands_until_what_decides_it_changes(write, model, monkeypatch):
    task, models = write([100] * 5), {"./words": model}
    setting = Setting(models=models, answer_room=rooms(task, models))
    earlier = header(task, setting, frozenset(), "now")
    counted = []
    count = answer_room.room_of
    monkeypatch.setattr(answer_room, "room_of", lambda *given: counted.append(1) or count(*given))
    assert rooms(task, models, earlier) == earlier.answer_room
    assert not counted
    other = ModelRef("words", model.location, sha256="other weights")
    for task_now, models_now in ((write([200] * 5), models), (task, {"./words": other})):
        assert (
            rooms(task_now, models_now, earlier)["./words"].of != earlier.answer_room["./words"].of
        )
    assert len(counted) == 2


def test_a_number_that_was_written_since_stands(write, model):
    task, models = write([100] * 5), {"./words": model}
    setting = Setting(models=models, answer_room=rooms(task, models))
    earlier = header(task, setting, frozenset(), "now")
    given = write([100] * 5, generation={"max_new_tokens": 9})
    assert rooms(given, models, earlier)["./words"].max_new_tokens == 9
    setting = Setting(models=models, answer_room=rooms(given, models))
    fixed = header(given, setting, frozenset(), "now")
    assert rooms(task, models, fixed)["./words"].max_new_tokens == 127


def test_tokens_are_counted_without_torch_and_transformers(model):
    """In a process of its own: in this one other tests have imported them."""
    program = (
        "import sys; from harness.lm.sizing.token_count import token_counter;"
        "from harness.types import ModelRef;"
        f"assert token_counter(ModelRef('m', {model.location!r})).counts(['w w w']) == [4];"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
