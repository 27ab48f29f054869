"""Public sets used as they are shipped, by the task file's keys alone: no row is written anew."""

import json
from functools import cache

import pytest
from needed import needs
from task_folder import task_text, write

from benchmarks import public_sets
from harness.cli.commands import run_command
from harness.task import load_task


def path_of(name, file):
    return str(public_sets.FOLDER / name / file)


def count_of(name, file):
    """How many rows a set's own file says that one of its files has."""
    meta = json.loads((public_sets.FOLDER / name / "meta.json").read_text(encoding="utf-8"))
    return meta["counts"][file]


def task_of(folder, name, **keys):
    """The task file of one set, in a folder of its own; its data stay where they lie."""
    columns = keys.pop("data", {})
    files = {"train": path_of(name, "train.jsonl"), "test": path_of(name, "test.jsonl")}
    return write(folder, task_text(name=name, data={**files, **columns}, **keys))


def sizes(task):
    return [len(split) for split in (task.train, task.validation, task.test)]


FRAME = {
    "type": "object",
    "properties": {"intent": {"type": "string"}, "slots": {"type": "object"}},
    "required": ["intent", "slots"],
    "additionalProperties": False,
}
WORDS = {"kind": "text", "no_answer": "unanswerable"}
TASKS = {
    "banking77": {
        "answer": {"kind": "choice", "labels": path_of("banking77", "labels.json")},
        "data": {"input": "input", "target": "label"},
    },
    "e2e_nlg": {
        "answer": {"kind": "text"},
        "data": {
            "validation": path_of("e2e_nlg", "dev.jsonl"),
            "input": "input",
            "target": "references",
        },
        "metric": "bleu",
    },
    "snips": {
        "answer": {"kind": "json", "schema": FRAME},
        "data": {"input": "input", "target": "target", "slices": ["intent"]},
        "metric": "field_f1",
    },
    "squad": {
        "answer": WORDS,
        "data": {
            "train": [path_of("squad", "train.jsonl"), path_of("squad", "unanswerable.jsonl")],
            "input": "input",
            "target": "answers",
            "corpus": path_of("squad", "corpus.jsonl"),
            "evidence": "doc_id",
        },
        "metric": "token_f1",
    },
}
ROWS = {
    "banking77": [["train.jsonl"], [], ["test.jsonl"]],
    "e2e_nlg": [["train.jsonl"], ["dev.jsonl"], ["test.jsonl"]],
    "snips": [["train.jsonl"], [], ["test.jsonl"]],
    "squad": [["train.jsonl", "unanswerable.jsonl"], [], ["test.jsonl"]],
}
"""The files of each split."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    """Load the task of a set, once."""

    @cache
    def load(name):
        return load_task(task_of(tmp_path_factory.mktemp(name), name, **TASKS[name]))

    return load


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs(name)) for name in TASKS])
def test_every_row_of_a_set_is_read_as_it_is_shipped(loaded, name):
    counts = [sum(count_of(name, file) for file in files) for files in ROWS[name]]
    assert sizes(loaded(name)) == counts


@needs("squad")
def test_check_says_how_many_rows_a_set_has(tmp_path, capsys):
    assert run_command(["check", str(task_of(tmp_path, "squad", **TASKS["squad"]))]) == 0
    said = capsys.readouterr().out.replace("\n", " ")
    assert ": 2045 train, 0 validation, 1463 test rows, 1 arms" in said


@needs("banking77")
def test_the_labels_of_banking77_are_those_of_its_list_and_of_its_rows(loaded, tmp_path):
    keys = TASKS["banking77"] | {"answer": {"kind": "choice"}}
    found = load_task(task_of(tmp_path, "banking77", **keys))
    assert len(found.labels) == 77
    assert set(found.labels) == set(loaded("banking77").labels)
    assert any("77 are found in the training rows" in one.text for one in found.remarks)


@needs("banking77")
def test_one_file_of_banking77_is_cut_by_shares(tmp_path):
    columns = {"all": path_of("banking77", "train.jsonl"), "input": "input", "target": "label"}
    text = task_text(
        answer=TASKS["banking77"]["answer"],
        data=columns,
        split={"test": 0.2, "validation": 0.1},
    )
    task = load_task(write(tmp_path, text))
    total = count_of("banking77", "train.jsonl")
    assert sum(sizes(task)) == total
    assert sizes(task)[2] == pytest.approx(0.2 * total, abs=1)
    assert {row.targets[0] for row in task.test} == set(task.labels)


@needs("e2e_nlg")
def test_all_references_of_e2e_are_accepted(loaded):
    task = loaded("e2e_nlg")
    rows = public_sets.rows("e2e_nlg", "test.jsonl")
    assert [list(row.targets) for row in task.test] == [row["references"] for row in rows]


@needs("snips")
def test_the_frames_of_snips_are_json_answers_with_their_intents_as_slices(loaded):
    task = loaded("snips")
    rows = public_sets.rows("snips", "test.jsonl")
    assert [json.loads(row.targets[0]) for row in task.test] == [
        json.loads(row["target"]) for row in rows
    ]
    assert {row.slices["intent"] for row in task.truth} == {row["intent"] for row in rows}
    assert len({row.slices["intent"] for row in task.truth}) == 7


@needs("squad")
def test_the_questions_of_squad_have_their_documents_and_some_no_answer(loaded):
    task = loaded("squad")
    assert len(task.documents) == count_of("squad", "corpus.jsonl")
    assert sum(row.targets == ("unanswerable",) for row in task.train) == 600
    known = {document.id for document in task.documents}
    assert all(set(row.evidence) <= known and row.evidence for row in task.truth)
