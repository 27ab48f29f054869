"""Classifiers in the space of the rows are scikit-learn's own; grids tell where they end."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from harness.errors import StrategyError
from harness.toolkit import classified, fit_classifier, fit_classifiers
from harness.toolkit.selection import tell_of_edge

DRAWN = np.random.default_rng(0)
LABELS = ["a", "b", "c"] * 10
WIDE = DRAWN.normal(size=(30, 200)) * (DRAWN.random((30, 200)) < 0.2)
NARROW = DRAWN.normal(size=(30, 4)).astype(np.float32)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("vectors", [WIDE, WIDE.astype(np.float32), NARROW])
@pytest.mark.parametrize("strength", [0.1, 10.0])
def test_a_classifier_is_the_one_of_scikit_learn(vectors, strength, sparse):
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

    vectors = csr_array(vectors) if sparse else vectors
    peer = LogisticRegression(C=strength, max_iter=2000).fit(vectors.astype(np.float64), LABELS)
    mine = fit_classifier(vectors, LABELS, strength)
    unseen = DRAWN.normal(size=(20, vectors.shape[1]))
    assert mine.coef_.shape == peer.coef_.shape
    assert np.allclose(mine.predict_proba(unseen), peer.predict_proba(unseen), atol=2e-3)


def test_rows_that_stand_twice_or_are_empty_do_no_harm():
    vectors = np.vstack([WIDE, WIDE, np.zeros((3, 200))])
    answers = [*LABELS, *LABELS, "a", "b", "c"]
    fitted = fit_classifiers(vectors, answers, [1.0, 100.0])
    for one in fitted.values():
        assert np.isfinite(one.coef_).all()
        assert [p.text for p in classified(one, WIDE)] == LABELS


def test_rows_of_one_label_are_refused():
    with pytest.raises(StrategyError, match="all training rows answer 'a' → add rows of others"):
        fit_classifier(WIDE, ["a"] * 30, 1.0)


@pytest.mark.parametrize(
    ("scores", "chosen", "said"),
    [
        ({1: 0.5, 10: 0.6, 100: 0.7}, 100, "C = 100 is the largest that was tried → add larger"),
        ({1: 0.7, 10: 0.6, 100: 0.7}, 1, "C = 1 is the smallest that was tried → add smaller"),
        ({1: 0.7, 10: 0.7, 100: 0.6}, 1, None),  # its neighbour does as well
        ({1: 0.6, 10: 0.7, 100: 0.6}, 10, None),
        ({10: 0.7}, 10, None),
    ],
)
def test_a_best_one_at_the_end_of_the_grid_is_told(scores, chosen, said):
    notes = []
    tell_of_edge(SimpleNamespace(note=lambda *words: notes.append(words)), scores, chosen)
    assert [text.split(" ones")[0] for _, text in notes] == ([said] if said else [])
