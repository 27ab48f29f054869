"""Predictions and targets → per-item values and their aggregate. Pure; knows nothing else."""

from __future__ import annotations

from harness.errors import UnknownNameError
from harness.metrics.choice import ACCURACY, FROM_CLASS_COUNTS, MACRO_F1, by_class, class_counts
from harness.metrics.fields import OF_OBJECTS
from harness.metrics.likelihood import OF_LIKELIHOODS
from harness.metrics.metric import Array, Items, Metric, Need, each_counts, mean_of
from harness.metrics.numbers import NUMERIC_MATCHES
from harness.metrics.objects import complaint_under, read_object, schema_fault, written
from harness.metrics.reading import final_answer, read_choice, without_thoughts
from harness.metrics.sources import DECLINED, OF_SOURCES, declines, unanswerable
from harness.metrics.text import MATCHES, OF_TEXTS

__all__ = [
    "Array",
    "Items",
    "Metric",
    "Need",
    "by_class",
    "class_counts",
    "complaint_under",
    "declines",
    "each_counts",
    "final_answer",
    "find",
    "mean_of",
    "names",
    "read_choice",
    "read_object",
    "schema_fault",
    "unanswerable",
    "without_thoughts",
    "written",
]

_METRICS = {
    metric.name: metric
    for metric in (
        ACCURACY,
        MACRO_F1,
        *FROM_CLASS_COUNTS,
        *MATCHES,
        *NUMERIC_MATCHES,
        *OF_TEXTS,
        *OF_OBJECTS,
        *OF_SOURCES,
        DECLINED,
        *OF_LIKELIHOODS,
    )
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
