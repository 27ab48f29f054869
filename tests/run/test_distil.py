"""Distillation: what the teacher is asked, what the student learns, what is kept out and counted.

Jobs are done in this process and the hosted teacher is a script: it is about rows and charges.
"""

from __future__ import annotations

import json

import pytest
from scripted_server import Script, fails, reply, serving
from sentences import sentences
from task_folder import faults_of, jsonl

from harness.analysis.performance.measured import fit_charged_usd
from harness.analysis.read_run import read_run
from harness.store.run_folder import read_jsonl
from harness.task import load_task

PAIR = """
import json
from harness import Prediction, Strategy

class Teacher(Strategy):
    "Knows the letter from the number's parity; of multiples of 5 it knows nothing."
    needs_train = True

    def fit(self, train, validation, artifact):
        (artifact / "big.bin").write_bytes(b"x" * 100_000)

    def predict(self, queries):
        return [self.answer(int(query.text.split()[-1])) for query in queries]

    def answer(self, n):
        if n % 5 == 0:
            return Prediction("", error="multiples of five are beyond me")
        return Prediction("a" if n % 2 == 0 else "b") if n % 7 else Prediction("who knows")


class Student(Strategy):
    "Remembers what it was taught."
    needs_train = True
    learns = "weights"

    def fit(self, train, validation, artifact):
        taught = {row.query.text: row.targets[0] for row in train}
        (artifact / "taught.json").write_text(json.dumps(taught))

    def load(self, artifact):
        self.taught = json.loads((artifact / "taught.json").read_text())

    def predict(self, queries):
        return [Prediction(self.taught.get(query.text, "a")) for query in queries]
"""
PRICES = {"usd_per_million_input_tokens": 1.0, "usd_per_million_output_tokens": 10.0}
DISTIL = {"use": "distil", "teacher": "own.py:Teacher", "student": "own.py:Student"}


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TEST_KEY", "sk-of-the-teacher")


def inputs(numbers, column="text"):
    return jsonl({column: f"new text {n}"} for n in numbers)


def task(tiny, folder, arm=DISTIL, rows=None, **more):
    path = tiny(folder, PAIR, [arm, *more.pop("also_arms", ())], **more)
    (folder / "new.jsonl").write_text(inputs(range(1, 12)) if rows is None else rows)
    return path


def taught(folder):
    (file,) = folder.path.glob("**/artifact/student/taught.json")
    return json.loads(file.read_text())


def notes(record):
    return [note.text for note in record.fit.notes]


def test_the_student_learns_rows_and_answers_and_alone_is_shipped(tiny, run_tiny, tmp_path):
    path = task(tiny, tmp_path, {**DISTIL, "unlabelled": "new.jsonl"})
    folder, records = run_tiny(path, tmp_path / "run")
    record = records["distil"]
    assert record.status == "ok", record.error
    learnt = taught(folder)
    assert len([text for text in learnt if text.startswith("train")]) == 6
    said = {text: label for text, label in learnt.items() if text.startswith("new")}
    assert said == {f"new text {n}": "ab"[n % 2] for n in (1, 2, 3, 4, 6, 8, 9, 11)}
    assert record.artifact_bytes < 10_000  # the teacher's 100 kB are not shipped
    (told,) = (text for text in notes(record) if "answered" in text)
    assert "answered 8 of 11 inputs; on 2 it failed, and 1 answers are no label" in told


def test_inputs_of_the_splits_are_left_out_and_counted_whatever_their_writing(
    tiny, run_tiny, tmp_path
):
    rows = inputs([1, 2]) + jsonl(
        {"text": text}
        for text in ("TEST text 3!", "test text 4", "validation  text 1", "new text 2")
    )
    path = task(tiny, tmp_path, {**DISTIL, "unlabelled": "new.jsonl"}, rows)
    said = sentences(load_task(path).remarks)
    assert "new.jsonl: 2 of its inputs also stand in the test split; they are left out" in said
    assert any("1 of its inputs also stand in the validation split" in text for text in said)
    assert any("1 of its inputs are repeated" in text for text in said)
    folder, _ = run_tiny(path, tmp_path / "run")
    assert [text for text in taught(folder) if not text.startswith("train")] == [
        "new text 1",
        "new text 2",
    ]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("", "has no rows"),
        (inputs([1, 2], column="other"), "text"),
        (jsonl([{"text": "test text 1"}]), "none is left → name a file of other inputs"),
        (jsonl([{"text": "fine"}, {"text": ""}]), "new.jsonl:2"),
    ],
)
def test_a_file_that_gives_nothing_to_answer_is_a_fault_with_its_place(tiny, tmp_path, rows, says):
    path = task(tiny, tmp_path, {**DISTIL, "unlabelled": "new.jsonl"}, rows)
    faults = faults_of(path)
    assert faults
    assert all("new.jsonl" in fault.where for fault in faults)
    assert any(says in str(fault) for fault in faults), [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "its teacher has nothing to answer → write unlabelled: FILE"),
        ({"unlabelled": "gone.jsonl"}, "there is no file"),
        ({"unlabelled": "new.jsonl", "teacher": "own.py:Student"}, "are the same (own.py:Student)"),
        ({"unlabelled": "new.jsonl", "teacher": ""}, "no `teacher` is named"),
    ],
)
def test_what_is_missing_or_the_same_twice_is_a_fault_with_a_remedy(tiny, tmp_path, changes, says):
    (fault,) = faults_of(task(tiny, tmp_path, {**DISTIL, **changes}))
    assert says in f"{fault.what} → {fault.fix}"


def test_a_teacher_that_fails_on_all_rows_says_how_and_what_to_do(tiny, run_tiny, tmp_path):
    path = task(tiny, tmp_path, {**DISTIL, "unlabelled": "new.jsonl"}, inputs([5, 10]))
    _, records = run_tiny(path, tmp_path / "run")
    assert records["distil"].status == "failed"
    assert "gave none of 2 inputs an answer" in records["distil"].error
    assert "multiples of five are beyond me → name another teacher" in records["distil"].error


def test_another_file_or_another_test_row_in_it_is_another_fit(tiny, run_tiny, tmp_path):
    path = task(tiny, tmp_path, {**DISTIL, "unlabelled": "new.jsonl"})
    _, first = run_tiny(path, tmp_path / "run")
    _, again = run_tiny(path, tmp_path / "run")
    (tmp_path / "new.jsonl").write_text(inputs(range(1, 10)))
    _, changed = run_tiny(path, tmp_path / "run")
    ids = [records["distil"].fit_id for records in (first, again, changed)]
    assert ids[0] == ids[1] != ids[2]


def test_an_arm_that_is_the_student_alone_is_not_taken_for_the_taught_one(tiny, run_tiny, tmp_path):
    arm = {**DISTIL, "unlabelled": "new.jsonl"}
    path = task(tiny, tmp_path, arm, also_arms=["own.py:Student", "own.py:Teacher"])
    folder, records = run_tiny(path, tmp_path / "run")
    assert len(taught(folder)) == 6 + 8
    # The teacher was fitted on the task's own rows: that fit is taken over.
    assert any("taken from the arm 'teacher'" in text for text in notes(records["distil"]))


def hosted(url, **more):
    spec = {"provider": "openai", "base_url": url, "model": "far", "key_env": "TEST_KEY"}
    teacher = {"use": "zero_shot", "model": {**spec, "max_retries": 0, **PRICES, **more}}
    student = {"use": "tfidf", "inverse_regularisation": [1.0]}
    return {"use": "distil", "teacher": teacher, "student": student, "unlabelled": "new.jsonl"}


def test_a_hosted_teacher_is_paid_in_preparation_and_nobody_asks_it_while_serving(
    tiny, run_tiny, tmp_path
):
    with serving(Script(default=reply("b"))) as server:
        path = task(tiny, tmp_path, hosted(server.url), needs={"offline": True})
        folder, records = run_tiny(path, tmp_path / "run")
        assert len(server.bodies) == 11
    record = records["distil"]
    assert record.status == "ok", record.error
    (asked,) = (model for model in record.fit.loaded_models if model.hosted_at)
    assert (asked.requests, asked.prompt_tokens, asked.output_tokens) == (11, 1100, 77)
    (job,) = folder.path.glob("trials/distil/*/*/job.json")
    told = json.loads(job.read_text())
    assert (told["models"], told["own_secrets"]) == ({}, [])
    run = read_run(folder)
    assert fit_charged_usd(run, run.arms[0]) == pytest.approx(1100e-6 + 770e-6)
    assert all(p["usd"] is None for p in read_jsonl(next(folder.path.glob("trials/*/*/*/pred*"))))
    assert any("check that the teacher's terms allow" in text for text in notes(record))


def test_a_teachers_server_that_ends_in_the_middle_is_asked_the_rest_another_time(
    tiny, run_tiny, tmp_path
):
    with serving(Script(*[reply("b")] * 4, default=fails(402, "no money"))) as server:
        path = task(tiny, tmp_path, hosted(server.url, concurrency=1))
        _, records = run_tiny(path, tmp_path / "run")
        assert records["distil"].status == "failed"
        assert "no money" in records["distil"].error
        server.default, asked = reply("b"), len(server.bodies)
        _, records = run_tiny(path, tmp_path / "run")
        assert len(server.bodies) - asked == 11 - 4
    assert records["distil"].status == "ok"
    (told,) = (model for model in records["distil"].fit.loaded_models if model.hosted_at)
    assert told.requests == 11  # those of the first attempt were paid too
