"""JSON schemas of the files that people and programs read and write, for editors and checkers.

They say what keys there are, of what kind, and what they mean. What one key says against another,
and whether files exist, `harness check` finds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from harness.cli.key_docs import docs_of, models_in

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
SCALAR = ["string", "number", "boolean", "null"]
"""What YAML may take a label for: a task file's labels and values of splits are what it writes."""


def schema_text(kind: str) -> str:
    """Return the schema of a kind of file ("task", "prices" or "comparison") as JSON."""
    return json.dumps(KINDS[kind](), indent=1, ensure_ascii=False) + "\n"


def _task() -> Schema:
    """Return the schema of a task file as people write it: strategies by name, or with `use`."""
    from harness.task.schema import TaskFile

    schema = _described(TaskFile, "validation", "A task of `harness`: task.yaml")
    parts, keys = schema["$defs"], schema["properties"]
    arm = parts["Arm"]
    parameters = arm["properties"].pop("params")["description"]
    arm["required"] = ["use"]
    arm["additionalProperties"] = {"description": parameters}
    name = {"type": "string", "description": "A strategy with its defaults."}
    keys["strategies"]["items"] = {"anyOf": [name, {"$ref": "#/$defs/Arm"}]}
    keys["facts"] = {**keys["diagnostics"], "description": "The older name of `diagnostics`."}
    labels = parts["Answer"]["properties"]["labels"]
    labels["oneOf"][0]["items"] = {"type": SCALAR}
    for value in parts["SplitValues"]["properties"].values():
        value["anyOf"] = [{"type": SCALAR}, {"type": "array", "items": {"type": SCALAR}}]
    return schema


def _prices() -> Schema:
    from harness.prices import Prices

    return _described(Prices, "validation", "Prices of machines and hosted models for `harness`")


def _comparison() -> Schema:
    from harness.analysis import Comparison

    return _described(Comparison, "serialization", "comparison.json of a run of `harness`")


KINDS: dict[str, Callable[[], Schema]] = {
    "task": _task,
    "prices": _prices,
    "comparison": _comparison,
}


def _described(model: type[BaseModel], mode: Any, title: str) -> Schema:
    """Return a model's schema with what stands below each field in the source."""
    schema = model.model_json_schema(mode=mode, by_alias=True)
    parts = {**schema.get("$defs", {}), model.__name__: schema}
    for one in models_in(model):
        part, docs = parts[one.__name__], docs_of(one)
        if one.__doc__:
            part["description"] = " ".join(one.__doc__.split())
        for name, field in one.model_fields.items():
            key = next(key for key in (field.alias, name) if key in part["properties"])
            if name in docs:
                part["properties"][key]["description"] = docs[name]
    without_titles = _untitled(schema)
    return {"$schema": DIALECT, "title": title, **without_titles}


def _untitled(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of names: they say nothing more."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _untitled(one) for name, one in value.items()}
        if key in ("properties", "$defs")
        else _untitled(value)
        for key, value in schema.items()
        if key != "title" or not isinstance(value, str)
    }
