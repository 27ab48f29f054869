"""Answers as they lie on disk: what their prompts share once, and what each has of its own."""

from __future__ import annotations

import json
import random

import pytest

from harness.store.predictions_file import each_prediction, read_predictions, write_predictions
from harness.store.prompt_templates import packed, unpacked
from harness.types import Conversation, Prediction, RunningText


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_template_is_kept_once_and_of_each_prompt_its_slot(tmp_path):
    prompts = [f"Which team?\nInput: {text}\nAnswer:" for text in ("bike", "gone", "")]
    given = [Prediction("a", prompt=prompt) for prompt in prompts]
    file = tmp_path / "predictions.jsonl"
    write_predictions(file, ["1", "2", "3"], given)
    assert [row["prompt"] for row in lines(file)] == [
        {
            "template": 0,
            "slot": ["bike"],
            "ends": [["Which team?\nInput: ", "\nAnswer:"]],
            "like": "",
        },
        {"template": 0, "slot": ["gone"]},
        {"template": 0, "slot": [""]},
    ]
    assert list(read_predictions(file).values()) == given


def test_what_ten_thousand_prompts_repeat_takes_the_room_of_one(tmp_path):
    long = "An instruction of a task with its labels and their descriptions. " * 200
    given = [Prediction("a", prompt=RunningText(f"{long}{n}\nAnswer:")) for n in range(10_000)]
    file = tmp_path / "predictions.jsonl"
    write_predictions(file, map(str, range(10_000)), given)
    assert file.stat().st_size < len(long) + 10_000 * 400 < 10_000 * len(long) / 10


@pytest.mark.parametrize(
    "prompts",
    [
        [None, None],
        [None, "a", "a", "aa"],
        ["aba", "aa", "aba"],  # beginning and end would overlap
        ["", ""],
        [("a b", "x", "c"), ("a d", "x", "e"), ("one",), "one"],
        [Conversation("sys", ("a",)), Conversation("sys", ("ab",)), Conversation("s", ("a", "b"))],
        [RunningText("a"), RunningText("b", "\n"), RunningText("", "")],
        ["\0 \u2028 \u202e", "{{ slot }} template", '{"template": 0}'],
    ],
)
def test_prompts_of_every_kind_come_back_as_they_were(prompts, tmp_path):
    again, templates = json.loads(json.dumps(packed(prompts))), {}
    assert [unpacked(templates, one) for one in again] == prompts
    file = tmp_path / "predictions.jsonl"
    ids = [str(n) for n in range(len(prompts))]
    write_predictions(file, ids, [Prediction("", prompt=prompt) for prompt in prompts])
    assert [given.prompt for _, given in each_prediction(file)] == prompts


def letters(draw):
    return "".join(draw.choices("ab", k=draw.randrange(5)))


def test_random_prompts_come_back_as_they_were():
    draw = random.Random(22)
    for _ in range(300):
        prompts = [
            tuple(
                "".join(draw.choices("ab", k=draw.randrange(5))) for _ in range(draw.choice((1, 3)))
            )
            for _ in range(draw.randrange(1, 6))
        ]
        templates = {}
        assert [unpacked(templates, one) for one in packed(prompts)] == prompts


def test_a_file_of_an_earlier_version_has_its_prompts_whole(tmp_path):
    file = tmp_path / "predictions.jsonl"
    rows = [
        {"id": "1", "text": "a", "prompt": "Which?"},
        {"id": "2", "text": "b", "prompt": ["x", "y", "z"]},
        {"id": "3", "text": "c", "prompt": {"text": "on", "end": "\n"}},
        {"id": "4", "text": "d", "prompt": None},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [one.prompt for one in read_predictions(file).values()] == [
        "Which?",
        ("x", "y", "z"),
        RunningText("on", "\n"),
        None,
    ]


@pytest.mark.parametrize(("number", "slot"), [(1, ["x"]), (0, []), (-1, ["x"])])
def test_a_slot_without_its_template_is_damage(number, slot, tmp_path):
    file = tmp_path / "predictions.jsonl"
    ends = {"template": 0, "slot": ["x"], "ends": [["a", "b"]], "like": ""}
    prompts = [ends, {"template": number, "slot": slot}]
    rows = [{"id": f"{n}", "text": "a", "prompt": prompt} for n, prompt in enumerate(prompts)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(ValueError, match=r"template|zip"):
        read_predictions(file)
    assert read_predictions(file, prompts=False)["1"].text == "a"
