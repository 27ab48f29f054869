"""What is found of models before one is loaded: who is refused, and what is said."""

from __future__ import annotations

import pytest
from command_line import harness, write_task
from model_folders import BROKEN, write_broken, write_whole

from harness.errors import ModelError
from harness.run import preflight
from harness.task import load_task
from harness.types import ModelRef

SOURCE = """
from harness import Prediction, Strategy

class Fixed(Strategy):
    def predict(self, queries):
        return [Prediction("a") for _ in queries]

class WithModel(Fixed):
    needs_model = True
"""
ARMS = [
    {"use": "own.py:Fixed", "name": "plain"},
    {"use": "own.py:WithModel", "name": "small", "model": "./small"},
    {"use": "own.py:WithModel", "name": "large", "model": "./large"},
]


@pytest.fixture
def task(tiny, tmp_path):
    return load_task(tiny(tmp_path, SOURCE, ARMS))


MODELS = {name: ModelRef(name, name) for name in ("./small", "./large")}


def test_a_refused_model_leaves_the_others_and_remarks_are_said_once(task, monkeypatch):
    def examination(subject):
        yield "this much is known"
        if subject.ref.name == "./large":
            raise ModelError(f"{subject.ref.name} is cut → fetch it again")

    monkeypatch.setattr(preflight, "EXAMINATIONS", (examination,))
    found = preflight.preflight(task, MODELS)
    assert found.refused == {"./large": "./large is cut → fetch it again"}
    assert found.remarks == ("this much is known",)


def test_only_models_of_the_arms_that_count_are_examined(task, monkeypatch):
    seen = []

    def examination(subject):
        seen.append([arm.name for arm in subject.arms])
        return iter(())

    monkeypatch.setattr(preflight, "EXAMINATIONS", (examination,))
    preflight.preflight(task, MODELS, frozenset({"plain", "small"}))
    assert seen == [["small"]]


def test_check_refuses_a_model_that_is_not_there(task):
    assert "neither a .gguf file nor a folder" in preflight.examined(task).refused["./small"]


@pytest.mark.parametrize("kind", BROKEN)
def test_check_refuses_a_broken_model_in_one_message(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    path = write_task(tmp_path, ["majority", "zero_shot", "lora"], model="./model")
    write_broken(tmp_path / "model", kind)
    told = harness("check", path)
    assert told.returncode == 2
    [message] = told.stderr.splitlines()
    assert message.startswith("error: model './model': ")
    assert BROKEN[kind][1] in message
    assert BROKEN[kind][2] in message.partition(" → ")[2]


@pytest.mark.torch  # transformers reads the tokenizer, and looks for it
def test_check_says_nothing_of_a_whole_model(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    path = write_task(tmp_path, ["majority", "zero_shot"], model="./model")
    write_whole(tmp_path / "model")
    told = harness("check", path)
    assert (told.returncode, told.stderr) == (0, "")
