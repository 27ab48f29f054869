"""What an answer of a task looks like: the labels of a choice, the schema of a JSON object.

Both stand in the task file or in a JSON file that it names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.errors import Fault
from harness.files.yaml_source import Source
from harness.metrics import schema_fault
from harness.task.schema import TaskFile


def read_labels(spec: TaskFile, source: Source, faults: list[Fault]) -> dict[str, str]:
    """Return the labels of a choice with what they mean; add what is wrong to `faults`."""
    where = source.where(["answer", "labels"])
    given: Any = spec.answer.labels
    if spec.answer.kind != "choice":
        if given is not None:
            faults.append(Fault(where, "only a choice has labels", "remove it, or kind: choice"))
        return {}
    if isinstance(given, str):
        given = _read_json(source.path.parent / given, where, "labels", faults)
        if not isinstance(given, list | dict):
            return {}
    pairs = list(given.items()) if isinstance(given, dict) else [(item, "") for item in given or ()]
    labels: dict[str, str] = {}
    for label, text in pairs:
        if not isinstance(label, str):
            faults.append(Fault(where, f"labels must be texts, not {label!r}", 'quote them: "1"'))
        elif not label or label != label.strip():
            faults.append(Fault(where, f"{label!r} is empty or has spaces around it"))
        elif label in labels:
            faults.append(Fault(where, f"the label '{label}' stands twice", "remove one"))
        else:
            labels[label] = str(text or "")
    if len(pairs) < 2:
        faults.append(Fault(where, "a choice needs at least two different labels"))
    return labels


def read_schema(spec: TaskFile, source: Source, faults: list[Fault]) -> dict[str, Any] | None:
    """Return the JSON schema of an answer, None where answers are none; add faults to `faults`.

    Its keys are sorted, since those of the targets are: a model is shown and taught one order.
    """
    where = source.where(["answer", "schema"])
    given: Any = spec.answer.json_schema
    if spec.answer.kind != "json":
        if given is not None:
            faults.append(Fault(where, "only JSON answers have a schema", "remove it"))
        return None
    if given is None:
        fix = "write one, or name a JSON file of it"
        faults.append(Fault(where, "JSON answers need a schema", fix))
        return None
    if isinstance(given, str):
        given = _read_json(source.path.parent / given, where, "schema", faults)
    if not isinstance(given, dict):
        return None
    try:
        schema: dict[str, Any] = json.loads(json.dumps(given, sort_keys=True))
    except TypeError as problem:  # a date, which YAML has and JSON has not
        faults.append(Fault(where, f"is not JSON: {problem}", "quote it"))
        return None
    if wrong := schema_fault(schema):
        faults.append(Fault(where, f"is not a JSON schema (draft 2020-12): {wrong}"))
        return None
    return schema


def _read_json(file: Path, where: str, what: str, faults: list[Fault]) -> Any:
    try:
        given = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        wrong = f"{str(file)!a} cannot be read as JSON: {problem}"
        faults.append(Fault(where, wrong, f"name a JSON file of the {what}"))
        return None
    if isinstance(given, dict) or (what == "labels" and isinstance(given, list)):
        return given
    kinds = "neither a JSON list nor an object" if what == "labels" else "no JSON object"
    faults.append(Fault(where, f"{file} holds {kinds}"))
    return None
