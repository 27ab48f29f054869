"""Pydantic's errors in the project's words: what is wrong with a value, and what to write instead.

Knows the kinds of errors, not the keys: whoever knows what a key is for has a better remedy. A kind
that is not here keeps pydantic's words (tests/task/test_wrong_values.py holds the list complete).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from harness.errors import nearest_name, shown
from harness.wording.sentences import counted

Error = Mapping[str, Any]
"""One of pydantic's errors: `type`, `loc`, `msg`, `input`, `ctx`."""
Words = Callable[[Mapping[str, Any], Any], str]
"""Makes words of an error's context and of the value."""


class WrongValue(NamedTuple):
    """What is wrong with a value, and what to write instead."""

    what: str
    fix: str


def wrong_value(error: Error, got: str | None = None) -> WrongValue:
    """Return one of pydantic's errors in the project's words.

    Args:
        error: which.
        got: the value as its file writes it; None: as JSON does; "": it is not repeated.
    """
    kind, value = error["type"], error.get("input")
    context = error.get("ctx") or {}
    given = shown(value) if got is None else got
    given = f" ({given})" if given and kind != "missing" else ""
    if kind in OWN_WORDS:
        return WrongValue(f"{context['error']}{given}", "")
    said = WHAT.get(kind)
    what = said(context, value) if said else str(error["msg"])
    remedy = FIX.get(kind)
    return WrongValue(f"{what}{given}", remedy(context, value) if remedy else "")


def each_once(errors: Iterable[Error]) -> Iterator[Error]:
    """Yield errors, those of a value that may be of several types as one.

    Pydantic has an error for each type that the value is not, with the type at the end of `loc`.
    """
    found = list(errors)
    while found:
        error = found.pop(0)
        types = [error, *_same_value(error, found)]
        if len(types) > 1:
            del found[: len(types) - 1]
            names = " or ".join(ANY_OF[str(one["loc"][-1])] for one in types)
            error = {**error, "type": "any_of", "loc": error["loc"][:-1], "ctx": {"types": names}}
        yield error


ANY_OF = {
    "constrained-str": "text",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}
"""What pydantic calls a type at the end of `loc`, and how it is called here."""


def _same_value(error: Error, others: list[Error]) -> Iterator[Error]:
    for other in others:
        places = error["loc"], other["loc"]
        if not all(loc and loc[-1] in ANY_OF for loc in places) or (
            places[0][:-1] != places[1][:-1] or other.get("input") is not error.get("input")
        ):
            return
        yield other


def number(value: float) -> str:
    """Return a number as a person would write it."""
    return str(int(value)) if value == int(value) else f"{value:g}"


def meant_number(text: str) -> float | None:
    """Return the number that a text means, its unit left out: 5 % is 0.05, 20k is 20000."""
    match = re.fullmatch(r"\$?\s*(-?\d[\d,_]*(?:\.\d+)?)\s*([^\d\s.]\S*)?", text.strip())
    if match is None:
        return None
    plain = float(re.sub("[,_]", "", match[1]))
    factor = {"%": 0.01, "k": 1e3, "K": 1e3, "M": 1e6}.get(match[2] or "", 1.0)
    return round(plain * factor, 12)


def _a_number(context: Mapping[str, Any], value: Any, e_g: str = "0.5") -> str:
    """Return the remedy for what is no number: the one that is meant, where that can be read."""
    meant = meant_number(value) if isinstance(value, str) else None
    if meant is None:
        return f"write a number, e.g. {e_g}, or leave the key out"
    share = ": 100% is 1" if "%" in value else ""
    unit = "" if share or not re.search(r"[A-Za-z]{2}", value) else ": the key names its unit"
    return f"write {number(meant)}{share or unit}"


def _whole(context: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, float):
        return f"write e.g. {max(1, round(value))}"
    meant = meant_number(value) if isinstance(value, str) else None
    if meant is not None and meant == int(meant):
        return f"write {number(meant)}"
    return "write a whole number, e.g. 1, or leave the key out"


def _below(bound: float, value: Any) -> str:
    """Return the remedy for a number that is too large; one of 100 is often a percentage."""
    if bound == 1 and isinstance(value, int | float) and 1 < value < 100:
        return f"write {value / 100:.6g}: it is a share, and 1 is all"
    return f"write less than {number(bound)}"


def _one_of(context: Mapping[str, Any], value: Any) -> str:
    names = re.findall(r"'([^']*)'", str(context["expected"]))
    near = nearest_name(value, names) if isinstance(value, str) else None
    return f"write {near}" if near else f"write {' or '.join(names)}"


def _a_list(context: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return f"write [{json.dumps(value, ensure_ascii=False)}]"
    return "write a list, e.g. [a, b]"


def _too_many(context: Mapping[str, Any], value: Any) -> str:
    n = len(value) if hasattr(value, "__len__") else context["max_length"] + 1
    most = context["max_length"]
    return f"has {counted(n, 'item')}, and {most:,} {'is' if most == 1 else 'are'} the most"


OWN_WORDS = ("value_error", "assertion_error")
"""Kinds whose words are a validator's own."""
WHAT: Mapping[str, Words] = {
    "any_of": lambda c, v: f"must be {c['types']}",
    "bool_parsing": lambda c, v: "must be true or false",
    "bool_type": lambda c, v: "must be true or false",
    "date_from_datetime_inexact": lambda c, v: "must be a day, without a time",
    "date_from_datetime_parsing": lambda c, v: "must be a day",
    "date_parsing": lambda c, v: "must be a day",
    "date_type": lambda c, v: "must be a day",
    "dict_type": lambda c, v: "must be a mapping of keys to values",
    "finite_number": lambda c, v: "must be a finite number",
    "float_parsing": lambda c, v: "must be a number",
    "float_type": lambda c, v: "must be a number",
    "greater_than": lambda c, v: f"must be more than {number(c['gt'])}",
    "greater_than_equal": lambda c, v: f"must be at least {number(c['ge'])}",
    "int_from_float": lambda c, v: "must be a whole number",
    "int_parsing": lambda c, v: "must be a whole number",
    "int_parsing_size": lambda c, v: "must be a whole number of fewer digits",
    "int_type": lambda c, v: "must be a whole number",
    "less_than": lambda c, v: f"must be less than {number(c['lt'])}",
    "less_than_equal": lambda c, v: f"must be at most {number(c['le'])}",
    "list_type": lambda c, v: "must be a list",
    "literal_error": lambda c, v: f"must be {c['expected']}",
    "model_type": lambda c, v: "must be a mapping of keys to values",
    "missing": lambda c, v: "is missing",
    "string_pattern_mismatch": lambda c, v: (
        "is blank" if c["pattern"] == r"\S" else f"must match {c['pattern']}"
    ),
    "string_too_long": lambda c, v: (
        f"has {counted(len(v), 'character')}, and {c['max_length']:,} are the most"
    ),
    "string_too_short": lambda c, v: (
        "is empty" if not v else f"must have {counted(c['min_length'], 'character')} or more"
    ),
    "string_type": lambda c, v: "must be text",
    "too_long": _too_many,
    "too_short": lambda c, v: (
        "has no items" if not v else f"must have {counted(c['min_length'], 'item')} or more"
    ),
    "tuple_type": lambda c, v: "must be a list",
}
"""What is wrong, by the kind of error."""
FIX: Mapping[str, Words] = {
    "any_of": lambda c, v: f"write {c['types']}",
    "bool_parsing": lambda c, v: "write true or false",
    "bool_type": lambda c, v: "write true or false",
    "date_from_datetime_inexact": lambda c, v: f"write e.g. {str(v)[:10]}",
    "date_from_datetime_parsing": lambda c, v: "write year, month and day, e.g. 2026-01-31",
    "date_parsing": lambda c, v: "write year, month and day, e.g. 2026-01-31",
    "date_type": lambda c, v: "write year, month and day, e.g. 2026-01-31",
    "dict_type": lambda c, v: "write e.g. {key: value}",
    "finite_number": lambda c, v: "write a number, or leave the key out",
    "float_parsing": _a_number,
    "float_type": _a_number,
    "greater_than": lambda c, v: f"write more than {number(c['gt'])}",
    "greater_than_equal": lambda c, v: f"write {number(c['ge'])} or more",
    "int_from_float": _whole,
    "int_parsing": _whole,
    "int_parsing_size": lambda c, v: "write fewer digits",
    "int_type": _whole,
    "less_than": lambda c, v: _below(c["lt"], v),
    "less_than_equal": lambda c, v: f"write {number(c['le'])} or less",
    "list_type": _a_list,
    "literal_error": _one_of,
    "model_type": lambda c, v: "write e.g. {key: value}",
    "missing": lambda c, v: "add it",
    "string_pattern_mismatch": lambda c, v: "write a text" if c["pattern"] == r"\S" else "",
    "string_too_long": lambda c, v: f"write {c['max_length']:,} characters or fewer",
    "string_too_short": lambda c, v: "write a text, or leave the key out",
    "string_type": lambda c, v: "write one text",
    "too_long": lambda c, v: f"write {c['max_length']:,} or fewer",
    "too_short": lambda c, v: "write at least one, or leave the key out",
    "tuple_type": _a_list,
}
"""What to write instead, by the kind of error, where a key has no remedy of its own."""
