"""Groups: who asks comes from `data.groups`, and strategies see it as Query.groups alone."""

import json

import pytest
from task_folder import data, jsonl, rows, task_text, told, write

from harness.errors import TaskError
from harness.task import load_task, read_inputs

GROUPED = task_text(data=data(groups="team"))
CLOSED = jsonl([{"text": "x", "allow": ["hr"]}, {"text": "y"}, {"text": "z", "allow": []}])


def row(number, **more):
    return {"id": number, "text": f"text {number}", "label": "a", **more}


def test_groups_reach_the_queries_of_every_split(tmp_path):
    text = task_text(data=data(groups="team", validation="validation.jsonl"))
    values = ["hr", ["hr", "it", "hr"], "it; hr", "", [], None, " "]
    path = write(
        tmp_path,
        text,
        train_jsonl=rows("train", 2, team="it"),
        validation_jsonl=rows("validation", 2, team="hr"),
        test_jsonl=[row(number, team=value) for number, value in enumerate(values)],
    )
    task = load_task(path)
    assert [query.groups for query in task.test.queries] == [
        ("hr",),
        ("hr", "it"),
        ("it", "hr"),
        *[()] * 4,
    ]
    assert {query.groups for query in task.train.queries} == {("it",)}
    assert {query.groups for query in task.validation.queries} == {("hr",)}
    assert all(query.fields == {} for query in task.test.queries)


def test_groups_of_a_csv_file_have_semicolons(tmp_path):
    text = task_text(data=data(groups="team", test="test.csv"))
    content = "id,text,label,team\n1,x,a,hr;it\n2,y,b,\n"
    path = write(tmp_path, text, test_csv=content, train_jsonl=rows("train", 2, team=None))
    assert [query.groups for query in load_task(path).test.queries] == [("hr", "it"), ()]


def test_other_groups_are_another_split(tmp_path):
    one, other = (
        load_task(
            write(
                tmp_path,
                GROUPED,
                train_jsonl=rows("train", 2, team="x"),
                test_jsonl=rows("test", 2, team=team),
            )
        ).test.sha256
        for team in ("hr", "it")
    )
    assert one != other


@pytest.mark.parametrize(
    ("value", "words"),
    [(3, "not 3"), ([1], "not [1]"), ({"hr": 1}, 'not {"hr": 1}'), (True, "not true")],
)
def test_groups_of_another_shape_are_a_fault(tmp_path, value, words):
    path = write(tmp_path, GROUPED, train_jsonl=[row(0, team="x")], test_jsonl=[row(1, team=value)])
    (line,) = told(path)
    assert line.startswith("test.jsonl:1: 'team' must be a text or a list of texts")
    assert words in line


def test_a_row_without_the_column_is_a_fault(tmp_path):
    path = write(tmp_path, GROUPED, train_jsonl=[row(0, teem="x")], test_jsonl=[row(1, team="x")])
    (line,) = told(path)
    assert line.startswith("train.jsonl:1: no column is called 'team'; did you mean 'teem'?")


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"groups": "label"}, "data.groups", "is the target"),
        ({"groups": "team", "visible": ["team"]}, "data.visible.0", "Query.groups alone"),
        ({"groups": ["team"]}, "data.groups", '["team"]'),
        ({"groups": ""}, "data.groups", "is empty"),
    ],
)
def test_groups_are_nothing_else(tmp_path, changes, place, words):
    some = {"train_jsonl": rows("a", 2, team="x"), "test_jsonl": rows("b", 2, team="x")}
    lines = told(write(tmp_path, task_text(data=data(**changes)), **some))
    assert any(line.startswith(f"task.yaml:4 {place}: ") and words in line for line in lines)


def test_documents_that_nobody_may_see_are_a_finding(tmp_path):
    path = write(tmp_path, task_text(data=data(corpus="c.jsonl")), c_jsonl=CLOSED)
    task = load_task(path)
    assert [document.allow for document in task.documents] == [("hr",), None, ()]
    assert task.data.findings[0].text.startswith(
        "2 of 3 documents are for groups only and no query has groups: nobody can be shown them"
    )


@pytest.mark.parametrize(("team", "found"), [("hr", 0), (None, 1)])
def test_with_groups_that_finding_is_gone_unless_all_are_empty(tmp_path, team, found):
    text = task_text(data=data(corpus="c.jsonl", groups="team"), margin=0.99)
    some = {"train_jsonl": rows("a", 2, team=team), "test_jsonl": rows("b", 2, team=team)}
    assert len(load_task(write(tmp_path, text, c_jsonl=CLOSED, **some)).data.findings) == found


def test_new_inputs_have_the_groups_of_their_column(tmp_path):
    columns = {"input": "text", "visible": [], "id": None, "groups": "team"}
    file = tmp_path / "new.jsonl"
    file.write_text(
        jsonl([{"text": "x", "team": ["hr"]}, {"text": "y"}, {"text": "z", "team": ""}])
    )
    assert [query.groups for query in read_inputs(file, columns)] == [("hr",), (), ()]
    lines = tmp_path / "new.txt"
    lines.write_text("plain\n" + json.dumps({"text": "x", "team": "it"}))
    assert [query.groups for query in read_inputs(lines, columns)] == [(), ("it",)]
    before = {key: value for key, value in columns.items() if key != "groups"}
    assert [query.groups for query in read_inputs(file, before)] == [(), (), ()]
    file.write_text(jsonl([{"text": "x", "team": 5}]))
    with pytest.raises(TaskError, match="'team' must be a text or a list of texts, not 5"):
        read_inputs(file, columns)
