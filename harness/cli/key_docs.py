"""The texts that stand below the fields of a model in its source: what each key means.

Pydantic can read them itself (`use_attribute_docstrings`), but does so whenever a class is made: it
took 0.2 s more of each start, of commands and workers alike. Here they are read when asked for.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, get_args

from pydantic import BaseModel


def docs_of(model: type[BaseModel]) -> dict[str, str]:
    """Return the text of each field that has one, by the field's name; parts of bases count."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, BaseModel) and base is not BaseModel:
            found |= _classes_of(base.__module__).get(base.__qualname__, {})
    return {name: found[name] for name in model.model_fields if name in found}


def models_in(model: type[BaseModel]) -> list[type[BaseModel]]:
    """Return a model and all that its fields are made of, each once, in reading order."""
    found: dict[type[BaseModel], None] = {}
    waiting = [model]
    while waiting:
        one = waiting.pop(0)
        if one not in found:
            found[one] = None
            inside = [m for field in one.model_fields.values() for m in _models(field.annotation)]
            waiting = [*inside, *waiting]
    return list(found)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


@cache
def _classes_of(module: str) -> Mapping[str, Mapping[str, str]]:
    """Return the texts of all classes of a module; none where its source cannot be read."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError, KeyError, SyntaxError):
        return {}
    return dict(_classes(tree.body, ""))


def _classes(body: list[ast.stmt], above: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            name = f"{above}{node.name}"
            yield name, dict(_fields(node.body))
            yield from _classes(node.body, f"{name}.")
        elif isinstance(node, ast.FunctionDef):
            yield from _classes(node.body, f"{above}{node.name}.<locals>.")


def _fields(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, after in pairwise(body):
        if not isinstance(field, ast.AnnAssign) or not isinstance(field.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            text = after.value.value
            if isinstance(text, str):
                yield field.target.id, " ".join(text.split())
