"""Confident learning: by hand, with planted errors, and the folds that it rests on."""

import random

import numpy as np
import pytest

from harness.errors import ModelError
from harness.task.audit import label_errors as label_errors_module
from harness.task.audit.label_errors import FOLDS, Doubted, doubted, folds, label_errors
from harness.task.deep_audit import vectors_of


def test_the_confident_joint_by_hand():
    """Thresholds are the means 0.7 and 0.6: row 2 is confidently the other label, row 3 neither."""
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.2, 0.8], [0.6, 0.4]])
    found = doubted(probabilities, [0, 0, 0, 1, 1])
    assert [(one.at, one.label) for one in found] == [(2, 1)]
    assert found[0].margin == 0.3 - 0.7
    assert isinstance(found[0], Doubted)


def test_sure_and_right_probabilities_doubt_nothing():
    assert doubted(np.eye(3)[[0, 1, 2, 0, 1, 2]], [0, 1, 2, 0, 1, 2]) == []


def test_a_label_of_one_row_is_not_doubted():
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [1.0, 0.0]])
    assert doubted(probabilities, [0, 0, 1]) == []


def test_rows_of_one_input_share_a_fold_and_labels_are_spread():
    keys = [f"k{n % 40}" for n in range(80)]
    given = [n % 4 for n in range(80)]
    found = folds(keys, given)
    assert all(found[n] == found[n + 40] for n in range(40))
    for label in range(4):
        assert {found[n] for n in range(80) if given[n] == label} == set(range(FOLDS))


TOPICS = {
    "card": ["card", "plastic", "chip", "pin", "contactless", "stripe"],
    "loan": ["loan", "mortgage", "interest", "borrow", "repay", "credit"],
    "fraud": ["stolen", "scam", "thief", "phishing", "hacked", "suspicious"],
}


def planted(n=300, wrong=30, seed=0):
    """Rows of three topics, of which some have another topic's label; and which those are."""
    draw = random.Random(seed)
    names = list(TOPICS)
    true = [names[at % 3] for at in range(n)]
    common = ["please", "help", "me", "with", "the", "my", "about", "question", "today"]
    texts = [" ".join(draw.choices(TOPICS[t], k=3) + draw.choices(common, k=4)) for t in true]
    bad = set(draw.sample(range(n), wrong))
    labels = [
        draw.choice([o for o in names if o != t]) if at in bad else t for at, t in enumerate(true)
    ]
    return [str(at) for at in range(n)], texts, labels, {str(at) for at in bad}


def test_planted_errors_are_found_with_precision_and_recall():
    """Of 30 wrong labels in 300 rows 27 are found, and all that are found are wrong."""
    ids, texts, labels, bad = planted()
    (finding,) = label_errors(ids, texts, texts, labels)
    hits = len(bad & set(finding.rows))
    assert hits / len(bad) >= 0.8
    assert hits / finding.count >= 0.9


def test_few_rows_and_one_label_are_not_judged():
    assert label_errors(["a"] * 5, ["x"] * 5, ["x"] * 5, list("ababa")) == ()
    assert label_errors(["a"] * 50, ["x"] * 50, ["x"] * 50, ["a"] * 50) == ()


def test_of_more_rows_and_labels_than_memory_holds_a_sample_is_judged_and_that_is_said(monkeypatch):
    monkeypatch.setattr(label_errors_module, "MOST_WEIGHTS", 3 * 200)
    ids, texts, labels, bad = planted()
    (found,) = label_errors(ids, texts, texts, labels)
    assert f"{found.count} of 200 rows checked, drawn at random, (" in found.text
    assert 0 < len(found.rows) < len(bad)
    assert set(found.rows) <= bad


def test_hashed_words_of_many_rows_find_the_planted_errors_too(monkeypatch):
    monkeypatch.setattr(label_errors_module, "PAIRS_TO", 100)
    ids, texts, labels, bad = planted()
    (found,) = label_errors(ids, texts, texts, labels)
    assert len(bad & set(found.rows)) / len(bad) >= 0.8
    assert len(bad & set(found.rows)) / found.count >= 0.9


def test_vectors_are_read_in_place_of_words():
    """Texts say nothing here, and the vectors all: what is planted is found by them alone."""
    ids, texts, labels, bad = planted()
    words = [word for topic in TOPICS.values() for word in topic]
    known = {
        row: [float(word in text) for word in words] for row, text in zip(ids, texts, strict=True)
    }
    (found,) = label_errors(
        ids, ids, ids, labels, lambda rows: np.array([known[row] for row in rows])
    )
    assert "a classifier of sentence vectors" in found.text
    (other,) = label_errors(ids, texts, texts, labels, lambda rows: np.zeros((len(rows), 2)))
    assert "a classifier of words" in other.text
    assert len(bad & set(found.rows)) / len(bad) >= 0.8
    assert len(bad & set(found.rows)) / found.count >= 0.9


@pytest.mark.parametrize("name", ["VECTORS_TO", "PAIRS_TO"])
def test_vectors_of_much_text_are_not_computed(name, monkeypatch):
    monkeypatch.setattr(label_errors_module, name, 100)
    ids, texts, labels, _ = planted()
    (found,) = label_errors(ids, texts, texts, labels, lambda _: pytest.fail("called"))
    assert "a classifier of words" in found.text


def test_without_an_embedder_words_are_enough(monkeypatch):
    def fail(*_):
        raise ModelError("it cannot be loaded")

    monkeypatch.setattr("harness.retrieval.Embedder", fail)
    ids, texts, labels, _ = planted()
    (found,) = label_errors(ids, texts, texts, labels, vectors_of)
    assert "a classifier of words" in found.text
