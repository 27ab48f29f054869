"""Answers that were made elsewhere: every field of a line is of its kind, or the line is named."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest
from small_world import context

from harness.errors import StrategyError
from harness.types import Prediction, Query
from strategies.predictions import Line, Predictions, read


def written(folder, *lines):
    file = folder / "theirs.jsonl"
    file.write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    )
    return file


def answered(file, *row_ids, **params):
    arm = Predictions(Predictions.Params(file=str(file), **params), context())
    arm.lines = read(file)
    return arm.predict([Query(row_id, "") for row_id in row_ids])


def test_a_line_has_the_fields_of_a_prediction():
    of_answer = [field.name for field in fields(Prediction)]
    assert list(Line.model_fields) == ["id", *of_answer, "query_sha256"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("wall_s", "1.5", '`wall_s`: must be a number ("1.5") → write a number'),
        ("usd", "0.02", "`usd`: must be a number"),
        ("usd", -1, "`usd`: must be at least 0 (-1) → write what it"),
        ("usd", float("nan"), "`usd`: must be a finite number"),
        ("wall_s", True, "`wall_s`: must be a number (true)"),
        ("prompt_tokens", 1.5, "`prompt_tokens`: must be a whole number (1.5)"),
        ("sources", "manual", '`sources`: must be a list ("manual") → write a'),
        ("sources", [1], "`sources`: must be text (1) → write a text"),
        ("notes", "fast", "`notes`: must be a list"),
        ("label_logprobs", {"sky": "-0.1"}, "`label_logprobs`: must be a number"),
        ("label_logprobs", {"sky": 0.9}, "`label_logprobs`: must be at most"),
        ("mean_logprob", 0.5, "`mean_logprob`: must be at most"),
        ("least_logprob", "-2", "`least_logprob`: must be a number"),
        ("error", 5, "`error`: must be text (5)"),
        ("prompt", 5, "`prompt`: must be text (5)"),
        ("text", 7, "`text`: must be text (7) → write a text, in quotes"),
        ("text", None, "`text`: must be text (null)"),
        ("id", None, "`id`: must be text (null)"),
    ],
)
def test_a_field_of_another_kind_is_named_with_its_line_and_a_remedy(tmp_path, field, value, words):
    good = {"id": "a", "text": "sky"}
    file = written(tmp_path, good, {"id": "b", "text": "sky", field: value})
    with pytest.raises(StrategyError) as refused:
        read(file)
    assert str(refused.value).startswith("theirs.jsonl:2: ")
    assert words in str(refused.value)
    assert "other faults" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "this is not {"),
        ("[]", "this is not {"),
        ({"text": "sky"}, "`id` is missing → write the row's id under `id`"),
        ({"id": "b"}, "`text` is missing → write the answer under `text`"),
        ({"id": "a", "text": "sea"}, "the id 'a' stands twice → remove one"),
    ],
)
def test_what_is_no_line_of_a_prediction_is_said(tmp_path, line, words):
    with pytest.raises(StrategyError) as refused:
        read(written(tmp_path, {"id": "a", "text": "sky"}, "", line))
    assert str(refused.value).startswith("theirs.jsonl:3: ")
    assert words in str(refused.value)


def test_all_faults_are_counted(tmp_path):
    lines = [{"id": n, "text": "sky", "usd": "1", "wall_s": "2"} for n in range(3)]
    with pytest.raises(StrategyError, match=r"theirs.jsonl:1: `wall_s`.* \(and 5 other faults"):
        read(written(tmp_path, *lines))


def test_a_file_in_another_encoding_is_said(tmp_path):
    file = tmp_path / "theirs.jsonl"
    file.write_bytes('{"id": "a", "text": "Süd"}'.encode("latin-1"))
    with pytest.raises(StrategyError, match=r"theirs.jsonl is not UTF-8"):
        read(file)


def test_a_field_that_is_null_is_as_good_as_none(tmp_path):
    nulls = dict.fromkeys((field.name for field in fields(Prediction)), None)
    file = written(tmp_path, {**nulls, "id": 1, "text": "sky"}, {"id": 2, "text": "sea", "usd": 0})
    assert answered(file, "1") == [Prediction("sky")]
    first, second = answered(file, "1", "2", usd_per_1k=5)
    assert (first.usd, second.usd) == (0.005, 0)


def test_what_the_harness_wrote_can_be_entered_again(tmp_path):
    whole = Prediction(
        "sky",
        label_logprobs={"sky": -0.1, "sea": -2.4},
        prompt=("Where?", "sea", "And now?"),
        prompt_tokens=5,
        cached_tokens=0,
        output_tokens=1,
        finish_reason="stop",
        mean_logprob=-0.2,
        least_logprob=-0.4,
        sources=("manual",),
        notes=("fast",),
        wall_s=1,
        usd=0.02,
    )
    row = {field.name: getattr(whole, field.name) for field in fields(Prediction)}
    assert answered(written(tmp_path, {"id": "a", **row}), "a") == [whole]


def test_why_an_answer_ended_is_read_and_reasons_of_another_kind_are_not_known(tmp_path):
    reasons = {"a": "length", "b": "stop", "c": "content_filter", "d": None}
    lines = [{"id": key, "text": "sky", "finish_reason": said} for key, said in reasons.items()]
    given = answered(written(tmp_path, *lines, {"id": "e", "text": "sea"}), *"abcde")
    assert [one.finish_reason for one in given] == ["length", "stop", None, None, None]
