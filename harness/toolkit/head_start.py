"""Where a label head starts: at the labels' logistic regression on the untuned model's states.

Linear probing before fine-tuning (Kumar et al. 2022, arXiv 2202.10054): from zeros, the first steps
would change the model towards a head that knows nothing. The regression's strength is chosen by
cross-validation on the training rows. Knows nothing of how the head is trained from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.lm.inference.label_head import LabelHead, states_of
from harness.lm.local_model import LanguageModel
from harness.toolkit.folds import dealt
from harness.toolkit.linear_classifier import fit_classifiers

STRENGTHS = (1.0, 10.0, 100.0, 1000.0)
"""scikit-learn's C, over states of unit variance and mean length 1; the first where rows are too
few to choose."""
FOLDS = 5


def start_head(
    lm: LanguageModel, head: LabelHead, prompts: Sequence[list[int]], places: Sequence[int]
) -> float | None:
    """Set a head to the logistic regression of rows' labels on what it reads of them.

    Args:
        lm: the model, not tuned yet.
        head: its weights are replaced.
        prompts: token ids of each training row.
        places: which of the head's labels each of them has.

    Returns:
        The regression's strength; None: the rows have fewer than two labels, and the head is left
        as it is.
    """
    if len(set(places)) < 2:
        return None
    lm.prefix.clear()
    states, _ = states_of(lm, prompts)
    lm.prefix.clear()
    rows = states.float().cpu().numpy()
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0) * np.sqrt(rows.shape[1])
    scaled = (rows - mean) / spread
    answers = [str(place) for place in places]
    strength = _strength(scaled, answers)
    fitted = fit_classifiers(scaled, answers, [strength])[strength]
    _put(head, fitted, mean, spread)
    return strength


def _strength(rows: NDArray[np.float64], answers: Sequence[str]) -> float:
    """Return the strength with the lowest cross-entropy of held-out rows, summed over folds."""
    folds = dealt(answers, FOLDS, seed=0)
    lost = dict.fromkeys(STRENGTHS, 0.0)
    for fold in folds:
        held = set(fold)
        learnt = [place for place in range(len(answers)) if place not in held]
        if len({answers[place] for place in learnt}) < 2:
            continue
        for strength, fitted in fit_classifiers(
            rows[learnt], [answers[place] for place in learnt], STRENGTHS
        ).items():
            lost[strength] += _cross_entropy(fitted, rows[fold], [answers[one] for one in fold])
    return min(STRENGTHS, key=lost.__getitem__)


def _cross_entropy(fitted: Any, rows: NDArray[np.float64], answers: Sequence[str]) -> float:
    """Return the summed cross-entropy, in nats, of rows whose label the classifier has seen."""
    place_of = {label: place for place, label in enumerate(fitted.classes_)}
    found = fitted.predict_log_proba(rows)
    known = [(row, place_of[a]) for row, a in zip(found, answers, strict=True) if a in place_of]
    return -float(sum(row[place] for row, place in known))


def _put(
    head: LabelHead, fitted: Any, mean: NDArray[np.float64], spread: NDArray[np.float64]
) -> None:
    """Write a classifier of scaled states into a head of states as they are.

    Labels without rows get no direction and the least of all intercepts.
    """
    import torch

    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # scikit-learn keeps the second label's alone
        coefficients = np.concatenate([-coefficients, coefficients]) / 2
        intercepts = np.concatenate([-intercepts, intercepts]) / 2
    weight = np.zeros(tuple(head.linear.weight.shape))
    bias = np.full(len(weight), intercepts.min())
    at = [int(label) for label in fitted.classes_]
    weight[at] = coefficients / spread
    bias[at] = intercepts - weight[at] @ mean
    with torch.no_grad():
        head.linear.weight.copy_(torch.from_numpy(weight))
        head.linear.bias.copy_(torch.from_numpy(bias))
