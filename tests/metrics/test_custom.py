"""A task's own metric: a function in a file beside it, held to its word."""

from __future__ import annotations

import json

import pytest

from harness.errors import UserError
from harness.metrics import Items, find
from harness.metrics.custom import find_metric, source_of
from harness.run import fingerprints as identity
from harness.task import load_task

SOURCE = '''
def close(answer, targets):
    """Share of the first target's letters that the answer has."""
    return sum(letter in answer for letter in targets[0]) / len(targets[0])

def fails(answer, targets):
    return {"x": 1.0}[answer]

def returns(answer, targets):
    return {"nan": float("nan"), "more": 1.01, "less": -0.01, "none": None, "text": "1"}[answer]

NOT_ONE = 3
'''
ITEMS = Items(["ab", "b", None], [("ab",), ("ab", "b"), ("ab",)], ids=["r0", "r1", "r2"])


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own.py").write_text(SOURCE)
    return tmp_path


def test_its_value_is_the_mean_over_items_and_a_failed_one_is_worth_nothing(folder):
    metric = find_metric("own.py:close", folder)
    assert metric.statistics(ITEMS).tolist() == [[1, 1], [0.5, 1], [0, 1]]
    assert metric.value(ITEMS) == pytest.approx(0.5)
    assert metric.summary == "Share of the first target's letters that the answer has."


def test_a_built_in_metric_is_found_by_the_same_door():
    assert find_metric("accuracy", None) is find("accuracy")


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("none.py:close", "there is no file"),
        ("own.py:clos", "did you mean 'close'"),
        ("own.py:NOT_ONE", "is not a function"),
        ("broken.py:close", "SyntaxError"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(folder, reference, words):
    (folder / "broken.py").write_text("def close(")
    with pytest.raises(UserError, match=words):
        find_metric(reference, folder)


@pytest.mark.parametrize(
    ("function", "answer", "words"),
    [
        ("fails", "y", "failed on the item 'r7', answer 'y': KeyError"),
        ("returns", "nan", "returned nan for the item 'r7', answer 'nan'"),
        ("returns", "more", "returned 1.01 for"),
        ("returns", "less", "returned -0.01 for"),
        ("returns", "none", "returned None for"),
        ("returns", "text", "returned '1' for"),
    ],
)
def test_a_value_that_is_none_names_its_item(folder, function, answer, words):
    metric = find_metric(f"own.py:{function}", folder)
    with pytest.raises(UserError) as caught:
        metric.value(Items([answer], [("x",)], ids=["r7"]))
    assert words in str(caught.value)


def write_task(folder, **changes):
    rows = [{"text": f"row {i}", "label": "ab"[i % 2]} for i in range(6)]
    for split in ("train", "test"):
        lines = [json.dumps({"id": f"{split}{i}", **row}) for i, row in enumerate(rows)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines))
    task = {
        "name": "t",
        "instruction": "Which?",
        "answer": {"kind": "choice", "labels": ["a", "b"]},
        "data": {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"},
        "metric": "own.py:close",
        "strategies": ["majority"],
        **changes,
    }
    (folder / "task.yaml").write_text(json.dumps(task))
    return folder / "task.yaml"


@pytest.mark.parametrize("key", ["metric", "also"])
def test_a_task_names_it_from_its_own_folder_and_is_told_if_it_is_not_there(folder, key):
    def named(name):
        return {"metric": "accuracy", key: name if key == "metric" else [name]}

    assert load_task(write_task(folder, **named("own.py:close")))
    with pytest.raises(UserError, match=rf" {key}: .* did you mean 'close'"):
        load_task(write_task(folder, **named("own.py:clos")))


def test_its_source_decides_a_fit_if_it_is_the_primary_metric(folder):
    def ids():
        specs = ({}, {"metric": "accuracy", "also": ["own.py:close"]})
        tasks = [load_task(write_task(folder, **changes)) for changes in specs]
        return [identity.fit_id(task, "majority", 0, None, "float32") for task in tasks]

    before = ids()
    assert ids() == before
    (folder / "own.py").write_text(SOURCE + "# another\n")
    after = ids()
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_a_built_in_metric_is_its_name_alone(folder):
    assert source_of("accuracy", folder) == "accuracy"
    assert source_of("own.py:close", folder)[0] == "own.py:close"
