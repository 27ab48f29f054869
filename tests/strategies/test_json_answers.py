"""Strategies with a model answer a JSON task with JSON that is valid under its schema."""

from __future__ import annotations

import pytest
from tiny_models import write_model

from harness import registry
from harness.metrics import Items, find, written
from harness.types import Context, Example, Query, Split, TaskInfo

SCHEMA = {
    "properties": {"deep": {"type": "boolean"}, "where": {"enum": ["sea", "sky"]}},
    "required": ["deep", "where"],
    "type": "object",
}
PARAMS = {
    "zero_shot": {},
    "few_shot": {"shots": 2},
    "prefix_tuning": {"tokens": 2, "epochs": 1},
    "full_finetune": {"epochs": 30, "patience": 99, "learning_rate": 3e-3},
}
ROWS = Split(
    "train",
    tuple(
        Example(Query(word, word), (written({"where": "sea", "deep": True}),))
        for word in ("wave", "fish", "ship", "salt")
    ),
)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("tiny"), "llama-tied", chat=True)


def answers(name, model, artifact):
    def context():
        return Context(
            task=TaskInfo("t", "Where is it?", "json", {}, 48, (), SCHEMA),
            documents=(),
            model=model,
            seed=0,
            device="cpu",
            dtype="float32",
            budget_bytes=8 * 2**30,
            metric=lambda *_: 0.0,
            log=lambda **_: None,
            note=lambda *_: None,
            build=lambda *_: None,
        )

    kind = registry.find(name)
    kind(kind.Params(**PARAMS[name]), context()).fit(ROWS, ROWS, artifact)
    served = kind(kind.Params(**PARAMS[name]), context())
    served.load(artifact)
    return [prediction.text for prediction in served.predict(ROWS.queries)]


@pytest.mark.parametrize("name", PARAMS)
def test_every_answer_is_valid_whatever_the_model_knows(name, model, tmp_path):
    assert "json" in registry.find(name).answers
    texts = answers(name, model, tmp_path)
    items = Items(texts, [row.targets for row in ROWS], schema=SCHEMA)
    assert find("json_valid").value(items) == 1
    if name == "full_finetune":  # the order of keys that it was taught is the one it may write
        assert texts == [row.targets[0] for row in ROWS]
