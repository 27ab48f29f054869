"""Parameters that name strategies: what a combination builds, and with which model.

Knows nothing of what is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict

from harness.strategy import Params, Part


class Use(Params):
    """A strategy with parameters of its own, which stand beside `use`."""

    model_config = ConfigDict(extra="allow")

    use: str
    model: str | dict[str, Any] | None = None
    """Its own model, written as the task's is; None: the arm's."""


PartParams = str | Use
"""Type of a parameter that names a strategy: by its name alone, or with parameters and a model."""


def part_of(named: PartParams, serves: bool = True, refits: bool = False) -> Part:
    """Return the part that a parameter names.

    Args:
        named: the parameter's value.
        serves: whether it is asked while the arm serves.
        refits: see `Part.refits`.
    """
    if isinstance(named, str):
        return Part(named, {}, None, serves, refits)
    return Part(named.use, named.model_extra or {}, named.model, serves, refits)


def in_words(part: Part) -> str:
    """Return a part as an error names it: its strategy, and whose model if it has its own."""
    if part.model is None:
        return part.strategy
    name: Mapping[str, Any] | str = part.model
    return f"{part.strategy} with {name if isinstance(name, str) else name.get('model')}"
