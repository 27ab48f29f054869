"""Predictions and targets → per-item values and their aggregate. Pure; knows nothing else."""

from __future__ import annotations

from harness.errors import UnknownNameError
from harness.metrics.answers import read_choice
from harness.metrics.choice import ACCURACY, FROM_CLASS_COUNTS, MACRO_F1
from harness.metrics.metric import Metric
from harness.metrics.text import EXACT_MATCH, OF_TEXTS

__all__ = ["Metric", "find", "names", "read_choice"]

_METRICS = {
    metric.name: metric
    for metric in (ACCURACY, MACRO_F1, *FROM_CLASS_COUNTS, EXACT_MATCH, *OF_TEXTS)
}


def names() -> list[str]:
    """Return the names of all metrics, sorted."""
    return sorted(_METRICS)


def find(name: str) -> Metric:
    """Return the metric called `name`.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in _METRICS:
        raise UnknownNameError("metric", name, names())
    return _METRICS[name]
