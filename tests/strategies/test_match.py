"""Inputs are matched with what labels are called and described as; no label of a row is read."""

from __future__ import annotations

from dataclasses import replace
from math import exp

import numpy as np
import pytest
from small_world import context

from harness import Example, Query, Split, registry, retrieval
from harness.toolkit.label_texts import label_text
from harness.types import TaskInfo
from strategies.match import FEWEST_INPUTS, Match

LABELS = {"card_arrival": "", "refund": "money back"}
NONE = Split("train", ())


class Counted:
    """An embedder of one dimension a letter."""

    def __init__(self, *_):
        pass

    def embed(self, texts):
        counts = [[text.lower().count(letter) for letter in "abcdefghij"] for text in texts]
        vectors = np.array(counts, dtype=np.float32).reshape(len(texts), 10) + 1e-3
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    monkeypatch.setattr(retrieval, "Embedder", Counted)


def made(folder, labels=LABELS, train=NONE, notes=None, **params):
    folder.mkdir(exist_ok=True)
    world = replace(context(notes=notes), task=TaskInfo("t", "Which?", "choice", labels))
    given = Match.Params(**params)
    Match(given, world).fit(train, Split("validation", ()), folder)
    served = Match(given, world)
    served.load(folder)
    return served


def test_names_are_read_as_words_and_descriptions_with_them():
    assert label_text("card_arrival", "") == "card arrival"
    assert label_text("card-arrival", "when?") == "card arrival: when?"
    assert label_text("_", "") == "_"


def test_probabilities_are_a_softmax_of_cosines(tmp_path):
    served = made(tmp_path, temperature=0.5)
    (found,) = served.predict([Query("q", "a bad deal")])
    asked, *labels = Counted().embed(["a bad deal", "card arrival", "refund: money back"])
    cosines = np.array([asked @ label for label in labels], dtype=np.float64) / 0.5
    expected = np.exp(cosines) / np.exp(cosines).sum()
    assert [exp(v) for v in found.label_logprobs.values()] == pytest.approx(expected, abs=1e-6)
    assert found.text == ["card_arrival", "refund"][int(cosines.argmax())]


def test_labels_without_a_description_are_counted(tmp_path):
    notes = []
    made(tmp_path, notes=notes)
    said = "1 of 2 labels have no description: they are matched by their names alone"
    assert notes == [("labels", said)]


def inputs(count, label="a"):
    return Split(
        "train", tuple(Example(Query(f"t{n}", f"bbb {n}"), (label,)) for n in range(count))
    )


MANY = {f"{letter}{letter}": "x" for letter in "abcdefghij"}


def test_training_inputs_are_used_where_there_are_enough_and_that_is_said(tmp_path):
    notes = []
    served = made(tmp_path, MANY, inputs(FEWEST_INPUTS), notes)
    assert served.means.argmax() == 1  # all inputs are full of b
    (said,) = [text for kind, text in notes if kind == "inputs"]
    assert said.startswith("the mean cosine of each label with 50 training inputs is taken off")
    assert said.endswith("their labels are not used")


@pytest.mark.parametrize(
    ("labels", "count", "params"),
    [
        (MANY, FEWEST_INPUTS - 1, {}),
        ({"aa": "x", "bb": "x"}, FEWEST_INPUTS, {}),  # two labels may be unbalanced
        (MANY, FEWEST_INPUTS, {"centre": False}),
        (MANY, 0, {"centre": True}),
    ],
)
def test_and_nowhere_else(tmp_path, labels, count, params):
    notes = []
    served = made(tmp_path, labels, inputs(count), notes, **params)
    assert not served.means.any()
    assert "inputs" not in {kind for kind, _ in notes}


def test_what_the_rows_answer_makes_no_difference(tmp_path):
    asked = [Query("q", "a bad deal"), Query("r", "j")]
    one, two = (
        made(tmp_path / label, MANY, inputs(60, label)).predict(asked) for label in ("aa", "bb")
    )
    assert one == two


def test_many_labels_are_told_apart(tmp_path):
    labels = {f"{a}{b}": "" for a in "abcdefghij" for b in "abcdefghij" if a <= b}
    served = made(tmp_path, labels)
    assert [p.text for p in served.predict([Query("q", "ci"), Query("r", "dd")])] == ["ci", "dd"]


def test_it_asks_for_no_row_and_no_model():
    assert registry.find("match").needs(Match.Params()) == frozenset()
