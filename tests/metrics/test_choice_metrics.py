"""Accuracy and macro-F1 agree with scikit-learn on the same answers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import Items, find

LABELS = ["a", "b", "c", "d", "e"]
ACCURACY, MACRO_F1 = find("accuracy"), find("macro_f1")
# Short lists over five labels: often a label is never predicted, never true, or neither.
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)


def value(metric, pairs):
    predicted = [text for text, _ in pairs]
    return metric.value(Items(predicted, [(target,) for _, target in pairs], LABELS))


def peers_f1(pairs, labels=None):
    from sklearn.metrics import f1_score

    predicted, actual = zip(*pairs, strict=True)
    return f1_score(actual, predicted, average="macro", labels=labels, zero_division=0)


@given(PAIRS)
def test_macro_f1_is_scikit_learns(pairs):
    assert value(MACRO_F1, pairs) == pytest.approx(peers_f1(pairs), abs=1e-12)


@given(PAIRS)
def test_accuracy_is_scikit_learns(pairs):
    from sklearn.metrics import accuracy_score

    predicted, actual = zip(*pairs, strict=True)
    assert value(ACCURACY, pairs) == pytest.approx(accuracy_score(actual, predicted))


@given(PAIRS, st.integers(1, 5))
def test_answers_that_name_no_label_are_misses_and_no_class(pairs, every):
    answered = [
        ("?" if number % every == 0 else text, target)
        for number, (text, target) in enumerate(pairs)
    ]
    occurring = sorted({label for pair in answered for label in pair} - {"?"})
    assert value(MACRO_F1, answered) == pytest.approx(peers_f1(answered, occurring), abs=1e-12)


def test_macro_f1_on_a_large_skewed_sample_is_scikit_learns():
    draw = np.random.default_rng(5)
    actual = draw.choice(LABELS[:4], 2000, p=[0.9, 0.07, 0.02, 0.01])
    predicted = np.where(draw.random(2000) < 0.7, actual, draw.choice(LABELS, 2000))
    pairs = list(zip(map(str, predicted), map(str, actual), strict=True))
    assert value(MACRO_F1, pairs) == pytest.approx(peers_f1(pairs), abs=1e-12)


def test_macro_f1_of_a_case_done_by_hand():
    # a: TP 1, predicted 2, actual 1 → 2/3; b: TP 1, predicted 1, actual 2 → 2/3; c: 1.
    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c")]
    assert value(MACRO_F1, pairs) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)


@pytest.mark.parametrize("metric", [ACCURACY, MACRO_F1])
@pytest.mark.parametrize("text", [None, "", "no idea", "a or b"])
def test_a_failed_or_unreadable_answer_is_worth_nothing_but_counts(metric, text):
    assert metric.value(Items([text], [("a",)], LABELS)) == 0
    assert metric.value(Items([text, "a"], [("a",), ("a",)], LABELS)) < 1


@pytest.mark.parametrize("metric", [ACCURACY, MACRO_F1])
def test_any_of_several_targets_is_right(metric):
    targets = [("a", "b"), ("c",)]
    assert metric.value(Items(["b", "c"], targets, LABELS)) == 1
    assert metric.value(Items(["a", "c"], targets, LABELS)) == 1
    assert metric.value(Items(["d", "c"], targets, LABELS)) < 1


@pytest.mark.parametrize("metric", [ACCURACY, MACRO_F1])
def test_no_items_have_no_value(metric):
    assert math.isnan(metric.value(Items([], [], LABELS)))


@pytest.mark.parametrize("metric", [ACCURACY, MACRO_F1])
def test_answers_and_targets_of_different_number_are_refused(metric):
    with pytest.raises(ValueError, match="zip"):
        metric.value(Items(["a", "b"], [("a",)], LABELS))
