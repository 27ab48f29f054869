"""Training rows that pass are written with their columns, the others with the reason."""

import json

import pytest
from task_folder import data, task_text, write

from harness.errors import UserError
from harness.store.finding import Finding
from harness.task import load_task
from harness.task.audit.label_errors import KIND
from harness.task.clean_rows import write_clean

TEST = [{"id": "t1", "text": "what of the test?", "label": "a", "seen": 1}]
TRAIN = [
    {"id": "r1", "text": "one", "label": "a", "seen": [1, 2]},
    {"id": "r2", "text": "One!", "label": "a", "seen": [1, 2]},  # repeats r1
    {"id": "r3", "text": "one", "label": "b", "seen": "other"},
    {"id": "r4", "text": "two", "label": "a", "seen": 1},
    {"id": "r5", "text": "two", "label": "b", "seen": 1},
    {"id": "r6", "text": "What of the test", "label": "a", "seen": 1},
    {"id": "r7", "text": "cafÃ© at a@b.example.org", "label": "b", "seen": 1},
    {"id": "r8", "text": "three", "label": "b", "seen": None},
]


@pytest.fixture
def task(tmp_path):
    text = task_text(data=data(visible=["seen"]))
    return load_task(write(tmp_path, text, train_jsonl=TRAIN, test_jsonl=TEST))


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_passes_is_written_as_it_was_and_the_rest_with_why(task, tmp_path):
    said = write_clean(task, tmp_path / "clean.jsonl")
    assert said.startswith("3 of 8 training rows written to ")
    assert lines(tmp_path / "clean.jsonl") == [TRAIN[0], TRAIN[2], TRAIN[7]]
    left = {row["id"]: row["why"] for row in lines(tmp_path / "clean.jsonl.left-out.jsonl")}
    two = ["another row asks the same and has another right answer"]
    assert left == {
        "r2": ["it repeats r1"],
        "r4": two,
        "r5": two,
        "r6": ["its input also stands in test"],
        "r7": ["it holds garbled characters", "it holds e-mail addresses"],
    }
    assert lines(tmp_path / "train.jsonl") == TRAIN


def test_what_was_written_is_read_as_a_task_without_those_findings(task, tmp_path):
    write_clean(task, tmp_path / "clean.jsonl")
    text = task_text(data=data(visible=["seen"], train="clean.jsonl"))
    (tmp_path / "again").mkdir()
    again = load_task(
        write(
            tmp_path / "again", text, clean_jsonl=lines(tmp_path / "clean.jsonl"), test_jsonl=TEST
        )
    )
    assert len(again.train) == 3
    assert {one.severity for one in again.data.findings} <= {"note"}


def test_likely_label_errors_are_left_out_of_a_deep_audit(task, tmp_path):
    deep = (Finding(kind=KIND, text="x", rows=("r1", "t1")),)
    assert write_clean(task, tmp_path / "clean.jsonl", deep).startswith("2 of 8")


def test_a_file_that_is_there_is_never_written_over(task, tmp_path):
    with pytest.raises(UserError, match=r"train\.jsonl is there already"):
        write_clean(task, tmp_path / "train.jsonl")
    assert lines(tmp_path / "train.jsonl") == TRAIN
