"""How fast and how long to tune where nobody says: by the model's weights, the batch and the rows.

Rates that model families document for LoRA at a batch of 16: 2e-4 to 1e-3 for small models, less
for large ones (Schulman 2025, "LoRA Without Regret"; axolotl's, LLaMA-Factory's and Unsloth's
examples); a tenth of it for whole models. Knows parameters and sizes, nothing of rows' contents.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.lm.local_model import LanguageModel
    from harness.lm.training.adapter_spec import AdapterSpec
    from harness.toolkit.tune import TuningParams

RATES = ((5e8, 5e-4), (2e10, 3e-4), (float("inf"), 1e-4))
"""Weights of a model up to which a rate of an adapter holds."""
WHOLE_RATES = ((5e8, 5e-5), (float("inf"), 1e-5))
"""The same where the model's own weights are trained."""
RATE_BATCH = 16
"""Batch that these rates are for. Others take the root of the ratio, since a gradient's noise
shrinks so (Malladi et al. 2022, arXiv 2205.10287)."""
EPOCHS = ((1_000, 8), (10_000, 4), (float("inf"), 2))
"""Rows below which so many epochs are trained: a choice of ours."""


def rate_of(params: TuningParams, lm: LanguageModel) -> float:
    """Return the learning rate: the one that is named, or the default.

    Args:
        params: with a rate, or None for the default.
        lm: the model with what is trained of it.
    """
    if params.learning_rate is not None:
        return params.learning_rate
    whole = lm.adapter is not None and lm.adapter.trains_all
    weights = lm.loaded().parameters or 0
    return default_rate(weights, params.batch_size, whole)


def default_rate(weights: int, batch_size: int, whole: bool) -> float:
    """Return the default learning rate.

    Args:
        weights: of the model, without an adapter's.
        batch_size: rows of a step.
        whole: whether the model's own weights are trained.
    """
    table = WHOLE_RATES if whole else RATES
    rate = next(rate for most, rate in table if weights < most)
    return rate * sqrt(batch_size / RATE_BATCH)


def epochs_of(params: TuningParams, rows: int) -> int:
    """Return how many epochs so many training rows are read."""
    return params.epochs or next(epochs for below, epochs in EPOCHS if rows < below)


def averaged_of(params: TuningParams, adapter: AdapterSpec | None) -> int:
    """Return how many evaluations' weights are averaged: of a whole model none."""
    return 0 if adapter is not None and adapter.trains_all else params.averaged
