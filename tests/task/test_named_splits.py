"""A column that names each row's split."""

import pytest
from task_folder import data, rows, task_text, told, write

from harness.task import load_task


def named(some, split=None, **more):
    columns = data(train=None, test=None, all="all.jsonl", **more)
    return {
        "text": task_text(data=columns, split=split or {"column": "part"}),
        "all_jsonl": some,
    }


def marked(*parts):
    return [{**row, "part": part} for row, part in zip(rows("row", len(parts)), parts, strict=True)]


def ids(split):
    return [query.id for query in split.queries]


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "validation", "test"),
        ("training", "dev", "eval"),
        ("Train", "VAL", " Evaluation "),
        ("train", "valid", "TEST"),
    ],
)
def test_usual_names_are_known(tmp_path, train, validation, test):
    some = marked(train, test, validation, train, test)
    task = load_task(write(tmp_path, **named(some)))
    assert ids(task.train) == ["row0", "row3"]
    assert ids(task.validation) == ["row2"]
    assert ids(task.test) == ["row1", "row4"]


def test_other_values_are_told_once_each_and_following_the_remedy_works(tmp_path):
    some = marked("train", "fold 1", "test", "fold 1", "unsupervised")
    lines = told(write(tmp_path, **named(some)))
    assert lines == [
        "all.jsonl:2: 'part' is \"fold 1\", which names no split, and so it is in 1 more rows → say"
        ' what every value means, e.g. split.values: {train: …, test: …, left_out: "fold 1"}',
        "all.jsonl:5: 'part' is \"unsupervised\", which names no split → say what every value"
        ' means, e.g. split.values: {train: …, test: …, left_out: "unsupervised"}',
    ]
    values = {"train": ["train", "fold 1"], "test": "test", "left_out": "unsupervised"}
    task = load_task(write(tmp_path, **named(some, {"column": "part", "values": values})))
    assert (ids(task.train), ids(task.test)) == (["row0", "row1", "row3"], ["row2"])
    assert task.said[0].sentence == "1 rows are left out (split.values.left_out)"


@pytest.mark.parametrize("quoted", [True, False])
def test_numbers_and_booleans_are_values_as_their_file_writes_them(tmp_path, quoted):
    some = marked(0, 1, True, False)
    values = {"train": [0, False], "test": [1, True]}
    if quoted:
        values = {"train": ["0", "false"], "test": ["1", "true"]}
    task = load_task(write(tmp_path, **named(some, {"column": "part", "values": values})))
    assert (ids(task.train), ids(task.test)) == (["row0", "row3"], ["row1", "row2"])


def test_a_row_without_a_split_is_told(tmp_path):
    some = marked("train", "test", None, [])
    assert told(write(tmp_path, **named(some))) == [
        "all.jsonl:3: 'part' is null → give it a value, or leave out the row",
        "all.jsonl:4: 'part' is [], which names no split → say what every value means, e.g."
        " split.values: {train: …, test: …, left_out: []}",
    ]


@pytest.mark.parametrize(
    "other", [{"test": 0.3}, {"seed": 1}, {"time": "at"}, {"frozen": "s.json"}]
)
def test_keys_without_effect_beside_a_column_are_refused(tmp_path, other):
    some = [{**row, "at": 1} for row in marked("train", "test")]
    (key,) = other
    line = told(write(tmp_path, **named(some, {"column": "part", **other})))[0]
    assert line.startswith(f"task.yaml:7 split.{key}: `{key}` has no effect where `column` says")


def test_values_need_a_column_and_stand_once(tmp_path):
    some = marked("train", "test")
    (line,) = told(write(tmp_path, **named(some, {"test": 0.5, "values": {"test": "x"}})))
    assert line.startswith("task.yaml:7 split.values: `values` says what the values of a column")
    twice = {"column": "part", "values": {"train": ["train", "test"], "test": "test"}}
    (line,) = told(write(tmp_path, **named(some, twice)))
    assert "'test' stands twice under `values`" in line


def test_without_test_rows_it_is_told(tmp_path):
    (line,) = told(write(tmp_path, **named(marked("train", "train"))))
    assert "there are no test rows" in line


def test_a_cluster_on_both_sides_of_a_column_is_a_finding(tmp_path):
    some = [{**row, "doc": f"d{n // 2}"} for n, row in enumerate(marked("train", "test") * 1)]
    some += [{"id": "x", "text": "more", "label": "a", "part": "test", "doc": "d9"}]
    task = load_task(write(tmp_path, **named(some, cluster="doc")))
    (found,) = [one.text for one in task.data.findings if "clusters" in one.text]
    assert found.startswith("1 of 2 test clusters (d0), with 1 of 2 test rows, also stand in train")
