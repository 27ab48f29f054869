"""What makes a fit another one: of a model's arm its weights, number format and the engine."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from harness.files.reached_code import sha256_of_code
from harness.registry import source
from harness.run import fingerprints as identity
from harness.task import load_task
from harness.types import ChatSettings, ModelRef

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


def test_what_is_added_to_prompts_decides_an_arm_with_a_model_alone(task):
    def ids(arm, **chat):
        model = dataclasses.replace(MODEL, chat=ChatSettings(**chat))
        return identity.fit_id(task, arm, 0, model, "float32")

    unset = identity.fit_id(task, "zero_shot", 0, MODEL, "float32")
    assert ids("zero_shot", date="2026-11-29") == ids("zero_shot") == unset
    thoughts = {"template_kwargs": {"enable_thinking": True}}
    others = [ids("zero_shot", system="Be brief."), ids("zero_shot", **thoughts)]
    assert len({unset, *others}) == 3
    assert ids("tfidf", system="Be brief.") == identity.fit_id(task, "tfidf", 0, None, "float32")


def test_where_the_weights_lie_decides_nothing(task):
    moved = dataclasses.replace(MODEL, location="/elsewhere")
    ids = [identity.fit_id(task, "zero_shot", 0, model, "float32") for model in (MODEL, moved)]
    assert ids[0] == ids[1]


def test_the_engines_source_decides_arms_with_a_model_alone(task, monkeypatch):
    before = [identity.fit_id(task, arm, 0, MODEL, "float32") for arm in ("zero_shot", "tfidf")]
    monkeypatch.setattr(identity, "engine_sha256", lambda: "changed")
    after = [identity.fit_id(task, arm, 0, MODEL, "float32") for arm in ("zero_shot", "tfidf")]
    assert before[0] != after[0]
    assert before[1] == after[1]


LATE = """
from harness import Prediction, Strategy
class Late(Strategy):
    answers = frozenset({"choice"})
    def predict(self, queries):
        from harness import retrieval
        return [Prediction(retrieval.sentences(query.text)[0]) for query in queries]
"""


def test_a_room_that_is_imported_inside_a_function_decides_a_fit(task, tmp_path, monkeypatch):
    (tmp_path / "late.py").write_text(LATE)
    file = tmp_path / "task.yaml"
    file.write_text(file.read_text().replace("zero_shot", "{use: 'late.py:Late', name: late}"))
    copy = tmp_path / "copy/harness"
    shutil.copytree(source.HOME, copy, ignore=shutil.ignore_patterns("*.pyc"))

    def ids(home, cut):
        (copy / "retrieval/chunking.py").write_text(cut)
        sha256_of_code.cache_clear()
        monkeypatch.setattr(source, "HOME", home)
        loaded = load_task(file)
        return [identity.fit_id(loaded, arm, 0, None, "float32") for arm in ("late", "tfidf")]

    before = ids(source.HOME, "")
    cut = (source.HOME / "retrieval/chunking.py").read_text()
    assert ids(copy, cut) == before
    late, tfidf = ids(copy, cut.replace("LONGEST_HEADING = 200", "LONGEST_HEADING = 100"))
    sha256_of_code.cache_clear()
    assert late != before[0]
    assert tfidf == before[1]


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
