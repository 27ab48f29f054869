"""Numbers of labels are held without a dict for each answer, and say the same."""

import json

import pytest

from harness.store.label_values import SharedLabels
from harness.store.predictions_file import read_predictions, write_predictions
from harness.store.run_folder import each_row
from harness.types import Prediction


def test_they_say_what_the_dict_says():
    shared = SharedLabels()
    given = {"b": -0.25, "a": -1.5}
    found = shared.values(given)
    assert found == given
    assert given == found
    assert (list(found), len(found), found["a"], found.get("c")) == (["b", "a"], 2, -1.5, None)
    assert repr(found) == repr(given)


def test_labels_in_another_order_or_fewer_are_kept_apart():
    shared = SharedLabels()
    rows = [{"a": 1.0, "b": 2.0}, {"b": 3.0, "a": 4.0}, {"b": 5.0}, {}]
    assert [dict(shared.values(row)) for row in rows] == rows


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(TypeError):
        SharedLabels().values({"a": "b"})


def test_predictions_are_read_back_as_they_were_written(tmp_path):
    given = [
        Prediction("a", {"a": -0.1, "b": -2.5}, "Which?", notes=("n",), sources=("d",)),
        Prediction("b", None, ("x", "y", "z")),
    ]
    file = tmp_path / "predictions.jsonl"
    write_predictions(file, ["1", "2"], given)
    assert list(read_predictions(file).values()) == given
    bare = read_predictions(file, prompts=False)
    assert [(p.text, p.prompt, p.label_logprobs) for p in bare.values()] == [
        ("a", None, given[0].label_logprobs),
        ("b", None, None),
    ]


def test_rows_are_read_one_by_one(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps({"id": "1"}) + "\nno JSON\n")
    rows = each_row(file)
    assert next(rows) == {"id": "1"}
    with pytest.raises(ValueError, match="Expecting value"):
        next(rows)
