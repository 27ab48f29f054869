"""Test rows in what each arm may use: found where they were planted, and nowhere else."""

import json
from pathlib import Path

import pytest
from task_folder import data, jsonl, rows, task_text, write

from harness.task import load_task
from harness.task.audit.leaks import leak_sources, reads
from harness.task.audit.within_texts import ids_within
from harness.types import Query

LONG = "Where is my parcel with the number {n}, which I sent from Leeds on Monday?"


def asked(prefix, n):
    return [
        {"id": f"{prefix}{i}", "text": LONG.format(n=f"{prefix}{i}" * 5), "label": "ab"[i % 2]}
        for i in range(n)
    ]


def found(path):
    task = load_task(path)
    return task, {leak.source: leak for leak in leak_sources(task)}


def test_rows_in_train_are_found_exactly_and_nearly(tmp_path):
    test, train = rows("test", 4), rows("train", 4)
    test[1]["text"] = train[2]["text"].upper() + "!"
    long = "please tell me when the parcel that I ordered on monday will be here"
    test[2]["text"], train[3]["text"] = long, long + "s"
    task, leaks = found(write(tmp_path, train_jsonl=train, test_jsonl=test))
    assert reads(task, "majority") == ("train",)
    assert leaks["train"].exact == ("test1",)
    assert leaks["train"].near == ("test2",)


def test_without_a_leak_there_is_none(tmp_path):
    train = [{**row, "text": f"nothing alike {i * 7919}"} for i, row in enumerate(rows("train", 8))]
    _, leaks = found(write(tmp_path, train_jsonl=train))
    assert (leaks["train"].exact, leaks["train"].near) == ((), ())


def test_who_refits_reads_validation_too_and_who_shows_no_row_reads_none(tmp_path):
    validation = rows("test", 3)
    for row in validation:
        row["id"] = f"v{row['id']}"
    files = {"validation_jsonl": validation}
    text = task_text(
        data=data(validation="validation.jsonl"),
        strategies=["majority", "tfidf", {"use": "tfidf", "name": "held", "refit": False}],
    )
    task, leaks = found(write(tmp_path, text, **files))
    assert reads(task, "tfidf") == ("train", "validation")
    assert reads(task, "majority") == reads(task, "held") == ("train",)
    assert leaks["validation"].exact == ("test0", "test1", "test2")
    assert leaks["train"].exact == ()


def test_another_seed_learns_from_validation_rows(tmp_path):
    text = task_text(seeds=[0, 1], strategies=["majority"])
    task, _ = found(write(tmp_path, text))
    assert reads(task, "majority") == ("train", "validation")


def test_answers_made_elsewhere_read_rows_only_if_tuned_on_them(tmp_path):
    answers = jsonl([{"id": f"test{i}", "text": "a"} for i in range(6)])
    both = [
        {"use": "predictions", "name": name, "file": "answers.jsonl", "tuned": name == "tuned"}
        for name in ("bought", "tuned")
    ]
    path = write(tmp_path, task_text(strategies=both), answers_jsonl=answers)
    task, _ = found(path)
    assert reads(task, "bought") == ()
    assert reads(task, "tuned") == ("train", "validation")


@pytest.mark.parametrize("page", ["Questions: {} And the answer.", "{}"])
def test_rows_in_documents_are_of_the_arms_that_search_them(tmp_path, page):
    test = asked("test", 4)
    pages = [{"id": "p", "title": "p", "text": page.format(test[3]["text"])}]
    pages.append({"id": "q", "title": "q", "text": "Something else that nobody asked for."})
    text = task_text(
        data=data(corpus="pages.jsonl"),
        answer={"kind": "text"},
        metric="token_f1",
        strategies=["majority", {"use": "retrieve"}],
    )
    task, leaks = found(write(tmp_path, text, test_jsonl=test, pages_jsonl=pages))
    assert "documents" in reads(task, "retrieve")
    assert "documents" not in reads(task, "majority")
    assert leaks["documents"].exact == ("test3",)


PLUGIN = """
import harness
from harness import Prediction, Strategy

class Shown(Strategy):
    class Params(harness.Params):
        examples: list[dict[str, str]] = []
    def predict(self, queries):
        return [Prediction("a") for _ in queries]
"""


def test_demonstrations_given_in_parameters_are_looked_through(tmp_path):
    test = asked("test", 4)
    shown = [{"input": test[2]["text"].lower(), "answer": "a"}, {"input": "short", "answer": "b"}]
    arms = [{"use": "own.py:Shown", "examples": shown}, {"use": "own.py:Shown", "name": "bare"}]
    files = {"own_py": PLUGIN, "test_jsonl": test}
    task, leaks = found(write(tmp_path, task_text(strategies=arms), **files))
    assert reads(task, "shown") == ("parameters of shown",)
    assert reads(task, "bare") == ()
    assert leaks["parameters of shown"].exact == ("test2",)


def test_a_short_input_stands_in_a_text_by_chance():
    asked_for = [Query("short", "my card"), Query("long", "where on earth is my new card then")]
    text = "He asked: where on earth is my NEW card, then? My card!"
    assert ids_within(asked_for, [text]) == ["long"]


BANKING = Path(__file__).parents[3] / "shared" / "data" / "banking77"


@pytest.mark.skipif(not BANKING.is_dir(), reason="the public set is not beside the project")
def test_the_repeated_inputs_of_banking77_are_found_exactly_and_more_nearly(tmp_path):
    columns = {"train": str(BANKING / "train.jsonl"), "test": str(BANKING / "test.jsonl")}
    labels = json.loads((BANKING / "labels.json").read_text())
    answer = {"kind": "choice", "labels": labels}
    text = task_text(data={**columns, "input": "input", "target": "label"}, answer=answer)
    task, leaks = found(write(tmp_path, text))
    assert len(leaks["train"].exact) == 25
    assert leaks["train"].exact == task.data.leaked_ids
    assert set(leaks["train"].near).isdisjoint(leaks["train"].exact)
    assert len(leaks["train"].near) > 100
