"""The page `analysis`: the tasks that it writes, and what it counts for a row."""

from __future__ import annotations

import json

import pytest

from benchmarks import analysis
from benchmarks.sides import Side
from harness.task import load_task


@pytest.mark.parametrize(("guesses", "arms"), [(0, 1), (2, 3), (12, 12)])
def test_its_tasks_can_be_run(tmp_path, guesses, arms):
    task = load_task(analysis._write(tmp_path / "task", 30, 20, 3, guesses))
    assert (len(task.train), len(task.test), len(task.arms)) == (30, 20, arms)
    assert set(task.labels) == {"label0", "label1", "label2"}
    assert not task.data.findings


def test_rows_are_the_same_in_every_run(tmp_path):
    one, other = (analysis._write(tmp_path / name, 5, 5, 2, 0).parent for name in "ab")
    assert (one / "train.jsonl").read_text() == (other / "train.jsonl").read_text()
    row = json.loads((one / "test.jsonl").read_text().splitlines()[0])
    assert len(row["text"].split()) == analysis.WORDS


def test_a_row_costs_what_the_process_grew_by_without_its_text(tmp_path):
    class Stub:
        def run(self, function):
            assert function is analysis._nothing
            return Side(1.0, 50_000, None, 1.0, {})

    test = tmp_path / "test.jsonl"
    test.write_text(json.dumps({"text": "x" * 100}) + "\n" + json.dumps({"text": "y" * 300}))
    side = Side(1.0, 54_000, None, 1.0, {"cpu_s": 1.0})
    found = analysis._beyond(side, test, Stub())
    assert found == {"bytes_a_row_beyond_its_text": (4_000 - 400) / 2}
