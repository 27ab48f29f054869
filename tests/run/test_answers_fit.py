"""Targets that cannot be written are told before anything runs, and the remedies work."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from word_tokenizer import write_word_tokenizer

from harness.errors import ModelError
from harness.run.answer_room import room_of
from harness.run.answers_fit import answers_fit
from harness.run.preflight import Subject
from harness.task import load_task
from harness.types import Endpoint, ModelRef

ARMS = [{"use": "zero_shot", "model": "./words"}]
SERVED = ModelRef("far", "http://x/v1", hosted=Endpoint("openai"))
LONG = "my parcel never came and then we looked into it for a while " * 30
SUMMARY = {
    "summary": "the customer was told that the parcel is on its way and will come on friday before"
    " noon; if it does not, the depot calls back the same day and sends a second one at no cost,"
    " and the first one need not be sent back by anybody, whatever happens to either of the two",
    "todo": ["call the depot", "write to the customer", "close the ticket"],
    "owner": "team north of the river",
}
STRINGS = {"type": "array", "items": {"type": "string"}}
SCHEMA = {
    "type": "object",
    "properties": {"summary": {"type": "string"}, "todo": STRINGS, "owner": {"type": "string"}},
}
JSON = {"answer": {"kind": "json", "schema": SCHEMA}, "metric": "field_f1"}
TEXT = {"answer": {"kind": "text"}, "metric": "rouge_l"}


def words(n):
    return " ".join(["w"] * n)


@pytest.fixture
def write(tiny, tmp_path):
    """Write a task with these training and test targets."""

    def task(train, test, **changes):
        path = tiny(tmp_path, "", ARMS, **{**TEXT, **changes})
        for split, targets in (("train", train), ("test", test)):
            rows = [{"text": f"{split} {i}", "label": t} for i, t in enumerate(targets)]
            (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
        (tmp_path / "validation.jsonl").write_text(json.dumps({"text": "v", "label": test[0]}))
        return load_task(path)

    return task


@pytest.fixture
def model(tmp_path):
    return ModelRef("words", str(write_word_tokenizer(tmp_path / "words")))


def said(task, ref):
    found = answers_fit(Subject(task, ref, task.arms))
    return [one if isinstance(one, str) else one.sentence for one in found]


def test_targets_without_room_are_a_finding_with_their_rows(write, model):
    generation = {"max_new_tokens": 64}
    few = write([words(9)] * 39, [words(200)], generation=generation)
    (one,) = answers_fit(Subject(few, model, few.arms))
    assert (one.kind, one.count, one.severity) == ("answers without room", 1, "warning")
    assert one.rows == (few.test.queries[0].id,)
    many = write([words(9)] * 9, [words(200)], generation=generation)
    assert next(answers_fit(Subject(many, model, many.arms))).severity == "severe"


@pytest.mark.parametrize(("target", "changes"), [(LONG, TEXT), (SUMMARY, JSON)], ids=["11", "11b"])
def test_targets_longer_than_64_tokens_fit_by_default(write, model, target, changes):
    task = write([target] * 10, [target] * 4, **changes)
    assert said(task, model) == []
    assert room_of(task, model).max_new_tokens > 64


@pytest.mark.parametrize(("target", "changes"), [(LONG, TEXT), (SUMMARY, JSON)], ids=["11", "11b"])
def test_a_model_that_can_write_no_target_is_refused(write, model, target, changes):
    task = write([target] * 10, [target] * 4, **changes, generation={"max_new_tokens": 30})
    with pytest.raises(
        ModelError,
        match="no right answer can be written: 10 of 10 training targets and 4 of 4",
    ):
        said(task, model)


def test_some_targets_that_do_not_fit_are_a_remark_whose_remedy_works(write, model):
    train, test = [words(9)] * 32 + [words(130)] * 8, [words(9)] * 17 + [words(70)] * 3
    (told,) = said(write(train, test, generation={"max_new_tokens": 64}), model)
    assert told == (
        "'words': 8 of 40 training targets and 3 of 20 test targets need more than the 64 tokens"
        " that an answer may have (the longest 131) → write `generation: {max_new_tokens: 164}`"
    )
    remedy = yaml.safe_load(re.search(r"write `(.*)`", told)[1])
    assert said(write(train, test, **remedy), model) == []


def test_test_targets_alone_may_be_too_long_for_what_the_training_ones_need(write, model):
    (told,) = said(write([words(9)] * 5, [words(9), words(100)]), model)
    assert "1 of 2 test targets needs more than the 64 tokens" in told
    assert "training" not in told


def test_where_the_context_is_too_short_another_model_is_the_remedy(write, model, tmp_path):
    (tmp_path / "words/config.json").write_text('{"max_position_embeddings": 128}')
    (told,) = said(write([words(9), words(200)], ["w"], generation={"max_new_tokens": 64}), model)
    assert told.endswith("→ use a model whose context takes more than the 128 tokens of this one")


def test_a_tokenizer_that_cuts_texts_counts_them_whole(write, model):
    from tokenizers import Tokenizer

    file = f"{model.location}/tokenizer.json"
    cutting = Tokenizer.from_file(file)
    cutting.enable_truncation(16)
    cutting.save(file)
    (told,) = said(write([words(99), "w"], ["w"], generation={"max_new_tokens": 64}), model)
    assert "(the longest 100)" in told


def test_any_accepted_answer_that_fits_is_enough(write, model):
    either = [[words(100), "w"]] * 4
    assert said(write(either, either, generation={"max_new_tokens": 64}), model) == []


@pytest.mark.parametrize(
    ("stop", "holding", "words_said"),
    [
        ("\n", ["a\nb", "c", "d"], r"1 of 3 training targets holds the stop string '\\n'"),
        (".", ["a.", "b. c", "d"], r"2 of 3 training targets hold the stop string '\.'"),
    ],
)
def test_targets_that_hold_a_stop_string_are_told_and_the_remedy_works(
    write, model, stop, holding, words_said
):
    (told,) = said(write(holding, ["e"], generation={"stop": [stop]}), model)
    assert re.search(words_said, told)
    assert said(write(holding, ["e"]), model) == []


def test_a_stop_string_in_every_target_refuses_the_model(write, model):
    with pytest.raises(ModelError, match="2 of 2 training targets and 1 of 1 test targets hold"):
        said(write(["a.", "b."], ["c."], generation={"stop": ["."]}), model)


def test_without_a_chat_template_the_next_input_ends_an_answer_too(write, tmp_path):
    ref = ModelRef("bare", str(write_word_tokenizer(tmp_path / "bare", chat=False)))
    (told,) = said(write(["a\nInput: b", "c"], ["d"]), ref)
    assert "1 of 2 training targets holds the stop string '\\nInput:'" in told
    assert "use a model with a chat template" in told


def test_labels_that_are_scored_are_not_written(write, model):
    long = {"kind": "choice", "labels": {"a": "", words(100): ""}}
    changes = {"answer": long, "metric": "accuracy", "generation": {"max_new_tokens": 3}}
    assert said(write(["a"], ["a"], **changes), model) == []


def test_labels_of_a_hosted_model_are_written_and_counted_by_characters(write):
    labels = {"a": "", "b" * 100: ""}
    changes = {"answer": {"kind": "choice", "labels": labels}, "metric": "accuracy"}
    (told,) = said(write(["a"], ["a"], **changes, generation={"max_new_tokens": 3}), SERVED)
    assert "1 of 2 labels needs more than the 3 tokens" in told
    assert "(the longest about 26)" in told


def test_an_estimate_is_said_to_be_one_and_refuses_nothing(write):
    (told,) = said(write([LONG] * 3, [LONG]), SERVED)
    assert told.startswith("'far': answers get at most 564 tokens. That is an estimate, at 4 char")
    (told,) = said(write([LONG] * 3, [LONG], generation={"max_new_tokens": 9}), SERVED)
    assert "3 of 3 training targets and 1 of 1 test targets need more than the 9 tokens" in told
