"""Documents reach the arms that need them, when they are looked at; others never pay for them."""

from __future__ import annotations

import dataclasses
import json

import pytest

from harness.run import fingerprints as identity
from harness.run.predict_new import answer_with
from harness.run.worker.documents import Documents
from harness.task import load_task
from harness.types import Document, Query

OWN = """
from harness import Prediction, Strategy

class Blind(Strategy):
    needs_train = True

    def fit(self, train, validation, artifact):
        (artifact / "seen").write_text(" ".join(d.id for d in self.context.documents))

    def load(self, artifact):
        self.seen = (artifact / "seen").read_text()

    def predict(self, queries):
        seen = [*self.seen.split(), *(d.id for d in self.context.documents)]
        return [Prediction("a", notes=(" ".join(seen),)) for _ in queries]

class Reader(Blind):
    needs_corpus = True

class Grounds(Strategy):
    def fit(self, train, validation, artifact):
        cited = [Prediction("x", sources=("1",)) for _ in validation]
        (artifact / "worth").write_text(str(self.context.metric(cited, validation)))

    def load(self, artifact):
        self.worth = (artifact / "worth").read_text()

    def predict(self, queries):
        return [Prediction(self.worth) for _ in queries]
"""
PAGES = [{"id": "1", "title": "", "text": "x"}, {"id": "2", "title": "", "text": "y"}]


def write_pages(path, pages=PAGES):
    path.write_text("".join(f"{json.dumps(page)}\n" for page in pages))
    return path


@pytest.fixture
def task_of(tiny, tmp_path):
    def write(arms, **changes):
        write_pages(tmp_path / "docs.jsonl")
        path = tiny(tmp_path, OWN, arms, **changes)
        task = json.loads(path.read_text())
        task["data"]["corpus"] = "docs.jsonl"
        path.write_text(json.dumps(task))
        return path

    return write


def test_documents_are_read_at_the_first_look_and_once(tmp_path):
    pages = Documents(tmp_path / "documents.jsonl")
    write_pages(tmp_path / "documents.jsonl")
    assert len(pages) == 2
    (tmp_path / "documents.jsonl").unlink()
    assert list(pages) == [Document("1", "", "x"), Document("2", "", "y")]
    assert (pages[-1].id, [page.id for page in pages[:1]]) == ("2", ["1"])


def test_without_a_file_there_are_none(tmp_path):
    pages = Documents(tmp_path / "documents.jsonl")
    assert (len(pages), list(pages), pages[:1]) == (0, [], ())


def test_an_arm_sees_the_documents_only_if_it_needs_them(task_of, run_tiny, tmp_path):
    path = task_of(["own.py:Blind", "own.py:Reader"])
    folder, records = run_tiny(path, tmp_path / "run")
    seen = {}
    for arm, record in records.items():
        place = folder.trial_folder(arm, record.fit_id, record.trial_id)
        first = json.loads((place / "predictions.jsonl").read_text().splitlines()[0])
        seen[arm] = first["notes"]
    assert seen == {"blind": [""], "reader": ["1 2 1 2"]}
    asked = [Query("new", "text")]
    again = {arm: list(answer_with(folder, arm, asked)[0].notes) for arm in records}
    assert again == seen


def test_the_metric_reads_documents_for_an_arm_that_does_not(task_of, run_tiny, tmp_path):
    text = {"answer": {"kind": "text"}, "metric": "grounded"}
    folder, _ = run_tiny(task_of(["own.py:Grounds"], **text), tmp_path / "run")
    assert answer_with(folder, "grounds", [Query("new", "text")])[0].text == "1.0"


def ids(path, pages):
    task = load_task(path)
    corpus = dataclasses.replace(task.corpus, documents=tuple(Document(**page) for page in pages))
    task = dataclasses.replace(task, corpus=corpus)
    return {arm.name: identity.fit_id(task, arm.name, 0, None, "float32") for arm in task.arms}


def test_another_page_is_another_fit_only_of_the_arms_that_need_pages(task_of):
    parts = {"use": "cascade", "cheap": "own.py:Blind", "dear": "own.py:Reader"}
    path = task_of(["majority", "lora", "own.py:Reader", parts])
    before, after = ids(path, PAGES), ids(path, PAGES[:1])
    changed = {arm for arm in before if before[arm] != after[arm]}
    assert changed == {"reader", "cascade"}


def test_a_metric_that_reads_documents_makes_them_part_of_every_fit(task_of):
    text = {"answer": {"kind": "text"}, "metric": "grounded"}
    path = task_of(["nearest", "own.py:Reader"], **text)
    before, after = ids(path, PAGES), ids(path, PAGES[:1])
    assert all(before[arm] != after[arm] for arm in before)
