"""Logistic regression over vectors: fitted, asked, and kept as arrays and JSON.

Reading it back runs no code, as a pickle's would: run folders are handed on. Knows nothing of what
the vectors are of.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import StrategyError
from harness.types import Prediction


def fit_classifier(vectors: Any, answers: Sequence[str], inverse_regularisation: float) -> Any:
    """Return scikit-learn's LogisticRegression, fitted.

    Args:
        vectors: [rows, dimensions], dense or sparse.
        answers: the label of each row.
        inverse_regularisation: its C.

    Raises:
        StrategyError: all rows have the same label.
    """
    from sklearn.linear_model import LogisticRegression

    if len(set(answers)) < 2:
        raise StrategyError(f"all training rows answer '{answers[0]}' → add rows of others")
    return LogisticRegression(C=inverse_regularisation, max_iter=2000).fit(vectors, answers)


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
