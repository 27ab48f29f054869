"""Columns that a task names: absent, null, NaN, of another shape; ids that stand twice."""

import json
from itertools import product

import pytest
from remedies import faults_after_following
from task_folder import data, faults_of, jsonl, rows, task_text, told, write

from harness.errors import TaskError
from harness.task import load_task

TEXT = {"answer": {"kind": "text"}, "metric": "token_f1"}
PHRASE = {"answer": {"kind": "text", "no_answer": "unanswerable"}, "metric": "token_f1"}


def some(prefix, n=6, **more):
    return [{"text": f"{prefix} {i}", "label": "ab"[i % 2], **more} for i in range(n)]


def printed(path):
    """The lines that a terminal shows of a task's faults."""
    with pytest.raises(TaskError) as problem:
        load_task(path)
    return str(problem.value).replace(f"{path.parent}/", "").splitlines()


def renamed(some_rows, old, new):
    return [{new if key == old else key: value for key, value in row.items()} for row in some_rows]


@pytest.mark.parametrize(
    ("key", "column", "written"),
    [
        ("target", "label", "lable"),
        ("input", "text", "Text"),
        ("id", "key", "keys"),
        ("cluster", "author", "autor"),
        ("slices", "city", "cities"),
        ("visible", "channel", "chanel"),
        ("groups", "team", "teams"),
    ],
)
def test_a_column_that_no_row_has_is_one_line_and_its_remedy_works(tmp_path, key, column, written):
    name = [column] if key in ("slices", "visible") else column
    extra = {} if key in ("target", "input") else {column: "x"}
    train, test = some("train", 30, **extra), some("test", 30, **extra)
    if key == "id":
        for at, row in enumerate([*train, *test]):
            row[column] = f"k{at}"
    files = {"train_jsonl": renamed(train, column, written)}
    files["test_jsonl"] = renamed(test, column, written)
    path = write(tmp_path, task_text(data=data(**{key: name})), **files)
    lines = printed(path)
    assert len(lines) == 1
    assert f"did you mean '{written}'?" in lines[0]
    assert faults_after_following(path) == []


def test_a_column_that_one_file_calls_otherwise_is_renamed_there(tmp_path):
    path = write(tmp_path, test_jsonl=renamed(rows("test", 4), "label", "lable"))
    (line,) = printed(path)
    assert line.endswith("rename 'lable' to 'label' in this file")
    assert faults_after_following(path) == []


def test_a_column_with_no_near_name_is_told_with_those_that_are(tmp_path):
    lines = printed(write(tmp_path, task_text(data=data(target="zzz"))))
    assert "known: id, label, text → name one of these columns as `target`" in lines[0]


@pytest.mark.parametrize("cell", [None, "absent", "", "mail"])
def test_a_visible_column_may_be_absent_or_null_in_some_rows(tmp_path, cell):
    row = {"id": "x", "text": "now", "label": "a"} | ({} if cell == "absent" else {"asked": cell})
    test = [row, *rows("test", 2, asked="time")]
    text = task_text(data=data(visible=["asked"]))
    path = write(tmp_path, text, test_jsonl=test, train_jsonl=rows("train", 4))
    queries = load_task(path).test.queries
    assert queries[0].full_text == {"": "now\nasked: ", "mail": "now\nasked: mail"}.get(cell, "now")
    assert queries[1].full_text.endswith("\nasked: time")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["First part.", 'Second "part".'], 'First part.; Second "part".'),
        ([1, 2.5, "x", None, True], "1; 2.5; x; null; true"),
        ({"a": ["ä", 1]}, '{"a": ["ä", 1]}'),
        ([["a", 1], {"b": None}], '[["a", 1], {"b": null}]'),
        ([], ""),
        (True, "true"),
        (3, "3"),
        (0.5, "0.5"),
        ("two\nlines", "two\nlines"),
    ],
)
def test_a_visible_value_is_shown_as_text_and_never_as_pythons_repr(tmp_path, value, shown):
    text = task_text(data=data(visible=["v"]))
    task = load_task(write(tmp_path, text, test_jsonl=rows("test", 2, v=value)))
    query = task.test.queries[0]
    assert query.full_text == f"{query.text}\nv: {shown}"
    assert query.fields["v"] == value


LITERALS = ["NaN", "Infinity", "-Infinity"]


DEEP = ["[1, NaN]", '{"deep": [Infinity]}']
NAN = [*product(("visible", "slices", "cluster", "target", "input", "id"), LITERALS)]
NAN += product(("visible", "input", "id"), DEEP)


@pytest.mark.parametrize(("key", "literal"), NAN)
def test_nan_is_refused_as_null_is_and_leaving_out_the_row_works(tmp_path, key, literal):
    column = {"target": "label", "input": "text", "id": "id"}.get(key, "v")
    changes = {key: [column] if key in ("visible", "slices") else column}
    good = rows("test", 6, v="x")
    lines = jsonl(good).splitlines()
    for at in range(3):
        row = {**good[at], column: "HERE"}
        lines[at] = json.dumps(row).replace('"HERE"', literal)
    text = task_text(data=data(**changes))
    path = write(tmp_path, text, test_jsonl="\n".join(lines), train_jsonl=rows("train", 4, v="x"))
    (line,) = printed(path)
    assert line.startswith("test.jsonl:1: ")
    assert "(and 2 more like it, lines 2, 3)" in line
    assert faults_after_following(path) == []


def test_nan_in_a_column_that_nobody_reads_is_nobodys_fault(tmp_path):
    line = '{"id": "x", "text": "now", "label": "a", "score": NaN}\n'
    assert len(load_task(write(tmp_path, test_jsonl=line)).test) == 1


def test_ids_that_start_anew_in_each_file_are_one_line_and_its_remedy_works(tmp_path):
    files = {
        f"{name}_jsonl": [{"id": at, **row} for at, row in enumerate(some(name, 60))]
        for name in ("train", "validation", "test")
    }
    path = write(tmp_path, task_text(data=data(validation="validation.jsonl")), **files)
    lines = printed(path)
    assert len(lines) == 1
    assert lines[0].startswith("validation.jsonl:1: ")
    assert "the id '0' already stands at train.jsonl:1, the id '1' " in lines[0]
    assert "so it is with 57 more → give each row an id of its own" in lines[0]
    assert faults_after_following(path) == []
    assert [query.id for query in load_task(path).test.queries][:2] == ["test-1", "test-2"]


@pytest.mark.parametrize("ids", [[7, "7"], [1.5, "1.5"], [True, "true"], [0, 0], ["a", "a"]])
def test_an_id_that_stands_twice_in_a_file_is_told_and_may_be_left_out(tmp_path, ids):
    test = [{"id": one, **row} for one, row in zip(ids, some("test", 2), strict=True)]
    path = write(tmp_path, test_jsonl=test)
    assert len(printed(path)) == 1
    assert faults_after_following(path) == []


@pytest.mark.parametrize("bad", [None, "", " ", [1], {"a": 1}])
def test_null_leaves_the_column_of_ids_alone_whatever_it_holds(tmp_path, bad):
    test = [{"id": bad, **row} for row in some("test", 4)]
    assert faults_of(write(tmp_path, test_jsonl=test))
    path = write(tmp_path, task_text(data={**data(), "id": None}), test_jsonl=test)
    assert load_task(path).test.queries[0].id == "test-1"


NONE = [None, "", " \n", [], [""], [None], {"text": [], "answer_start": []}, {"text": None}]
NONE += [{"text": ""}, {"text": [""]}]


@pytest.mark.parametrize("empty", NONE)
def test_whatever_says_that_there_is_no_answer_is_read_so(tmp_path, empty):
    kept = "please" if not isinstance(empty, dict) else {"text": ["please", "do"]}
    test = [{"text": "x", "label": empty}, {"text": "y", "label": kept}]
    task = load_task(write(tmp_path, task_text(**PHRASE), test_jsonl=test))
    assert task.test[0].targets == ("unanswerable",)
    assert task.test[1].targets == (("please",) if kept == "please" else ("please", "do"))


@pytest.mark.parametrize("empty", NONE)
def test_no_answer_without_a_phrase_is_one_line_that_says_how_to_give_one(tmp_path, empty):
    test = [{"text": f"x {i}", "label": empty if i % 2 else "please"} for i in range(40)]
    path = write(tmp_path, task_text(**TEXT), test_jsonl=test)
    (line,) = printed(path)
    assert line.startswith("test.jsonl:2: 'label' holds no answer → ")
    assert line.endswith("(and 19 more like it, lines 4, 6, 8, 10, …)")
    assert faults_after_following(path) == []


@pytest.mark.parametrize("empty", NONE)
def test_a_choice_always_has_an_answer(tmp_path, empty):
    test = [{"text": "x", "label": empty}, {"text": "y", "label": "a"}]
    assert len(told(write(tmp_path, test_jsonl=test))) == 1


NFD, NFC = "Ka\u0308lte", "K\u00e4lte"


@pytest.mark.parametrize(("of_task", "of_rows"), [(NFC, NFD), (NFD, NFC), (NFD, NFD)])
def test_labels_columns_and_slices_are_the_same_in_either_form_of_unicode(
    tmp_path, of_task, of_rows
):
    keys = {
        "answer": {"kind": "choice", "labels": [of_task, "b"]},
        "data": data(target=of_task, slices=[f"{of_task}2"], id=f"{of_task}3"),
    }
    test = [
        {"text": f"x{i}", of_rows: [of_rows, "b"][i % 2], f"{of_rows}2": of_rows, f"{of_rows}3": i}
        for i in range(4)
    ]
    train = [{**row, f"{of_rows}3": f"t{i}"} for i, row in enumerate(test)]
    task = load_task(write(tmp_path, task_text(**keys), test_jsonl=test, train_jsonl=train))
    assert list(task.labels) == [NFC, "b"]
    assert task.test[0].targets == (NFC,)
    assert task.truth[0].slices == {f"{NFC}2": NFC}


def test_a_phrase_a_file_of_labels_and_evidence_are_the_same_in_either_form(tmp_path):
    text = task_text(answer={"kind": "choice", "labels": "labels.json"})
    labels = json.dumps({NFD: "cold", "b": None})
    test = [{"text": "x", "label": NFC}, {"text": "y", "label": "b"}]
    files = {"labels_json": labels, "test_jsonl": test, "train_jsonl": test}
    assert list(load_task(write(tmp_path, text, **files)).labels) == [NFC, "b"]
    answer = {"kind": "text", "no_answer": NFD}
    test = [{"text": "x", "label": NFC, "where": NFC}, {"text": "y", "label": "", "where": NFC}]
    keys = {"data": data(corpus="docs.jsonl", evidence="where"), "metric": "token_f1"}
    docs = [{"id": NFD, "text": "All of it."}]
    files = {"docs_jsonl": docs, "test_jsonl": test, "train_jsonl": test}
    task = load_task(write(tmp_path, task_text(answer=answer, **keys), **files))
    assert [example.targets for example in task.test] == [(NFC,), (NFC,)]
    assert [row.evidence for row in task.truth] == [(NFD,), (NFD,)]


def test_two_labels_that_differ_in_form_alone_are_one_that_stands_twice(tmp_path):
    lines = told(write(tmp_path, task_text(answer={"kind": "choice", "labels": [NFC, NFD]})))
    assert any("stands twice" in line for line in lines)


@pytest.mark.parametrize("keys", [("role", "content"), ("from", "value")])
@pytest.mark.parametrize("column", ["input", "target"])
def test_a_chat_in_one_column_is_its_question_or_its_answer(tmp_path, keys, column):
    chat = [dict(zip(keys, turn, strict=True)) for turn in (("user", "help"), ("assistant", "a"))]
    key = {"input": "text", "target": "label"}[column]
    test = [{**row, key: chat} for row in some("test", 4)]
    (first, *_) = load_task(write(tmp_path, test_jsonl=test)).test
    assert (first.query.text == "help") == (column == "input")
    assert first.targets == ("a",)


@pytest.mark.parametrize("named", [{}, {"input": "messages", "target": "messages"}])
@pytest.mark.parametrize("name", ["messages", "conversations"])
def test_rows_of_chats_are_read(tmp_path, named, name):
    turns = [("system", "You sort mail."), ("human", "where is it?"), ("gpt", "a")]
    chat = [{"from": who, "value": said} for who, said in turns]
    columns = {"input": None, "target": None} | dict.fromkeys(named, name)
    text = task_text(data=data(**columns))
    task = load_task(
        write(tmp_path, text, train_jsonl=[{name: chat}] * 4, test_jsonl=[{name: chat}] * 4)
    )
    assert task.test[0].query.text == "You sort mail.\n\nwhere is it?"
    assert task.test[0].targets == ("a",)


def test_a_chat_without_an_answer_is_told_in_one_short_line(tmp_path):
    chat = [{"role": "user", "content": "please help " * 500}]
    text = task_text(data=data(input="messages", target="messages"))
    lines = printed(write(tmp_path, text, test_jsonl=[{"messages": chat}] * 30))
    assert all(len(line) < 500 for line in lines)


def test_faults_of_a_cut_file_stand_in_the_order_of_the_file(tmp_path):
    wrong = [{"text": f"message {i}", "label": f"no {i}"} for i in range(30)]
    text = task_text(data=data(train=None, test=None, all="all.jsonl"), split={"test": 0.3})
    path = write(tmp_path, text, all_jsonl=wrong)
    places = [int(fault.where.rsplit(":", 1)[1]) for fault in faults_of(path)]
    assert places == list(range(1, 31))
    assert len(printed(path)) == 6


def test_a_misspelt_target_of_a_cut_file_is_one_line_at_its_first_row(tmp_path):
    wrong = [{"text": f"message {i}", "lable": "a"} for i in range(30)]
    text = task_text(data=data(train=None, test=None, all="all.jsonl"), split={"test": 0.3})
    path = write(tmp_path, text, all_jsonl=wrong)
    (line,) = printed(path)
    assert line.startswith("all.jsonl:1: no column is called 'label'; did you mean 'lable'?")
    assert faults_after_following(path) == []
