"""Metrics by name: the built-in ones, and a task's own function in a file beside it.

    def close(answer: str, targets: tuple[str, ...]) -> float:
        return float(any(target in answer for target in targets))

Such a function says what one answer is worth, from 0 to 1; the metric is its mean over items.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from numbers import Real
from pathlib import Path

from harness import metrics
from harness.errors import UserError
from harness.files.hashing import sha256_of_file
from harness.files.python_file import from_file, names_file, path_of
from harness.metrics import Array, Items, Metric, each_counts, mean_of

Worth = Callable[[str, tuple[str, ...]], float]


def find_metric(name: str, base: Path | None) -> Metric:
    """Return the metric that a task names.

    Args:
        name: a built-in one, or `path/to/file.py:function`.
        base: folder that a relative path starts from.

    Raises:
        UserError: there is none of that name, or its file cannot be used.
    """
    if not names_file(name):
        return metrics.find(name)
    try:
        worth = from_file(name, base, "metric", inspect.isfunction)
    except ImportError as problem:
        raise UserError(f"metric '{name}': {problem}") from problem
    if not callable(worth):
        raise UserError(f"metric '{name}' is not a function → write one of (answer, targets)")
    summary = (inspect.getdoc(worth) or "").split("\n")[0]
    every_kind = frozenset({"choice", "text", "json"})
    return Metric(name, summary, every_kind, partial(_worths, name, worth), mean_of)


def source_of(name: str, base: Path | None) -> str | list[str]:
    """Return what decides a metric's values: its name, and of a task's own the file's hash."""
    return [name, sha256_of_file(path_of(name, base))] if names_file(name) else name


def _worths(name: str, worth: Worth, items: Items) -> Array:
    """Return [n, 2]: what each answer is worth, 0 where it failed, and 1 for counting."""
    return each_counts(
        [
            0.0 if text is None else _checked(name, worth, (text, accepted), item)
            for item, text, accepted in zip(items.ids, items.texts, items.targets, strict=True)
        ]
    )


def _checked(name: str, worth: Worth, given: tuple[str, tuple[str, ...]], item: str) -> float:
    """Return what an answer is worth.

    Raises:
        UserError: the function failed, or returned something else than a number from 0 to 1.
    """
    try:
        value = worth(*given)
    except Exception as problem:  # a stranger's function may raise anything
        raise UserError(
            f"metric '{name}' failed on the item '{item}', answer {given[0]!r}: {problem!r}"
            " → correct the function"
        ) from problem
    if not isinstance(value, Real) or not 0 <= value <= 1:
        raise UserError(
            f"metric '{name}' returned {value!r} for the item '{item}', answer {given[0]!r}"
            " → return a number from 0 to 1"
        )
    return float(value)
