"""Metrics of answers that are JSON objects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from harness.metrics.metric import Array, Items, Metric, each_counts, mean_of
from harness.metrics.objects import complaint_under, read_object, written

Leaf = tuple[str, str]
EMPTY: Counter[Leaf] = Counter({(json.dumps(()), "{}"): 1})
"""The one leaf of an object without fields."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield (path, value) of everything in a JSON value that holds nothing else.

    The elements of a list all stand under one path, so their order does not count. An empty list
    or object is a leaf itself: it is an answer too. Both parts are JSON text, which tells 1 from
    true and from "1", and a key with a dot from two keys.
    """
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, (*path, f".{key}"))
    elif isinstance(value, list) and value:
        for part in value:
            yield from leaves(part, (*path, "[]"))
    else:
        yield json.dumps(path), written(value)


def _valid(items: Items) -> Array:
    complaint = complaint_under(items.schema or {})
    objects = [None if text is None else read_object(text) for text in items.texts]
    return each_counts([value is not None and complaint(value) is None for value in objects])


def _field_counts(items: Items) -> Array:
    """Return [n, 3]: leaves of an answer that are right, leaves it has, leaves wanted.

    Where several targets are accepted, the one counts that suits the answer best. That nothing
    was wanted and nothing said is no evidence: an empty object that is right does not count.
    """
    counts = np.zeros((len(items.texts), 3))
    for row, (text, accepted) in enumerate(zip(items.texts, items.targets, strict=True)):
        answer = None if text is None else read_object(text)
        said = Counter() if answer is None else Counter(leaves(answer))
        each = [_shared(said, Counter(leaves(json.loads(target)))) for target in accepted]
        counts[row] = max(each, key=lambda c: 2 * c[0] / (c[1] + c[2]) if c[1] + c[2] else 1.0)
    return counts


def _shared(said: Counter[Leaf], wanted: Counter[Leaf]) -> tuple[int, int, int]:
    if said == wanted == EMPTY:
        return 0, 0, 0
    return (said & wanted).total(), said.total(), wanted.total()


def _micro_f1(sums: Array) -> Array:
    """Finish [right, said, wanted] into F1 over all leaves together; NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * sums[..., 0] / (sums[..., 1] + sums[..., 2]))


JSON = frozenset({"json"})
OF_OBJECTS = (
    Metric(
        "field_f1",
        "F1 over the fields of all answers together, each with its path and value",
        JSON,
        _field_counts,
        _micro_f1,
    ),
    Metric(
        "json_valid",
        "share of answers that are a JSON object, valid under the task's schema",
        JSON,
        _valid,
        mean_of,
        binary=True,
    ),
)
