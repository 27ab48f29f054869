"""Finds strategies by name: built-in and third-party ones enter through the same door.

The door is the entry-point group `harness.strategies`; `path/to/file.py:Class` and
`package.module:Class` serve one-off work.
Nothing in `harness` imports the package `strategies`.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from importlib import metadata
from pathlib import Path

from harness.errors import StrategyError, UnknownNameError
from harness.files.guarded import guarded
from harness.files.python_file import from_file
from harness.strategy import Strategy

GROUP = "harness.strategies"


def names() -> list[str]:
    """Return the names of all installed strategies, sorted."""
    return sorted({point.name for point in metadata.entry_points(group=GROUP)})


def find(reference: str, base: Path | None = None) -> type[Strategy]:
    """Return the strategy class that `reference` names.

    Args:
        reference: an installed name, `path/to/file.py:Class` or `package.module:Class`.
        base: folder that a relative file path starts from; the working directory if None.

    Raises:
        UnknownNameError: no strategy of that name is installed, or the file or class is missing.
        StrategyError: what was found is not a Strategy, or its module cannot be imported.
    """
    if ".py:" in reference:
        found = _from_file(reference, base)
    elif ":" in reference:
        found = _from_module(reference)
    else:
        found = _from_entry_point(reference)
    if not (inspect.isclass(found) and issubclass(found, Strategy)) or inspect.isabstract(found):
        raise StrategyError(f"'{reference}' is not a strategy: a subclass with its own `predict`")
    return found


def reference_to(strategy: type[Strategy]) -> str:
    """Return a reference by which a fresh process finds this class."""
    module = sys.modules[strategy.__module__]
    if module.__package__:
        return f"{strategy.__module__}:{strategy.__qualname__}"
    return f"{Path(inspect.getfile(strategy)).resolve()}:{strategy.__qualname__}"


def _from_entry_point(name: str) -> object:
    points = [point for point in metadata.entry_points(group=GROUP) if point.name == name]
    if not points:
        raise UnknownNameError("strategy", name, names(), "see `python -m harness list strategies`")
    if len({point.value for point in points}) > 1:
        owners = ", ".join(sorted(point.value for point in points))
        raise StrategyError(f"two packages offer a strategy called '{name}': {owners}")
    with guarded(f"the strategy '{name}' cannot be imported from {points[0].value}"):
        return points[0].load()


def _from_module(reference: str) -> object:
    module_name, class_name = reference.rsplit(":", 1)
    with guarded(f"'{reference}' cannot be imported"):
        return getattr(importlib.import_module(module_name), class_name)


def _from_file(reference: str, base: Path | None) -> object:
    try:
        return from_file(reference, base, "strategy", inspect.isclass)
    except ImportError as problem:
        raise StrategyError(str(problem)) from problem
