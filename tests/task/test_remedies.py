"""Every remedy that an error prints is followed here by its words, and no further error comes."""

import json
from itertools import product

import pytest
from remedies import faults_after_following
from task_folder import KEYS, data, faults_of, task_text, told, write

from harness.task import load_task

SCALARS = [
    "true", "false", "True", "FALSE", "null", "Null", "~", "01", "007", "1.10", "1.0", "1e5",
    "1E-3", "0x1F", "0o17", "0b11", "1_000", "2024-01-01", "2024-99-99", "2024-01-01 12:30:00",
    ".5", "5.", "+1", "-0", "-7", ".inf", ".NaN", "12345678901234567890",
]  # fmt: skip
"""What YAML reads as no text."""
WORDS = ["yes", "no", "on", "off", "y", "12:30", "1.2.3", "0x", "1e", "e5", "nan"]
"""What it reads as text, though it looks like something else elsewhere."""


def rows_with(label, column="label"):
    return [{"text": f"row {i}", column: [label, "other"][i % 2]} for i in range(4)]


def write_labels(folder, written, label):
    text = task_text(answer=None) + f"answer:\n  kind: choice\n  labels: {written}\n"
    more = {"train_jsonl": rows_with(label), "test_jsonl": rows_with(label)}
    more["test_jsonl"] = [{**row, "text": f"so {row['text']}"} for row in more["test_jsonl"]]
    return write(folder, text, **more)


@pytest.mark.parametrize("scalar", SCALARS)
def test_a_label_of_a_list_is_what_stands_in_the_file(tmp_path, scalar):
    task = load_task(write_labels(tmp_path, f"[{scalar}, other]", scalar))
    assert list(task.labels) == [scalar, "other"]
    assert [row.targets[0] for row in task.truth[:2]] == [scalar, "other"]


@pytest.mark.parametrize("scalar", [*SCALARS, *WORDS])
def test_a_label_that_is_a_key_is_what_stands_in_the_file(tmp_path, scalar):
    written = f"\n    {scalar}: this\n    other: that"
    task = load_task(write_labels(tmp_path, written, scalar))
    assert task.labels == {scalar: "this", "other": "that"}


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_a_label_without_quotes(tmp_path, word):
    task = load_task(write_labels(tmp_path, f"\n    - {word}\n    - other", word))
    assert list(task.labels) == [word, "other"]


def test_versions_that_are_the_same_number_are_two_labels(tmp_path):
    written = "\n    1.10: tenth\n    1.1: first"
    more = [{"text": f"row {i}", "label": ["1.10", "1.1"][i % 2]} for i in range(4)]
    path = write_labels(tmp_path, written, "x")
    path = write(tmp_path, path.read_text(), train_jsonl=more, test_jsonl=more)
    assert list(load_task(path).labels) == ["1.10", "1.1"]


def test_many_scalars_that_want_quotes_are_five_remedies_and_a_count(tmp_path):
    path = write(tmp_path, task_text() + f"also: [{', '.join(f'{n:03}' for n in range(100))}]\n")
    with pytest.raises(Exception, match="more like these") as caught:
        load_task(path)
    assert len(str(caught.value).splitlines()) < 10


def test_a_label_with_and_without_quotes_is_one_that_stands_twice(tmp_path):
    (line,) = told(write_labels(tmp_path, '[01, "01", other]', "01"))
    assert "the label '01' stands twice" in line


def test_an_item_that_is_nothing_is_no_label(tmp_path):
    (line,) = told(write_labels(tmp_path, "\n    -\n    - other", "other"))
    assert line.startswith("task.yaml:9 answer.labels.0: ")


KEYS_OF_COLUMNS = ["input", "target", "id", "cluster", "visible", "slices"]
LEFT_OUT = [("id", "null"), ("id", "~"), ("id", "Null")]
LEFT_OUT += [("cluster", scalar) for _, scalar in LEFT_OUT]
"""Keys that null leaves out."""


@pytest.mark.parametrize(
    ("key", "scalar"),
    [pair for pair in product(KEYS_OF_COLUMNS, SCALARS) if pair not in LEFT_OUT],
)
def test_a_column_is_what_stands_in_the_file_once_it_is_quoted_as_told(tmp_path, key, scalar):
    columns = {"train": "train.jsonl", "test": "test.jsonl", "input": "text", "target": "label"}
    columns[key] = f"[{scalar}]" if key in ("visible", "slices") else scalar
    row = {"text": "x", "label": "a", "v": 1}
    name = columns[key].strip("[]")
    some = [{**row, "text": f"x{i}", name: "ab"[i % 2]} for i in range(2)]
    other = [{**row, "text": f"y{i}", name: "ba"[i % 2]} for i in range(2)]
    if key == "id":
        other = [{**row, name: f"c{i}"} for i, row in enumerate(other)]
    lines = "".join(f"  {k}: {v}\n" for k, v in columns.items())
    text = task_text(data=None) + f"data:\n{lines}"
    path = write(tmp_path, text, train_jsonl=some, test_jsonl=other)
    assert faults_after_following(path) == []
    assert name in json.dumps(load_task(path).spec.data.model_dump(), ensure_ascii=False)


@pytest.mark.parametrize(
    "line",
    [
        "modle: m",
        "zzz: 1",
        "limits: {min_scor: 0.5}",
        "generation: {max_new_token: 5}",
        "needs: {of_line: true, zzz: 1}",
        "answer: {kind: choice, labels: [a, b], no_answer: x}",
        "data: {test: test.jsonl, input: text, target: label, visible: [label]}",
        "data: {train: train.jsonl, test: test.jsonl, inputs: text, target: label}",
    ],
)
def test_a_key_that_is_not_known_or_not_allowed_is_none_once_it_is_mended(tmp_path, line):
    key = line.split(":")[0]
    path = write(tmp_path, task_text(**({key: None} if key in KEYS else {})) + line + "\n")
    assert faults_after_following(path) == []


@pytest.mark.parametrize("scalar", ["5", "Big Name", "1e5", ".5", "+1", "12:30", "2024-01-01", "ä"])
def test_a_name_is_one_once_it_is_written_as_told(tmp_path, scalar):
    path = write(tmp_path, task_text(name=None) + f"name: {scalar}\n")
    if faults_of(path):
        assert faults_after_following(path) == []


@pytest.mark.parametrize("scalar", [s for s in SCALARS if s.lower() not in ("null", "~")])
def test_a_phrase_for_no_answer_and_an_instruction_are_texts_once_quoted(tmp_path, scalar):
    keys = {"answer": None, "instruction": None, "metric": "exact_match"}
    text = task_text(**keys)
    text += f"answer: {{kind: text, no_answer: {scalar}}}\ninstruction: {scalar}\n"
    path = write(tmp_path, text)
    assert faults_after_following(path) == []
    assert load_task(path).spec.answer.no_answer == scalar


def test_a_description_may_be_missing_and_is_text_whatever_it_is(tmp_path):
    written = "\n    a: [spouse, husband or wife]\n    b:\n    c: {deep: [1.5, true]}"
    some = [{"text": f"row {i}", "label": "abc"[i % 3]} for i in range(6)]
    path = write_labels(tmp_path, written, "x")
    task = load_task(write(tmp_path, path.read_text(), train_jsonl=some, test_jsonl=some))
    assert task.labels == {"a": "spouse; husband or wife", "b": "", "c": '{"deep": [1.5, true]}'}


@pytest.mark.parametrize("scalar", ["1", "1.10", "true", "2024-01-01"])
def test_a_description_is_what_stands_in_the_file(tmp_path, scalar):
    path = write_labels(tmp_path, f"\n    a: {scalar}\n    other: [x, {scalar}]", "a")
    assert load_task(path).labels == {"a": scalar, "other": f"x; {scalar}"}


def test_labels_in_a_json_file_are_what_it_writes(tmp_path):
    text = task_text(answer={"kind": "choice", "labels": "labels.json"})
    some = [{"text": f"{i}", "label": label} for i, label in enumerate(["1.10", "true", "1e5", 7])]
    files = {"labels_json": "[1.10, true, 1e5, 7]", "train_jsonl": some, "test_jsonl": some[::-1]}
    assert list(load_task(write(tmp_path, text, **files)).labels) == ["1.10", "true", "1e5", "7"]


def test_null_in_a_json_file_of_labels_is_refused_and_one_once_quoted(tmp_path):
    text = task_text(answer={"kind": "choice", "labels": "labels.json"})
    lines = told(write(tmp_path, text, labels_json='[null, "a", "b"]'))
    assert lines == ['task.yaml:3 answer.labels: labels must be texts, not null → quote it: "null"']


def test_faults_of_keys_do_not_hide_those_of_rows(tmp_path):
    text = task_text(name="A b", metric=5, answer={"kind": "choice", "labels": [True, "a"]})
    lines = told(write(tmp_path, text, test_jsonl=[{"text": "x", "label": "nope"}]))
    assert any(line.startswith("task.yaml:1 name: ") for line in lines)
    assert any(line.startswith("task.yaml:5 metric: ") for line in lines)
    assert any("no label is called 'nope'; known: a, true" in line for line in lines)


def test_where_keys_of_the_data_are_wrong_its_rows_are_not_judged(tmp_path):
    lines = told(write(tmp_path, task_text(data=data(input=["text"]))))
    assert len(lines) == 1
