"""What a task may add to every prompt: a system turn, and what a chat template takes."""

from __future__ import annotations

import pytest
from task_folder import faults_of, task_text, write

from harness.task import load_task


def test_both_keys_reach_the_settings_of_every_model(tmp_path):
    keys = {"system": "Be brief.", "chat_template_kwargs": {"enable_thinking": True, "n": [1]}}
    task = load_task(write(tmp_path, task_text(**keys)))
    assert task.chat.system == "Be brief."
    assert task.chat.template_kwargs == {"enable_thinking": True, "n": [1]}
    assert load_task(write(tmp_path)).chat.decides() == {}


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"chat_template_kwargs": {"messages": [], "tools": []}}, "messages, tools are given by"),
        ({"chat_template_kwargs": {"tokenize": True}}, "tokenize is given by the engine, and not"),
        ({"chat_template_kwargs": ["enable_thinking"]}, "must be a mapping of keys"),
        ({"system": " "}, "is blank"),
        ({"system": ["a"]}, "must be text"),
    ],
)
def test_what_cannot_be_set_is_refused(tmp_path, keys, told):
    (fault,) = faults_of(write(tmp_path, task_text(**keys)))
    assert told in fault.what
    assert "task.yaml:" in fault.where


def test_an_unquoted_date_is_no_value_that_a_template_takes(tmp_path):
    text = task_text() + "chat_template_kwargs: {date_string: 2026-01-02}\n"
    (fault,) = faults_of(write(tmp_path, text))
    assert "must be a value of JSON" in fault.what
    assert fault.fix == 'quote it: "2026-01-02"'
    followed = text.replace("2026-01-02", '"2026-01-02"')
    assert load_task(write(tmp_path, followed)).chat.template_kwargs == {
        "date_string": "2026-01-02"
    }
