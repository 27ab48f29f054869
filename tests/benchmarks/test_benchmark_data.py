"""What the sides are given to do."""

from __future__ import annotations

import re

import pytest
from needed import needs_banking77

from benchmarks import data, public_sets
from harness.errors import UserError


@needs_banking77
def test_work_is_drawn_the_same_every_time():
    first, again = (data.few_shot_questions(10, 20, 100) for _ in range(2))
    assert first == again
    assert len(set(first.prompts)) == 100
    assert len(set(first.continuations)) == 10
    assert data.lesson(160, 80) == data.lesson(160, 80)


@needs_banking77
def test_few_shot_prompts_share_their_demonstrations_and_nothing_else():
    questions = data.few_shot_questions(10, 20, 100)
    shared = {prompt.rsplit("Message: ", 1)[0] for prompt in questions.prompts}
    assert len(shared) == 1
    shown = re.findall(r"Message: (.*)\nLabel:( .*)\n", shared.pop())
    assert len(shown) == 20
    assert {label for _, label in shown} <= set(questions.continuations)
    asked = {
        prompt.rsplit("Message: ", 1)[1].removesuffix("\nLabel:") for prompt in questions.prompts
    }
    assert not asked & {message for message, _ in shown}


@needs_banking77
def test_zero_shot_prompts_list_every_label():
    questions = data.zero_shot_questions(100)
    assert len(questions.continuations) == 77
    for label in questions.continuations:
        assert f"\n-{label}\n" in questions.prompts[0]


@needs_banking77
def test_what_is_held_out_is_not_learnt_from():
    lesson = data.lesson(160, 80)
    assert (len(lesson.examples), len(lesson.held_out)) == (160, 80)
    assert not {m for m, _ in lesson.examples} & {m for m, _ in lesson.held_out}


def test_missing_data_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(public_sets, "FOLDER", tmp_path)
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "banking77"))):
        data.lesson(1, 1)
