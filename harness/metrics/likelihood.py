"""Metrics of how likely an arm finds the right answers; lower is better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf

import numpy as np

from harness.metrics.metric import Array, Items, Metric
from harness.metrics.words import spaced


def _surprise(size: Callable[[str], int], items: Items) -> Array:
    """Return [n, 2]: minus the log-likelihood of an item's first target, and that target's size."""
    return np.array(
        [
            [-likelihood, size(accepted[0])]
            for likelihood, accepted in zip(items.log_likelihoods, items.targets, strict=True)
        ],
        dtype=float,
    ).reshape(-1, 2)


def _bits_per_byte(sums: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums[..., 0] / np.log(2) / sums[..., 1])


def _perplexity(sums: Array) -> Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.exp(sums[..., 0] / sums[..., 1]))


def _words(text: str) -> int:
    return len(spaced(text).split())


OF_LIKELIHOODS = tuple(
    Metric(
        name,
        summary,
        frozenset({"choice", "text", "json"}),
        partial(_surprise, size),
        finish,
        needs=frozenset({"likelihoods"}),
        lower_is_better=True,
        lowest=lowest,
        highest=inf,
    )
    for name, summary, size, finish, lowest in (
        (
            "bits_per_byte",
            "bits that the arm's model needs for a byte of the right answer; lower is better",
            lambda text: len(text.encode()),
            _bits_per_byte,
            0.0,
        ),
        (
            "perplexity",
            "perplexity per word of the right answer, whatever the tokenizer (per letter of"
            " scripts without spaces); lower is better",
            _words,
            _perplexity,
            1.0,
        ),
    )
)
