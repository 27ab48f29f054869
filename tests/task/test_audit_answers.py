"""What right answers say before a run: several of them, labels without rows, rows that differ."""

import pytest
from sentences import sentences
from task_folder import data, rows, task_text, write

from harness.task import load_task

TEXT = {"answer": {"kind": "text"}, "metric": "token_f1"}


def row(row_id, text, label="a", **more):
    return {"id": row_id, "text": text, "label": label, **more}


def said(folder, words, **changes):
    """The findings that hold some words."""
    files = {key: changes.pop(key) for key in list(changes) if key.endswith("_jsonl")}
    task = load_task(write(folder, task_text(**changes), **files))
    return [line for line in sentences(task.remarks) if words in line]


@pytest.mark.parametrize("keys", [{}, TEXT])
def test_rows_that_accept_several_answers_are_counted(tmp_path, keys):
    test = [row("t1", "x", ["a", "b"]), row("t2", "y", "a"), row("t3", "z", ["b"])]
    train = [row("r1", "v", ["b", "a"]), row("r2", "w", ["b", "b"])]
    files = {"test_jsonl": test, "train_jsonl": train}
    (line,) = said(tmp_path, "several answers", **keys, **files)
    assert line.startswith("1 of 2 train rows and 1 of 3 test rows accept several answers")
    assert "any one of them is right" in line


def test_one_answer_a_row_is_nothing_to_say(tmp_path):
    assert said(tmp_path, "several answers") == []


def test_the_same_question_with_two_answers_is_told_with_its_rows(tmp_path):
    test = [row("t1", "What causes it?", "Uric acid."), row("t2", "what causes it", "Diet.")]
    train = [row("r1", "What is Gout ?", "A kind of it."), row("r2", "What is Gout?", "Crystals")]
    files = {"test_jsonl": test, "train_jsonl": [*train, row("r3", "x", "y")]}
    of_test, of_train = said(tmp_path, "another right answer", **TEXT, **files)
    assert of_test.startswith("2 of 2 test rows ask the same as another test row")
    assert "(t1 and t2): no arm can be right on both" in of_test
    assert of_train.startswith("2 of 3 train rows")
    assert "(r1 and r2)" in of_train


@pytest.mark.parametrize(
    ("one", "other", "keys"),
    [
        (row("t1", "x", "a"), row("t2", "x", "a"), {}),
        (row("t1", "x", ["a", "b"]), row("t2", "x", "b"), {}),
        (row("t1", "x", "It is."), row("t2", "X", "it  is"), TEXT),
        (row("t1", "x", "a", v=1), row("t2", "x", "b", v=2), {"data": data(visible=["v"])}),
        (
            row("t1", "x", "a", who=["hr"]),
            row("t2", "x", "b", who=["it"]),
            {"data": data(groups="who")},
        ),
    ],
)
def test_rows_that_agree_or_ask_something_else_are_not_told(tmp_path, one, other, keys):
    train = rows("train", 4, v=0, who="hr")
    files = {"test_jsonl": [one, other], "train_jsonl": train}
    assert said(tmp_path, "another right answer", **keys, **files) == []


def test_a_test_row_that_is_taught_otherwise_is_told(tmp_path):
    files = {"test_jsonl": [row("t1", "My bike!", "a")], "train_jsonl": [row("r1", "my bike", "b")]}
    (line,) = said(tmp_path, "another right answer", **files)
    assert "1 of 1 test rows" in line
    assert "(t1 and r1)" in line


def test_a_thousand_rows_of_the_same_input_are_one_sentence(tmp_path):
    test = [row(f"t{i}", "same", "ab"[i % 2]) for i in range(1000)]
    (line,) = said(tmp_path, "another right answer", test_jsonl=test)
    assert line.startswith("501 of 1000 test rows")
    assert "(t0 and t1, t0 and t3, " in line
    assert len(line) < 400


def test_labels_that_no_row_has_are_named(tmp_path):
    answer = {"kind": "choice", "labels": {"a": "", "b": "", "P40": "child", "P22": "father"}}
    (line,) = said(tmp_path, "stand in no row", answer=answer)
    assert line.startswith("2 of 4 labels stand in no row (P40, P22)")
    (line,) = said(tmp_path, "no test row", answer=answer, test_jsonl=[row("t", "x")])
    assert line.startswith("1 of 4 labels have no test row (b)")


def test_hundreds_of_labels_without_rows_are_a_list_that_ends(tmp_path):
    labels = ["a", "b", *(f"label_{n}" for n in range(300))]
    (line,) = said(tmp_path, "no row", answer={"kind": "choice", "labels": labels})
    assert " and 280 more)" in line
