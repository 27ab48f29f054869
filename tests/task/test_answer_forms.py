"""JSON answers, questions without an answer, evidence, and metrics that need one of them."""

import json

import pytest
from task_folder import data, rows, task_text, told, write

from harness.errors import UserError
from harness.task import limited, load_task

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
    "required": ["name"],
    "additionalProperties": False,
}
JSON = {"answer": {"kind": "json", "schema": SCHEMA}, "metric": "field_f1"}
PHRASE = "not in the handbook"
TEXT = {"answer": {"kind": "text", "no_answer": PHRASE}, "metric": "exact_match"}
DOCS = {"corpus": "docs.jsonl", "evidence": "where"}


def labelled(*labels, **more):
    return [{"id": f"t{i}", "text": f"t {i}", "label": x, **more} for i, x in enumerate(labels)]


def write_json(folder, *labels, changes=JSON):
    train = [{"id": "x", "text": "x", "label": {"name": "x"}}]
    text = task_text(**changes)
    return write(folder, text, train_jsonl=train, test_jsonl=labelled(*labels))


def write_docs(folder, cells, metric="recall_at_5", **changes):
    """A text task over two documents, whose test rows name evidence as `cells` do."""
    test = [
        {"id": f"t{i}", "text": f"t {i}", "label": "x", "where": e} for i, e in enumerate(cells)
    ]
    keys = {"answer": {"kind": "text"}, "metric": metric, "data": data(**DOCS | changes)}
    docs = [{"id": one, "text": f"About {one}."} for one in ("oil", "tyres")]
    train = rows("train", 2, where="")
    return write(folder, task_text(**keys), train_jsonl=train, test_jsonl=test, docs_jsonl=docs)


def test_json_targets_are_kept_in_one_form_however_they_are_written(tmp_path):
    objects = [{"name": "é", "count": 2.0}, '{"count":2,"name":"\\u00e9"}']
    task = load_task(write_json(tmp_path, *objects, [{"name": "a"}, '{"name": "b"}']))
    same = ('{"count": 2, "name": "é"}',)
    assert [example.targets for example in task.test][:2] == [same, same]
    assert task.test[2].targets == ('{"name": "a"}', '{"name": "b"}')
    assert [row.targets for row in task.truth] == [example.targets for example in task.test]


def test_the_schema_reaches_strategies_with_its_keys_in_the_order_of_the_targets(tmp_path):
    task = load_task(write_json(tmp_path, {"name": "a"}))
    assert task.info.answer_kind == "json"
    assert task.info.schema == SCHEMA
    assert list(task.info.schema["properties"]) == ["count", "name"]


def test_a_schema_may_stand_in_a_file(tmp_path):
    (tmp_path / "form.json").write_text("\ufeff" + json.dumps(SCHEMA))
    changes = JSON | {"answer": {"kind": "json", "schema": "form.json"}}
    assert load_task(write_json(tmp_path, {"name": "a"}, changes=changes)).schema == SCHEMA


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ({"count": 1}, "at $: 'name' is a required property"),
        ({"name": 5}, "at $.name: 5 is not of type 'string'"),
        ({"name": "a", "more": 1}, "Additional properties"),
        ([{"name": "a"}, {"name": 5}], "at $.name"),
        ("name: a", 'must be a JSON object or a list of them, not "name: a"'),
        ("[1]", "must be a JSON object"),
        (7, "must be a JSON object"),
        ("", "must be a JSON object"),
        ([], "must be a JSON object"),
        ({"name": "a", "count": float("inf")}, "must be a JSON object"),
    ],
)
def test_a_target_that_is_not_valid_is_told_with_its_row(tmp_path, label, words):
    (line,) = told(write_json(tmp_path, {"name": "ok"}, label))
    assert line.startswith("test.jsonl:2: 'label' ")
    assert words in line


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"kind": "json"}, "need a schema"),
        ({"kind": "json", "schema": "none.json"}, "cannot be read as JSON"),
        ({"kind": "json", "schema": "train.jsonl"}, "cannot be read as JSON"),
        ({"kind": "json", "schema": [1]}, "must be a JSON schema"),
        ({"kind": "json", "schema": {"type": "text"}}, "at $.type: 'text' is not valid"),
        ({"kind": "json", "schema": {"required": "name"}}, "at $.required: 'name'"),
        ({"kind": "text", "schema": SCHEMA}, "only JSON answers have a schema"),
        ({"kind": "json", "schema": SCHEMA, "shema": 1}, "did you mean 'schema'"),
    ],
)
def test_a_schema_that_cannot_be_used_is_a_fault_of_its_key(tmp_path, answer, words):
    lines = told(write(tmp_path, task_text(answer=answer, metric="exact_match")))
    assert any(line.startswith("task.yaml:3 answer.") and words in line for line in lines), lines


def test_a_date_in_a_schema_is_no_json(tmp_path):
    text = task_text(answer=None, metric="json_valid")
    text += "answer: {kind: json, schema: {const: 2026-01-01}}\n"
    lines = told(write(tmp_path, text))
    assert any(" answer.schema.const: " in line and "2026-01-01" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "inputs", "asked"),
    [
        (TEXT, ["Who?", "Wer? ", "Name him."], True),
        (TEXT, ["誰？", "متى؟"], True),
        (TEXT, ["Who?", "Name him."], False),
        ({}, ["Who?", "Wer?"], False),
    ],
)
def test_inputs_are_questions_where_most_training_ones_end_so(tmp_path, changes, inputs, asked):
    train = [{"id": str(n), "text": text, "label": "a"} for n, text in enumerate(inputs)]
    task = load_task(write(tmp_path, task_text(**changes), train_jsonl=train))
    assert task.info.asks_questions is asked


def test_an_empty_target_means_the_phrase_for_no_answer(tmp_path):
    test = labelled("", [], "  ", "5,000 km", PHRASE)
    task = load_task(write(tmp_path, task_text(**TEXT), test_jsonl=test))
    phrase = (PHRASE,)
    assert [e.targets for e in task.test] == [phrase, phrase, phrase, ("5,000 km",), phrase]
    assert task.info.no_answer == PHRASE


@pytest.mark.parametrize("label", ["", []])
def test_without_a_phrase_an_empty_target_stays_a_fault(tmp_path, label):
    text = task_text(answer={"kind": "text"}, metric="exact_match")
    (line,) = told(write(tmp_path, text, test_jsonl=labelled("x", label)))
    assert line.startswith("test.jsonl:2: 'label' holds no answer → ")


@pytest.mark.parametrize("answer", [{"kind": "choice", "labels": ["a", "b"]}, JSON["answer"]])
def test_only_a_text_answer_may_be_none(tmp_path, answer):
    answer = answer | {"no_answer": PHRASE}
    lines = told(write(tmp_path, task_text(answer=answer, metric="exact_match")))
    assert any("answer.no_answer: only a text answer" in line for line in lines)


@pytest.mark.parametrize("phrase", ["", "  "])
def test_an_empty_phrase_is_a_fault(tmp_path, phrase):
    answer = {"kind": "text", "no_answer": phrase}
    (line,) = told(write(tmp_path, task_text(answer=answer, metric="exact_match")))
    assert line.startswith("task.yaml:3 answer.no_answer: ")


def test_evidence_of_test_rows_is_known_to_the_judge_and_to_no_strategy(tmp_path):
    task = load_task(write_docs(tmp_path, ["oil", ["tyres", "oil", "oil"], "", [], None]))
    assert [row.evidence for row in task.truth] == [("oil",), ("tyres", "oil"), (), (), ()]
    assert "oil" not in repr((task.test, task.train, task.info))
    assert not task.evidence.keys() & {row.id for row in task.truth}


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("oils", "names 'oils', and no document has that id"),
        (["oil", "x"], "names 'x'"),
        ({"a": 1}, "must be the id of a document or a list of ids"),
        ([["oil"]], "must be the id of a document"),
    ],
)
def test_evidence_that_is_no_document_is_a_fault_of_its_row(tmp_path, cell, words):
    (line,) = told(write_docs(tmp_path, ["oil", cell]))
    assert line.startswith("test.jsonl:2: 'where' ")
    assert words in line


def test_a_column_of_evidence_that_no_row_has_is_told(tmp_path):
    lines = told(write_docs(tmp_path, ["oil"], evidence="wher"))
    assert lines
    assert all("no column is called 'wher'; did you mean 'where'" in line for line in lines)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"visible": ["where"]}, "data.visible.0: 'where' is evidence: no strategy may see it"),
        ({"input": "where"}, "data.input: 'where' is evidence"),
        ({"corpus": None}, "data.evidence: evidence names documents, and there are none"),
    ],
)
def test_evidence_is_not_shown_and_not_without_documents(tmp_path, changes, words):
    lines = told(write_docs(tmp_path, ["oil"], **changes))
    assert any(words in line for line in lines), lines


@pytest.mark.parametrize("key", ["metric", "also"])
@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("recall_at_1", "data.evidence"),
        ("mrr", "data.evidence"),
        ("grounded", "data.corpus"),
        ("declined_unanswerable", "answer.no_answer"),
    ],
)
def test_a_metric_that_needs_what_the_task_lacks_is_refused(tmp_path, key, name, needed):
    metric = {"metric": "exact_match", key: name if key == "metric" else [name]}
    lines = told(write(tmp_path, task_text(answer={"kind": "text"}, **metric)))
    (line,) = [line for line in lines if "needs" in line]
    assert f" {key}: '{name}' needs {needed}, and the task has none" in line


@pytest.mark.parametrize("name", ["json_valid", "field_f1"])
def test_a_metric_of_json_is_refused_for_other_answers(tmp_path, name):
    (line,) = told(write(tmp_path, task_text(metric=name)))
    assert f"'{name}' does not score answers of kind choice" in line


def test_a_primary_metric_that_no_test_row_counts_for_is_refused(tmp_path):
    (line,) = told(write_docs(tmp_path, ["", []]))
    assert "scores rows with evidence, and no test row names any" in line
    keys = TEXT | {"metric": "declined_unanswerable"}
    (line,) = told(write(tmp_path, task_text(**keys), test_jsonl=labelled("x", "y")))
    assert "scores questions without an answer, and no test row is one" in line


def test_a_sample_that_no_row_counts_for_is_refused(tmp_path):
    task = load_task(write_docs(tmp_path, ["oil", *[""] * 30]))
    with pytest.raises(UserError, match="raise --limit"):
        limited(task, 1)


@pytest.mark.parametrize("metric", ["bleu", "token_f1", "exact_match"])
def test_a_metric_under_which_perfect_answers_are_worth_nothing_is_refused(tmp_path, metric):
    short = [
        {"id": f"t{n}", "text": f"t {n}", "label": x} for n, x in enumerate(["Paris", "red wine"])
    ]
    text = task_text(answer={"kind": "text"}, metric=metric)
    lines = told(write(tmp_path, text, test_jsonl=short))
    if metric == "bleu":  # it counts runs of four words, and no answer has four
        (line,) = lines
        assert "'bleu' would be 0 for perfect answers to these test rows" in line
        assert line.endswith("→ take another metric, e.g. token_f1 or chrf or exact_match")
    else:
        assert lines == []
