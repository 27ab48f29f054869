"""How well labels' scores tell the right one: cross-entropies, with and without a temperature.

Knows scores and places of right labels; nothing of models and texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

SHARPNESS = (1 / 32, 32.0)
"""Least and greatest 1/temperature that is looked at; at the least all labels are nearly alike."""
SEARCH_STEPS = 60
"""Golden sections of that range, in logarithms: more digits than float64 has."""


def smoothed_cross_entropy(
    scores: Tensor, right: Sequence[int], smoothing: float, weights: Sequence[float]
) -> Tensor:
    """Return the summed cross-entropy of rows, a scalar tensor with gradients.

    Args:
        scores: [rows, labels], unnormalised log-probabilities.
        right: each row's label.
        smoothing: share of a row's target that is spread over all labels evenly (Szegedy et al.
            2016, arXiv 1512.00567, section 7).
        weights: of each label's rows.
    """
    import torch

    logprobs = scores.log_softmax(dim=-1)
    places = torch.tensor(list(right), device=scores.device)
    hit = logprobs[torch.arange(len(places), device=scores.device), places]  # [rows]
    each = -(1 - smoothing) * hit - smoothing * logprobs.mean(dim=-1)
    return (each * torch.tensor([weights[place] for place in right], device=each.device)).sum()


def fitted_cross_entropy(scores: Sequence[Sequence[float]], right: Sequence[int]) -> float:
    """Return the mean cross-entropy at the temperature that makes it lowest, in nats.

    A model that is too sure of itself is not taken for one that decides worse: over-confidence is
    mended afterwards by the same single number (Guo et al. 2017, arXiv 1706.04599). The loss is
    convex in 1/temperature, so a search by golden sections finds its lowest point.

    Args:
        scores: [rows, labels], unnormalised log-probabilities; one may be -inf.
        right: each row's label.
    """
    given = np.maximum(np.asarray(scores, dtype=float), -1e6)  # [rows, labels]
    given = given - given.max(axis=1, keepdims=True)
    hit = given[np.arange(len(right)), np.asarray(right)]  # [rows]

    def loss(log_sharpness: float) -> float:
        sharp = np.exp(log_sharpness)
        return float((np.log(np.exp(sharp * given).sum(axis=1)) - sharp * hit).mean())

    low, high = np.log(SHARPNESS[0]), np.log(SHARPNESS[1])
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(SEARCH_STEPS):
        left, right_end = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) < loss(right_end):
            high = right_end
        else:
            low = left
    return loss((low + high) / 2)


def balanced_weights(right: Sequence[int], labels: int) -> list[float]:
    """Return each label's weight so that all labels with rows count alike, one on average.

    Args:
        right: each training row's label.
        labels: how many there are; one without rows gets the weight 1, which counts nowhere.
    """
    counts = np.bincount(np.asarray(right, dtype=int), minlength=labels)
    present = int((counts > 0).sum())
    return [len(right) / (present * count) if count else 1.0 for count in counts]
