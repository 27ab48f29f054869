"""Metrics by name: the built-in ones, and a task's own function in a file beside it.

    def close(answer: str, targets: tuple[str, ...]) -> float:
        return float(any(target in answer for target in targets))

Such a function says what one answer is worth, from 0 to 1; the metric is its mean over items.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import partial
from numbers import Real
from pathlib import Path

from harness import metrics
from harness.errors import UserError
from harness.files.guarded import guarded, shown_safely
from harness.files.hashing import sha256_of_file
from harness.files.python_file import from_file, names_file, path_of
from harness.metrics import Array, Items, Metric, each_counts, mean_of
from harness.metrics.metric import some_count

Worth = Callable[[str, tuple[str, ...]], float]
CheckedWorth = Callable[[str, str | None, tuple[str, ...]], float]
"""(item, answer, accepted answers) → what that is worth; raises `UserError`, whatever happens."""
EVERY_KIND = frozenset({"choice", "text", "json"})


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
    worth = worth_of(name, base)
    summary = summary_of(name, base)
    return Metric(name, summary, EVERY_KIND, partial(_worths, worth), mean_of)


def worth_of(name: str, base: Path | None) -> CheckedWorth:
    """Import a task's own function; return what scores (item, answer, accepted answers) by it.

    Raises:
        UserError: its file cannot be used.
    """
    try:
        worth = from_file(name, base, "metric", inspect.isfunction)
    except ImportError as problem:
        raise UserError(f"metric '{name}': {problem}") from problem
    if not callable(worth):
        raise UserError(f"metric '{name}' is not a function → write one of (answer, targets)")
    return partial(_checked, name, worth)


def summary_of(name: str, base: Path | None) -> str:
    """Return the first line of what a task's own function says of itself, without running it."""
    try:
        tree = ast.parse(path_of(name, base).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return ""
    function = name.rsplit(":", 1)[1]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return (ast.get_docstring(node) or "").split("\n")[0]
    return ""


def recorded_metric(name: str, worth_of: Callable[[str, tuple[str, ...]], float | None]) -> Metric:
    """Return a task's own metric as it was applied before; its file is neither read nor run.

    Args:
        name: as the task has it.
        worth_of: what an answer was found worth beside its targets; None: not known, and then that
            item does not count.
    """
    return Metric(name, "", EVERY_KIND, partial(_recorded, worth_of), mean_of)


def _recorded(worth_of: Callable[[str, tuple[str, ...]], float | None], items: Items) -> Array:
    rows = zip(items.texts, items.targets, strict=True)
    return some_count([0.0 if text is None else worth_of(text, right) for text, right in rows])


def source_of(name: str, base: Path | None) -> str | list[str]:
    """Return what decides a metric's values: its name, and of a task's own the file's hash."""
    return [name, sha256_of_file(path_of(name, base))] if names_file(name) else name


def _worths(worth: CheckedWorth, items: Items) -> Array:
    """Return [n, 2]: what each answer is worth, 0 where it failed, and 1 for counting."""
    rows = zip(items.ids, items.texts, items.targets, strict=True)
    return each_counts([worth(*row) for row in rows])


def _checked(
    name: str, worth: Worth, item: str, answer: str | None, accepted: tuple[str, ...]
) -> float:
    """Return what an answer is worth.

    Raises:
        UserError: the function failed, or returned something else than a number from 0 to 1.
    """
    if answer is None:
        return 0.0
    on = f"the item '{item}', answer {shown_safely(answer)}"
    with guarded(f"metric '{name}' failed on {on}", UserError):
        value = worth(answer, accepted)
        if isinstance(value, Real) and 0 <= value <= 1:
            return float(value)
    raise UserError(
        f"metric '{name}' returned {shown_safely(value)} for {on} → return a number from 0 to 1"
    )
