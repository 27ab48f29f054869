"""What makes a fit of a model's arm another one: its weights, number format and the engine."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.run import fingerprints as identity
from harness.task import load_task
from harness.types import ModelRef

MODEL = ModelRef("small", "/somewhere", None, "a" * 64)


@pytest.fixture
def task(tmp_path):
    rows = [{"text": f"row {i}", "label": "x" if i % 2 else "y"} for i in range(6)]
    for split in ("train", "test"):
        lines = [json.dumps({"id": f"{split}{i}", **row}) for i, row in enumerate(rows)]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(lines))
    (tmp_path / "task.yaml").write_text(
        "name: t\ninstruction: Which?\nanswer: {kind: choice, labels: [x, y]}\n"
        "data: {train: train.jsonl, test: test.jsonl, input: text, target: label}\n"
        "metric: accuracy\nstrategies: [zero_shot, tfidf]\n"
    )
    return load_task(tmp_path / "task.yaml")


def test_a_models_weights_and_format_decide_its_arms_and_no_others(task):
    others = [
        (dataclasses.replace(MODEL, sha256="b" * 64), "bfloat16"),
        (MODEL, "float32"),
        (ModelRef("hub/one", "/x", revision="1"), "bfloat16"),
        (ModelRef("hub/one", "/x", revision="2"), "bfloat16"),
    ]
    asked = [(MODEL, "bfloat16"), *others]
    prompted = {identity.fit_id(task, "zero_shot", 0, *given) for given in asked}
    classical = {identity.fit_id(task, "tfidf", 0, *given) for given in asked}
    assert (len(prompted), len(classical)) == (5, 1)


def test_where_the_weights_lie_decides_nothing(task):
    moved = dataclasses.replace(MODEL, location="/elsewhere")
    ids = [identity.fit_id(task, "zero_shot", 0, model, "float32") for model in (MODEL, moved)]
    assert ids[0] == ids[1]


def test_the_engines_source_decides_arms_with_a_model_alone(task, monkeypatch):
    before = [identity.fit_id(task, arm, 0, MODEL, "float32") for arm in ("zero_shot", "tfidf")]
    monkeypatch.setattr(identity, "engine_sha256", lambda room: "changed")
    after = [identity.fit_id(task, arm, 0, MODEL, "float32") for arm in ("zero_shot", "tfidf")]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_the_models_hash_is_that_of_its_files(tmp_path):
    from harness.lm.loading.resolve import resolve

    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    (tmp_path / "m" / "model.safetensors").write_bytes(b"weights")
    first = resolve("./m", tmp_path)
    (tmp_path / "m" / "README.md").write_text("no part of it")
    assert resolve("./m", tmp_path) == first
    (tmp_path / "m" / "model.safetensors").write_bytes(b"weighty")
    assert resolve("./m", tmp_path).sha256 != first.sha256
