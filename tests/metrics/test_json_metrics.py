"""Answers that are JSON objects: valid or not, equal or not, and right field by field."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.files.cpu_limit import OverdueError
from harness.metrics import Items, complaint_under, find, read_object, schema_fault, written
from harness.metrics.objects import LEAST_S, PATTERNS_S

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "count": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name"],
}


def value(metric, text, *targets, schema=SCHEMA):
    return find(metric).value(Items([text], [targets], schema=schema))


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ('{"name": "bolt", "count": 2}', 1),
        (' \n{"count":2.0,"name":"bolt"} ', 1),
        ('{"name": "bolt", "more": []}', 1),
        ('{"count": 2}', 0),
        ('{"name": "bolt", "count": -1}', 0),
        ('{"name": "bolt", "count": 2.5}', 0),
        ('{"name": "bolt", "count": NaN}', 0),
        ('{"name": "bolt", "tags": [1]}', 0),
        ('["bolt"]', 0),
        ('"bolt"', 0),
        ('{"name": "bolt"', 0),
        ('Here it is: {"name": "bolt"}', 1),
        ('```json\n{"name": "bolt"}\n```', 1),
        ('<think>{"name": 1}</think>{"name": "bolt"}', 1),
        ('{"name": "bolt"} or {"name": "nut"}', 0),
        ("", 0),
        (None, 0),
    ],
)
def test_an_answer_is_valid_json_under_the_schema_or_not(text, valid):
    assert value("json_valid", text, "{}") == valid


@pytest.mark.parametrize(
    ("text", "target", "same"),
    [
        ('{"b":1,"a":"x"}', '{"a": "x", "b": 1}', 1),
        ('{"a": 1.0}', '{"a": 1}', 1),
        ('{"a": "é"}', '{"a": "\\u00e9"}', 1),
        ('{"a": true}', '{"a": 1}', 0),
        ('{"a": "1"}', '{"a": 1}', 0),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', 0),
        ('{"a": "The X"}', '{"a": "x"}', 0),
        ('{"a": null}', "{}", 0),
        ("a x", '{"a": "x"}', 0),
        (None, '{"a": 1}', 0),
    ],
)
def test_objects_are_equal_by_their_values_and_never_by_squads_rules(text, target, same):
    assert value("exact_match", text, target) == same


# Leaves right, said and wanted, counted by hand; F1 = 2 right / (said + wanted).
@pytest.mark.parametrize(
    ("text", "target", "right", "said", "wanted"),
    [
        ('{"a": 1, "b": "x"}', '{"a": 1, "b": "y"}', 1, 2, 2),
        ('{"a": 1}', '{"a": 1, "b": "y", "c": null}', 1, 1, 3),
        ('{"a": {"b": 1, "c": 2}}', '{"a": {"b": 1, "c": 3}}', 1, 2, 2),
        ('{"a.b": 1}', '{"a": {"b": 1}}', 0, 1, 1),
        ('{"t": ["x", "y", "x"]}', '{"t": ["x", "x", "z"]}', 2, 3, 3),
        ('{"t": ["y", "x"]}', '{"t": ["x", "y"]}', 2, 2, 2),
        ('{"t": [{"n": 1, "m": 2}, {"n": 3}]}', '{"t": [{"n": 3}, {"n": 1}]}', 2, 3, 2),
        ('{"t": []}', '{"t": ["x"]}', 0, 1, 1),
        ('{"t": "x"}', '{"t": ["x"]}', 0, 1, 1),
        ('{"a": true}', '{"a": 1}', 0, 1, 1),
        ('{"a": 2.0}', '{"a": 2}', 1, 1, 1),
        ("{}", "{}", 0, 0, 0),
        ("{}", '{"a": 1}', 0, 1, 1),
        ("no JSON", '{"a": 1, "b": 2}', 0, 0, 2),
        (None, "{}", 0, 0, 1),
    ],
)
def test_fields_are_counted_with_their_paths(text, target, right, said, wanted):
    items = Items([text], [(target,)], schema=SCHEMA)
    assert find("field_f1").statistics(items).tolist() == [[right, said, wanted]]
    value = 2 * right / (said + wanted) if said + wanted else float("nan")
    assert find("field_f1").value(items) == pytest.approx(value, nan_ok=True)


def test_field_f1_is_of_all_fields_together_and_no_mean_of_items():
    texts = ['{"a": 1, "b": 2, "c": 3}', '{"a": 9}']
    targets = [('{"a": 1, "b": 2, "c": 3}',), ('{"a": 1}',)]
    items = Items(texts, targets, schema=SCHEMA)
    assert find("field_f1").value(items) == pytest.approx(2 * 3 / (4 + 4))
    assert math.isnan(find("field_f1").value(Items([], [])))


def test_field_f1_on_flat_objects_is_scikit_learns_micro_f1_of_their_fields():
    from sklearn.metrics import f1_score

    said = [{"a": 1, "b": 0, "c": 1}, {"a": 0, "b": 1, "c": 1}]
    right = [{"a": 1, "b": 1, "c": 0}, {"a": 0, "b": 1, "c": 0}]
    pairs = [(s[k], r[k]) for s, r in zip(said, right, strict=True) for k in "abc"]
    expected = f1_score([r for _, r in pairs], [s for s, _ in pairs], average="micro")
    items = Items(list(map(json.dumps, said)), [(json.dumps(r),) for r in right], schema=SCHEMA)
    assert find("field_f1").value(items) == pytest.approx(expected)


def test_the_accepted_object_that_suits_best_counts():
    assert value("field_f1", '{"a": 1}', '{"a": 2, "b": 2}', '{"a": 1, "b": 2}') == 2 / 3
    assert value("exact_match", '{"a": 1}', '{"a": 2}', '{"a": 1}') == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, min_size=1))
def test_what_is_written_is_read_back_and_is_right_in_every_field(value_):
    assert read_object(written(value_)) == value_
    assert value("field_f1", json.dumps(value_), written(value_), schema={}) == 1


@pytest.mark.parametrize("text", ['{"a":' + "[" * 99_999, '{"a":' + "[" * 300 + "]" * 300 + "}"])
def test_an_answer_nested_without_end_is_wrong_and_no_crash(text):
    for metric in ("json_valid", "exact_match", "field_f1"):
        assert value(metric, text, '{"a": 1}') == 0


@pytest.mark.filterwarnings("error")
def test_a_reference_to_elsewhere_is_a_complaint_and_never_fetched():
    complaint = complaint_under({"properties": {"a": {"$ref": "https://example.com/s.json"}}})
    assert "https://example.com/s.json" in complaint({"a": 1})
    assert complaint({"b": 1}) is None


def test_a_schema_that_refers_to_itself_for_ever_is_a_complaint():
    assert "for ever" in complaint_under({"$ref": "#"})({"a": 1})


def test_what_is_wrong_with_a_schema_is_said_with_its_place():
    assert schema_fault(SCHEMA) is None
    fault = schema_fault({"properties": {"a": {"type": "text"}}})
    assert fault.startswith("at $.properties.a.type: 'text' is not valid")


def test_answers_that_take_too_long_get_less_and_less_time(monkeypatch):
    allowed = []

    def overdue(seconds):
        allowed.append(seconds)
        raise OverdueError

    monkeypatch.setattr("harness.metrics.objects.cpu_limit", overdue)
    complaint = complaint_under({"properties": {"a": {"pattern": "^(a+)+$"}}})
    told = [complaint({"a": "b"}) for _ in range(20)]
    assert told[0] == f"a `pattern` of the schema takes more than {PATTERNS_S:g} s on it"
    assert sum(allowed) < 2 * PATTERNS_S + 20 * LEAST_S
    assert allowed[-1] == LEAST_S


def test_an_answer_after_those_that_take_too_long_is_still_read(monkeypatch):
    monkeypatch.setattr("harness.metrics.objects.PATTERNS_S", 0.2)
    complaint = complaint_under({"properties": {"a": {"pattern": "^(a+)+$"}}})
    for _ in range(3):
        assert "takes more than" in complaint({"a": "a" * 40 + "b"})
    assert complaint({"a": "aaa"}) is None
    assert "does not match" in complaint({"a": "b"})
