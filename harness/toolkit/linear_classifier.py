"""Logistic regression over vectors: fitted, asked, and kept as arrays and JSON.

Reading it back runs no code, as a pickle's would: run folders are handed on. Knows nothing of what
the vectors are of.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import StrategyError
from harness.types import Prediction

Classifiers = Mapping[float, Any]
"""Classifiers by the C that they were fitted with."""
MOST_ROWS = 2000
"""Rows up to which a classifier over wider vectors is fitted in the space of the rows: their
products' eigenvectors take a time that grows with the cube (2,000 rows: about 3 s on one core)."""
NO_LENGTH = 1e-9
"""Share of the largest eigenvalue below which a direction is rounding, as among equal rows."""


def fit_classifier(vectors: Any, answers: Sequence[str], inverse_regularisation: float) -> Any:
    """Return scikit-learn's LogisticRegression, fitted.

    Args:
        vectors: [rows, dimensions], dense or sparse.
        answers: the label of each row.
        inverse_regularisation: its C.

    Raises:
        StrategyError: all rows have the same label.
    """
    return fit_classifiers(vectors, answers, [inverse_regularisation])[inverse_regularisation]


def fit_classifiers(
    vectors: Any, answers: Sequence[str], strengths: Sequence[float]
) -> Classifiers:
    """Return scikit-learn's LogisticRegression for each strength, fitted.

    The penalty is on the length of the coefficients, so that those of the optimum lie in the space
    that the rows span (the representer theorem; Schölkopf et al. 2001). With more dimensions than
    rows, they are found there: the same classifier, ten to thirty times faster for a few hundred
    rows of TF-IDF.

    Args:
        vectors: [rows, dimensions], dense or sparse.
        answers: the label of each row.
        strengths: the values of C.

    Raises:
        StrategyError: all rows have the same label.
    """
    from sklearn.linear_model import LogisticRegression

    check_several_labels(answers)
    wide = vectors.shape[0] < vectors.shape[1] and vectors.shape[0] <= MOST_ROWS
    rows, back = _row_space(vectors) if wide else (vectors, None)
    found = {}
    for strength in strengths:
        with warnings.catch_warnings():
            # scikit-learn takes labels that have a row or two each for a regression's targets.
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            fitted = LogisticRegression(C=strength, max_iter=2000).fit(rows, answers)
        if back is not None:
            fitted.coef_ = (vectors.T @ (back @ fitted.coef_.T)).T
            fitted.n_features_in_ = vectors.shape[1]
        found[strength] = fitted
    return found


def check_several_labels(answers: Sequence[str]) -> None:
    """Check that there is something to tell apart.

    Raises:
        StrategyError: all rows have the same label.
    """
    if len(set(answers)) < 2:
        raise StrategyError(f"all training rows answer '{answers[0]}' → add rows of others")


def _row_space(vectors: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rows in coordinates of the space that they span, and what leads back.

    Returns:
        Coordinates [rows, rank], with the same products as the vectors; and [rows, rank]: what
        coefficients over the coordinates, [rank], become weights of the rows by.
    """
    vectors = vectors.astype(np.float64)
    products = vectors @ vectors.T  # [rows, rows]
    dense = products.toarray() if hasattr(products, "toarray") else products
    lengths, axes = np.linalg.eigh(dense)
    kept = lengths > NO_LENGTH * lengths.max()
    roots = np.sqrt(lengths[kept])
    return axes[:, kept] * roots, axes[:, kept] / roots


def classified(fitted: Any, vectors: Any) -> list[Prediction]:
    """Return the most probable label of each vector, [queries, dimensions], and all labels'."""
    if not vectors.shape[0]:
        return []
    labels = [str(label) for label in fitted.classes_]
    return [
        Prediction(labels[row.argmax()], dict(zip(labels, map(float, row), strict=True)))
        for row in fitted.predict_log_proba(vectors)
    ]


def save_classifier(fitted: Any, file: Path) -> None:
    """Write a fitted classifier.

    Args:
        fitted: its classes are texts.
        file: without an ending: coefficients go to `.npz`, labels to `.json`.
    """
    np.savez(file.with_suffix(".npz"), coefficients=fitted.coef_, intercepts=fitted.intercept_)
    labels = [str(label) for label in fitted.classes_]
    file.with_suffix(".json").write_text(json.dumps(labels, ensure_ascii=False))


def load_classifier(file: Path) -> Any:
    """Read what `save_classifier` wrote; it answers as it did.

    Raises:
        OSError: a file is not there.
        ValueError: a file is damaged.
    """
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression()
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        fitted.coef_, fitted.intercept_ = arrays["coefficients"], arrays["intercepts"]
    fitted.classes_ = np.array(json.loads(file.with_suffix(".json").read_text()))
    fitted.n_features_in_ = fitted.coef_.shape[1]
    return fitted
