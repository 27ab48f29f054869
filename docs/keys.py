"""The keys of a pydantic model as a table: name, type, default, and what the code says of it.

Knows models alone; what a page is made of stands in reference_pages.py.
"""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.cli.key_docs import docs_of

NAMES: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything",
    type(None): "null",
}  # fmt: skip
BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}
HEAD = "| key | type | default | what it is |\n|---|---|---|---|\n"


def table(model: type[BaseModel], more: Callable[[str], str] | None = None) -> str:
    """Return a model's keys as a Markdown table.

    Args:
        model: whose keys.
        more: says further of a field by its name; "" where there is nothing.
    """
    said = docs_of(model)
    rows: list[str] = []
    for name, field in model.model_fields.items():
        text = field.description or said.get(name, "")
        text = " ".join(f"{text} {more(name) if more else ''}".split())
        alias = field.alias if isinstance(field.alias, str) else name
        cells = (f"`{alias}`", type_text(field), _default(field), text)
        rows.append("| " + " | ".join(map(_cell, cells)) + " |\n")
    return HEAD + "".join(rows) if rows else "It has no keys.\n"


def type_text(field: FieldInfo) -> str:
    """Return a field's type in words, with its bounds and links to models of the same page."""
    bounds = [
        f"{word} {value}"
        for part in field.metadata
        for key, word in BOUNDS.items()
        if (value := getattr(part, key, None)) is not None
    ]
    return ", ".join([_type(field.annotation), *bounds])


def doc_of(thing: Any) -> str:
    """Return a docstring as one paragraph a paragraph."""
    text = inspect.cleandoc(thing.__doc__ or "")
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def anchor(model: type[BaseModel]) -> str:
    """Return the anchor of a model's heading."""
    return model.__name__.lower()


def _type(kind: Any) -> str:
    """Return a type in words."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        words = (_type(one) for one in arguments if one is not type(None))
        return " or ".join(dict.fromkeys(words))
    if origin is not None:
        return _container(origin, [_type(one) for one in arguments if one is not Ellipsis])
    if inspect.isclass(kind) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{anchor(kind)})"
    return NAMES.get(kind, getattr(kind, "__name__", str(kind)))


def _container(origin: Any, inside: list[str]) -> str:
    """Return a list or a mapping in words."""
    if origin not in (tuple, list) and len(inside) == 2:
        return f"{inside[0]} to {inside[1]}"
    return f"list of {', '.join(dict.fromkeys(inside)) or 'anything'}"


def _default(field: FieldInfo) -> str:
    """Return what a key is where it is not given."""
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "–"
    if isinstance(value, BaseModel):
        return "as it stands there"
    text = json.dumps(value, ensure_ascii=False, default=list)
    return f"`{text}`" if text != '""' else "empty"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
