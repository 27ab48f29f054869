"""Which values of a parameter are worth trying: `search`, in a field of `Params`.

    learning_rate: float = Field(1e-3, json_schema_extra=search(log(1e-4, 5e-3)))
    shots: int = Field(8, json_schema_extra=search([4, 8, 16]))

The default is always tried first. Knows nothing of how values are proposed and compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

KEY = "search"
"""Under which a field's `json_schema_extra` holds its space."""


@dataclass(frozen=True)
class Log:
    """All numbers between two, alike for each factor: of rates and strengths."""

    low: float
    high: float


def log(low: float, high: float) -> Log:
    """Return the numbers from `low` to `high`, drawn evenly in their logarithm.

    Raises:
        ValueError: they do not span anything.
    """
    if not 0 < low <= high < math.inf:
        raise ValueError(f"log({low}, {high}): not 0 < low ≤ high → write e.g. log(1e-4, 1e-2)")
    return Log(low, high)


def search(space: Log | Sequence[Any]) -> dict[str, Any]:
    """Return what a field declares its space by (`Field(…, json_schema_extra=search(…))`).

    Args:
        space: `log(low, high)`, or a list of values, the field's default among them. With one value
            there is nothing to try.

    Raises:
        ValueError: it is empty, names a value twice, or cannot be written as JSON.
    """
    if isinstance(space, Log):
        return {KEY: {"log": [space.low, space.high]}}
    values = list(space)
    try:
        written = [_written(value) for value in values]
    except (TypeError, ValueError):
        raise ValueError(f"search({values}): → values that can be written as JSON") from None
    if not values or len(set(written)) < len(written):
        raise ValueError(f"search({values}): → at least one value, and each once")
    return {KEY: {"values": values}}


@dataclass(frozen=True)
class Dimension:
    """One parameter with what may be tried of it; the default is the first trial."""

    name: str
    default: Any
    values: tuple[Any, ...] = ()
    """In the order in which they were declared; empty where it is a range."""
    low: float = 0.0
    high: float = 0.0
    """Of a range, tried evenly in the logarithm."""
    whole: bool = False
    """The range is of whole numbers."""

    @property
    def others(self) -> tuple[Any, ...]:
        """The listed values besides the default."""
        return tuple(value for value in self.values if not same(value, self.default))


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are written the same in JSON: a list and a tuple are."""
    return _written(one) == _written(other)


def dimensions(params: type[BaseModel], fixed: Mapping[str, Any] | None = None) -> list[Dimension]:
    """Return the parameters that can be varied, in the order of their fields.

    Args:
        params: of a strategy.
        fixed: those that the task file gives: they stay as they are.

    Raises:
        ValueError: a space is none, or the default lies outside of it.
    """
    every = [_dimension(*declared) for declared in _declared(params)]
    return [each for each in every if each.name not in (fixed or {}) and _varies(each)]


def without(
    space: Sequence[Dimension], equivalents: Mapping[str, Sequence[Any]]
) -> tuple[Dimension, ...]:
    """Return what can be varied of a space, where some values come to the same as the defaults.

    Args:
        space: what may be tried.
        equivalents: name of a parameter to such values (`Strategy.equivalents`).
    """
    kept = []
    for one in space:
        equal = equivalents.get(one.name, ())
        values = [
            value
            for value in one.values
            if same(value, one.default) or not any(same(value, other) for other in equal)
        ]
        kept.append(replace(one, values=tuple(values)))
    return tuple(one for one in kept if _varies(one))


def _declared(params: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, Any]]:
    for name, field in params.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and KEY in extra:
            yield name, field, extra[KEY]


def _varies(dimension: Dimension) -> bool:
    return bool(dimension.others) or dimension.low < dimension.high


def _dimension(name: str, field: FieldInfo, space: Any) -> Dimension:
    """Read a field's space, and hold the default against it."""
    if field.is_required():
        raise ValueError(f"'{name}' has a search space and no default → give it one: trial 1")
    default = field.get_default(call_default_factory=True)
    if isinstance(space, dict) and isinstance(space.get("values"), list):
        values = tuple(space["values"])
        if not any(same(value, default) for value in values):
            raise ValueError(
                f"'{name}': its default {default!r} is none of the values to try, {list(values)}"
                " → add it to them: it is trial 1"
            )
        return Dimension(name, default, values)
    try:
        low, high = map(float, space["log"])
        inside = low <= default <= high
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f"'{name}': {space!r} is no search space → write it by search(…)"
        ) from None
    if not inside:
        raise ValueError(
            f"'{name}': its default {default!r} lies outside of its search space, {low:g} to"
            f" {high:g} → widen the space: the default is trial 1"
        )
    return Dimension(name, default, low=low, high=high, whole=type(default) is int)


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)
