"""Schemas that no answer can be held to are told before anything runs, and the remedies work.

Nothing is loaded here: the grammar is compiled over bytes.
"""

from __future__ import annotations

import json

import pytest
from command_line import harness, write_task

from harness.errors import ModelError
from harness.lm.inference.json_grammar import check_schema
from harness.metrics import written
from harness.run.answer_schema import can_be_followed

LOOK_AHEAD = {"type": "string", "pattern": "^(?!0000)\\d{4}$"}
CASE = {
    "type": "object",
    "properties": {"tags": {"type": "array", "uniqueItems": True}, "when": LOOK_AHEAD},
    "required": ["tags"],
    "if": {"required": ["when"]},
    "then": {"required": ["tags"]},
}


def thing(**properties):
    return {"type": "object", "properties": properties, "required": list(properties)}


def test_every_fault_is_told_at_once_with_its_place():
    with pytest.raises(ModelError) as problem:
        check_schema(CASE)
    said = str(problem.value)
    assert 'at #: Unimplemented keys: ["if", "then"] → leave these keywords out' in said
    assert "at #/properties/when: regex parse error" in said
    assert "→ write the pattern without it" in said
    assert 'at #/properties/tags: Unimplemented keys: ["uniqueItems"]' in said


def test_the_remedies_together_leave_nothing_to_tell():
    mended = {key: value for key, value in CASE.items() if key not in ("if", "then")}
    check_schema(mended | {"properties": {"tags": {"type": "array"}, "when": {"type": "string"}}})


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"type": "string", "not": {"const": "x"}}, "Unimplemented keys"),
        ({"type": "array", "contains": {"const": 1}}, "Unimplemented keys"),
        ({"type": "string", "pattern": "(a)\\1"}, "backreferences are not supported"),
        ({"type": "string", "format": "ipv9"}, "Unknown format"),
        (
            {"oneOf": [{"type": "string"}, {"type": "string", "maxLength": 3}]},
            "write anyOf",
        ),
        ({"$ref": "https://example.org/x.json"}, "does not fetch"),
        ({"type": "string", "enum": [1, 2]}, "Unsatisfiable"),
        ({"type": "integer", "minimum": 5, "maximum": 3}, "Unsatisfiable"),
        ({"type": "string", "minLength": 5, "maxLength": 3}, "Unsatisfiable"),
        ({"type": "array", "minItems": 3, "maxItems": 1}, "Unsatisfiable"),
    ],
)
def test_a_part_that_cannot_be_followed_is_told_with_its_place(part, said):
    with pytest.raises(ModelError) as problem:
        check_schema(thing(a={"type": "string"}, b=part))
    assert "at #/properties/b: " in str(problem.value)
    assert said in str(problem.value)


def test_a_required_key_without_a_property_is_told():
    with pytest.raises(ModelError, match="required property 'b' is unsatisfiable"):
        check_schema({"type": "object", "properties": {"a": {}}, "required": ["b"]})


OPEN = {"type": "object", "properties": {"a": {"type": "string"}}}


def followed(*targets, schema=OPEN):
    return list(can_be_followed(schema, [(written(one),) for one in targets]))


def test_targets_that_can_be_written_are_not_mentioned():
    assert followed({"a": "x"}, {}, {"a": 'naïve 東京 \\ " \n'}) == []
    ordered = thing(a={"type": "number"}, b={"type": "array", "items": {"type": "integer"}})
    assert followed({"a": -1.5, "b": [1, 2]}, schema=ordered) == []


def test_targets_with_keys_that_no_answer_has_are_counted():
    (said,) = followed({"a": "x"}, {"a": "x", "b": 1})
    assert said.startswith("1 of 2 test targets can never be answered by a local model")
    assert '(e.g. {"a": "x", "b": 1})' in said


def test_a_row_counts_where_none_of_its_targets_can_be_written():
    assert list(can_be_followed(OPEN, [('{"b": 1}', '{"a": "x"}')])) == []


def test_where_no_target_can_be_written_the_model_is_refused_and_the_remedy_works():
    with pytest.raises(ModelError, match=r"2 of 2 .* → name every key of the targets under"):
        followed({"b": 1}, {"a": "x", "b": 1})
    named = OPEN | {"properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}
    assert followed({"b": 1}, {"a": "x", "b": 1}, schema=named) == []


@pytest.mark.parametrize("arms", [["majority", "zero_shot", "lora"], ["majority"]])
def test_check_refuses_where_a_local_model_answers_though_it_is_not_fetched(
    tmp_path, monkeypatch, arms
):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    target = {"tags": ["post"], "when": "2024"}
    rows = "".join(json.dumps({"text": f"note {n}", "label": target}) + "\n" for n in range(4))
    answer = {"kind": "json", "schema": CASE}
    path = write_task(tmp_path, arms, answer=answer, metric="field_f1")
    for name in ("train", "validation", "test"):
        (tmp_path / f"{name}.jsonl").write_text(rows.replace("note", name))
    told = harness("check", path)
    if arms == ["majority"]:
        assert (told.returncode, told.stderr) == (0, "")
    else:
        assert told.returncode == 2
        assert told.stderr.count("the answer's schema cannot be followed") == 1
