"""Calibration: whether answers are right as often as their probabilities say.

The expected calibration error is Σ |B| / n · |accuracy(B) − mean probability(B)| over bins B of the
answers by their probability (Guo et al. 2017, arXiv 1706.04599), here ten of equal mass, whose
estimate is less biased than that of bins of equal width (Roelofs et al. 2020, arXiv 2012.08668). It
is biased upwards still: on so few rows even right probabilities would not have 0, so what they
would have is drawn beside it (consistency resampling, Bröcker and Smith 2007, Weather and
Forecasting 22, 651–661).
"""

from __future__ import annotations

from math import exp
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.diagnostics import Calibration
from harness.metrics import read_choice

BINS = 10
FEWEST = 200
"""Rows with a probability; with fewer, a bin has fewer than 20."""
DRAWS = 500
SEED = 20_000
CELLS_AT_ONCE = 2_000_000
"""Draws × answers at once: 50 MB for a moment. All of 200,000 answers would take a gigabyte."""
Array = NDArray[np.float64]


def calibration_of(run: RunData, arm: ArmData) -> Calibration | None:
    """Measure the calibration of an arm's labels; None for an arm that gives none.

    Of several seeds, the mean: an arm that is served has one.
    """
    seeds = [_sureness(run, arm, seed) for seed in range(len(arm.predictions))]
    n = min((len(sure) for sure, _ in seeds), default=0)
    if n == 0:
        return None
    if n < FEWEST:
        why = f"{n} rows with a probability are too few: it takes {FEWEST}"
        return Calibration(n=n, undefined=why)
    return Calibration(
        expected_error=fmean(expected_calibration_error(*seed) for seed in seeds),
        error_by_chance=fmean(error_by_chance(sure) for sure, _ in seeds),
        brier=fmean(brier_score(*seed) for seed in seeds),
        n=n,
    )


def expected_calibration_error(sure: Array, right: Array) -> float:
    """Return the expected calibration error.

    Args:
        sure: [n] the probability of each answer.
        right: [n] or [draws, n] 1 where it is right, else 0.

    Returns:
        The error; of several draws their mean.
    """
    # Edges by quantile, so that answers of one probability are never parted.
    edges = np.quantile(sure, np.arange(1, BINS) / BINS)
    place = np.searchsorted(edges, sure, side="left")
    member = (place[:, None] == np.arange(BINS)).astype(float)  # [n, bins]
    gaps = np.abs((np.atleast_2d(right) - sure) @ member)  # |B| · |accuracy − mean probability|
    return float(gaps.sum(axis=1).mean() / len(sure))


def error_by_chance(sure: Array) -> float:
    """Return the mean expected calibration error of answers that are right as often as said."""
    draw = np.random.default_rng(SEED)
    at_once = max(1, CELLS_AT_ONCE // len(sure))
    total = 0.0
    for first in range(0, DRAWS, at_once):
        rows = min(at_once, DRAWS - first)
        right = (draw.random((rows, len(sure))) < sure).astype(float)
        total += rows / DRAWS * expected_calibration_error(sure, right)
    return total


def brier_score(sure: Array, right: Array) -> float:
    """Return the Brier score of "this answer is right": the mean squared error of its probability.

    Brier 1950, Monthly Weather Review 78, 1–3, halved as is usual for two outcomes.
    """
    return float(np.mean((np.clip(sure, 0, 1) - right) ** 2))


def _sureness(run: RunData, arm: ArmData, seed: int) -> tuple[Array, Array]:
    """Return the probability of each answer that has one, and whether it is right."""
    labels, pairs = list(run.task.answer.labels), []
    for given, accepted in zip(arm.predictions[seed], run.gold.targets, strict=True):
        answer = None if given.error else read_choice(given.text, labels)
        logprob = (given.label_logprobs or {}).get(answer) if answer is not None else None
        if logprob is not None:
            pairs.append((exp(logprob), float(answer in accepted)))
    both = np.array(pairs, dtype=float).reshape(-1, 2)
    return both[:, 0], both[:, 1]
