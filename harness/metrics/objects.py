"""JSON objects as answers: read from text, written in one way, held against a schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

from harness.files.cpu_limit import OverdueError, cpu_limit
from harness.metrics.reading import without_thoughts

MOST_LEVELS = 100
"""Objects and lists inside each other that still make an answer; Python's stack ends near 1,000."""
PATTERNS_S = 2.0
"""Seconds of the CPU's time for an answer's texts: one repetition inside another takes for ever."""
LEAST_S = 0.02
"""What every answer gets: each that takes too long halves what the next ones get, so that many of
them take hardly longer than two. A pattern without such repetitions takes microseconds."""


def read_object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text holds; None where it holds none, or several.

    Thoughts before it, a fence around it and words beside it are taken off. Numbers that JSON does
    not have (NaN, Infinity) make it none, and so does a depth of more than `MOST_LEVELS`.
    """
    text = without_thoughts(text)
    begin, end = text.find("{"), text.rfind("}")
    try:
        # From the first brace to the last: two objects beside each other are no JSON then.
        value = json.loads(text[begin : end + 1], parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    if "[" in text[:begin] and "]" in text[end:]:
        return None  # a list of objects is not one
    return value if isinstance(value, dict) and _levels(value) <= MOST_LEVELS else None


def written(value: Any) -> str:
    """Return a JSON value as text, the same for equal values: keys sorted, 2.0 as 2."""
    return json.dumps(_with_whole_numbers(value), sort_keys=True, ensure_ascii=False)


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """Say what is wrong with a JSON schema (draft 2020-12); None if nothing is."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as problem:
        return f"at {problem.json_path}: {problem.message}"
    except RecursionError:
        return "it is nested too deeply"
    return None


def complaint_under(schema: Mapping[str, Any]) -> Callable[[Any], str | None]:
    """Return a function that says what is wrong with a value under `schema`; None if nothing is.

    References to other files are not followed: they are a complaint.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    # Without a registry of its own the library would fetch remote references.
    validator = Draft202012Validator(dict(schema), registry=Registry())

    has_patterns = '"pattern' in json.dumps(schema)
    allowed_s = PATTERNS_S

    def complaint(value: Any) -> str | None:
        nonlocal allowed_s
        try:
            with cpu_limit(allowed_s) if has_patterns else nullcontext():
                worst = best_match(validator.iter_errors(value))
        except OverdueError:
            took_s, allowed_s = allowed_s, max(allowed_s / 2, LEAST_S)
            return f"a `pattern` of the schema takes more than {took_s:g} s on it"
        except re.error as problem:
            return f"a `pattern` of the schema cannot be read: {problem}"
        except Unresolvable as problem:
            return f"the schema refers to '{problem.ref}', which is not in it"
        except RecursionError:
            return "it is nested too deeply, or the schema refers to itself for ever"
        return None if worst is None else f"at {worst.json_path}: {worst.message}"

    return complaint


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _levels(value: Any) -> int:
    levels, layer = 0, [value]
    while layer := [part for part in layer if isinstance(part, dict | list)]:
        levels += 1
        layer = [p for one in layer for p in (one.values() if isinstance(one, dict) else one)]
    return levels


def _with_whole_numbers(value: Any) -> Any:
    """Return the value with whole floats as integers: JSON Schema holds 2.0 and 2 for equal."""
    if isinstance(value, dict):
        return {key: _with_whole_numbers(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
