"""Whole runs in real processes: a JSON task, and a task's own metric inside a strategy."""

from __future__ import annotations

import json

import pytest

from harness.analysis import analyse
from harness.store.run_folder import read_jsonl
from reports import html
from reports import whole_markdown as markdown

SCHEMA = {"type": "object", "properties": {"letter": {"enum": ["a", "b"]}}, "required": ["letter"]}
STRATEGIES = """
from harness import Prediction, Strategy

class Half(Strategy):
    answers = frozenset({"json"})

    def predict(self, queries):
        assert self.context.task.schema["required"] == ["letter"]
        return [Prediction('{"letter":"a"}' if i % 4 else "a") for i, _ in enumerate(queries)]

class Chooser(Strategy):
    answers = frozenset({"text"})

    def fit(self, train, validation, artifact):
        says = [Prediction("b", sources=("oil",)) for _ in validation]
        (artifact / "value").write_text(str(self.context.metric(says, validation)))

    def load(self, artifact):
        self.value = (artifact / "value").read_text()

    def predict(self, queries):
        return [Prediction(self.value, sources=("oil", "x")) for _ in queries]

class Unsure(Chooser):
    def fit(self, train, validation, artifact):
        ahead, behind = ([Prediction(text) for _ in validation] for text in ("b", "x"))
        error = self.context.lead_error(ahead, behind, validation)
        (artifact / "value").write_text(str(error))
"""
METRIC = """
def worth(answer, targets):
    return 0.25 if answer in targets else 0.0
"""


def test_a_json_task_runs_from_its_file_to_its_report(tiny, run_tiny, tmp_path):
    path = tiny(
        tmp_path / "task",
        STRATEGIES,
        ["majority", "own.py:Half"],
        answer={"kind": "json", "schema": "form.json"},
        metric="exact_match",
        also=["json_valid", "field_f1"],
    )
    (path.parent / "form.json").write_text(json.dumps(SCHEMA))
    for name in ("train", "validation", "test"):
        file = path.parent / f"{name}.jsonl"
        rows = [{**row, "label": {"letter": row["label"]}} for row in read_jsonl(file)]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder, records = run_tiny(path, tmp_path / "run")
    assert {record.status for record in records.values()} == {"ok"}
    (path.parent / "form.json").unlink()  # the run keeps what it needs
    comparison = analyse(folder)
    rows = {row.strategy: row for row in comparison.arms}
    # Of 8 rows with a, b, a, b, …: all "a" is right in 4, and without rows 0 and 4 in 2.
    assert rows["majority"].score.value == 4 / 8
    assert rows["half"].score.value == 2 / 8
    assert [score.value for score in rows["half"].also] == pytest.approx([6 / 8, 2 * 2 / (6 + 8)])
    assert "json_valid 0.750" in markdown(comparison)
    assert "json_valid 0.750" in html(comparison)


@pytest.mark.process  # a metric of one's own is scored in a process of its own
def test_a_strategy_may_choose_by_the_tasks_own_metric(tiny, run_tiny, tmp_path):
    arms, answer = ["own.py:Chooser", "own.py:Unsure"], {"kind": "text"}
    path = tiny(
        tmp_path / "task", STRATEGIES, arms, answer=answer, metric="own_metric.py:worth", also=[]
    )
    (path.parent / "own_metric.py").write_text(METRIC)
    folder, records = run_tiny(path, tmp_path / "run")
    assert (records["chooser"].error, records["unsure"].error) == (None, None)
    said = {}
    for arm in ("chooser", "unsure"):
        file = next(folder.path.glob(f"trials/{arm}/*/*/pred*.jsonl"))
        (said[arm],) = {float(prediction["text"]) for prediction in read_jsonl(file)}
    # Two of four validation rows are "b": leads of 0.25, 0.25, 0 and 0, whose SD is 0.25 / √3.
    assert said == pytest.approx({"chooser": 0.25 * 2 / 4, "unsure": 0.25 / 3**0.5 / 2})
    assert analyse(folder).arms[0].score.value == 0


def test_a_run_with_evidence_keeps_what_the_analysis_needs(tiny, run_tiny, tmp_path):
    path = tiny(
        tmp_path / "task", STRATEGIES, ["own.py:Chooser"], answer={"kind": "text"}, metric="mrr"
    )
    task = json.loads(path.read_text())
    task["data"] |= {"corpus": "docs.jsonl", "evidence": "where"}
    path.write_text(json.dumps(task))
    docs = [{"id": "oil", "text": "0.0 is what is said"}, {"id": "tyres", "text": "2.4 bar"}]
    (path.parent / "docs.jsonl").write_text("".join(json.dumps(d) + "\n" for d in docs))
    for name in ("train", "validation", "test"):
        file = path.parent / f"{name}.jsonl"
        rows = [
            {**row, "where": ["oil", "tyres", ""][i % 3]} for i, row in enumerate(read_jsonl(file))
        ]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    folder, records = run_tiny(path, tmp_path / "run")
    assert records["chooser"].error is None
    assert read_jsonl(folder.truth)[1]["evidence"] == ["tyres"]
    (value,) = {p["text"] for p in read_jsonl(next(folder.path.glob("trials/*/*/*/pred*.jsonl")))}
    assert float(value) == 2 / 3  # of four validation rows three name evidence, two of them "oil"
    (row,) = analyse(folder).arms
    # Of 8 rows 6 name evidence, 3 of them the one that is cited first.
    assert (row.score.value, row.score.n) == (1 / 2, 6)
