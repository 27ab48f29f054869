"""Every further metric agrees with the library or the published example it is known from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import Items, find

LABELS = ["a", "b", "c", "d"]
PAIRS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1)
SAID = [
    "The dog bit the man.",
    "It wasn't a surprise.",
    "The man had just bitten him.",
    "",
]
MEANT = [
    ("The dog bit the man.", "The dog had bit the man."),
    ("It was not unexpected.", "No one was surprised."),
    ("The man bit him first.", "The man had bitten the dog."),
    ("Nothing.",),
]


def of_pairs(name, pairs):
    predicted = [text for text, _ in pairs]
    return find(name).value(Items(predicted, [(target,) for _, target in pairs], LABELS))


@pytest.mark.parametrize(
    ("name", "function", "average"),
    [
        ("micro_f1", "f1_score", "micro"),
        ("weighted_f1", "f1_score", "weighted"),
        ("precision", "precision_score", "macro"),
        ("recall", "recall_score", "macro"),
    ],
)
@given(pairs=PAIRS)
@settings(max_examples=50)
def test_averages_over_labels_are_scikit_learns(name, function, average, pairs):
    from sklearn import metrics

    predicted, actual = zip(*pairs, strict=True)
    expected = getattr(metrics, function)(actual, predicted, average=average, zero_division=0)
    assert of_pairs(name, pairs) == pytest.approx(expected, abs=1e-12)


@given(pairs=PAIRS)
@settings(max_examples=50)
@pytest.mark.filterwarnings("ignore:y_pred contains classes", "ignore:A single label was found")
def test_balanced_accuracy_is_scikit_learns(pairs):
    from sklearn.metrics import balanced_accuracy_score

    predicted, actual = zip(*pairs, strict=True)
    expected = balanced_accuracy_score(actual, predicted)
    assert of_pairs("balanced_accuracy", pairs) == pytest.approx(expected, abs=1e-12)


def test_an_answer_that_names_no_label_lowers_micro_f1_less_than_a_wrong_one():
    assert of_pairs("micro_f1", [("a", "a"), ("b", "c")]) == pytest.approx(1 / 2)
    assert of_pairs("micro_f1", [("a", "a"), ("?", "c")]) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_corpus_scores_are_sacrebleus(name):
    from sacrebleu.metrics import BLEU, CHRF

    scorer = {"bleu": BLEU, "chrf": CHRF}[name]()
    streams = [[t[n] if n < len(t) else None for t in MEANT] for n in range(2)]
    expected = scorer.corpus_score(SAID, streams).score / 100
    assert find(name).value(Items(SAID, MEANT)) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected < 1


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_a_resampled_corpus_scores_as_if_it_had_been_written(name):
    metric = find(name)
    counts = np.array([[2, 0, 1, 1], [0, 3, 1, 0]])
    resampled = metric.finish(counts @ metric.statistics(Items(SAID, MEANT)))
    for row, value in zip(counts, resampled, strict=True):
        texts = [text for text, n in zip(SAID, row, strict=True) for _ in range(n)]
        targets = [target for target, n in zip(MEANT, row, strict=True) for _ in range(n)]
        assert value == pytest.approx(metric.value(Items(texts, targets)), abs=1e-12)


def test_an_item_that_failed_is_an_empty_answer_to_corpus_scores():
    for name in ("bleu", "chrf", "rouge_l", "token_f1"):
        failed = find(name).value(Items([SAID[0], None], MEANT[:2]))
        assert 0 < failed < find(name).value(Items([SAID[0], MEANT[1][0]], MEANT[:2]))


def test_rouge_l_is_the_papers_example():
    """Lin 2004, section 3.1: "police kill the gunman" shares 3 of 4 words in order, or 2."""
    rouge = find("rouge_l")
    reference = [("police killed the gunman",)]
    assert rouge.value(Items(["police kill the gunman"], reference)) == pytest.approx(3 / 4)
    assert rouge.value(Items(["the gunman kill police"], reference)) == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("the Norman dynasty", "Norman dynasty", 1.0),  # articles do not count
        ("Normandy in France", "France", 2 * (1 / 3) / (4 / 3)),
        ("France France", "France", 2 * (1 / 2) / (3 / 2)),  # a word counts as often as it stands
        ("", "", 1.0),
        ("", "France", 0.0),
        ("Spain", "France", 0.0),
    ],
)
def test_token_f1_is_squads(text, target, expected):
    assert find("token_f1").value(Items([text], [(target,)])) == pytest.approx(expected)


def test_the_best_of_several_targets_counts():
    assert find("token_f1").value(Items(["in Rouen"], [("Paris", "in Rouen")])) == 1.0
