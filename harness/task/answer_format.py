"""What an answer of a task looks like: the labels of a choice, the schema of a JSON object.

Both stand in the task file or in a JSON file that it names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from harness.errors import Fault, shown
from harness.files.json_text import parsed
from harness.files.yaml_source import Source, quote_it
from harness.metrics import schema_fault
from harness.task.schema import TaskFile
from harness.wording.values import nfc, value_text


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
    for written, text in pairs:
        label = nfc(written) if isinstance(written, str) else None
        if label is None:
            faults.append(_no_text(where, written))
        elif not label.strip() or label != label.strip():
            what = f"{json.dumps(label, ensure_ascii=False)} is empty or has spaces around it"
            faults.append(Fault(where, what, "remove the spaces" if label.strip() else "remove it"))
        elif label in labels:
            faults.append(Fault(where, f"the label '{label}' stands twice", "remove one"))
        else:
            labels[label] = "" if text is None else value_text(text)
    if len(pairs) < 2:
        what = "a choice needs at least two different labels"
        faults.append(Fault(where, what, "add the other labels that an answer can be"))
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
    except TypeError:  # a date, which YAML has and JSON has not
        faults.extend(_dates(given, ["answer", "schema"], source))
        return None
    if wrong := schema_fault(schema):
        faults.append(Fault(where, f"is not a JSON schema (draft 2020-12): {wrong}"))
        return None
    return schema


def _no_text(where: str, label: Any) -> Fault:
    """Return the fault of a label in a JSON file that is a number, true or null."""
    if isinstance(label, list | dict):
        return Fault(where, f"labels must be texts, not {shown(label)}", "write a text")
    written = value_text(label)
    return Fault(where, f"labels must be texts, not {written}", quote_it(written))


def _dates(value: Any, keys: list[str | int], source: Source) -> Iterator[Fault]:
    """Yield a fault for each value of a schema that YAML has and JSON has not."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _dates(part, [*keys, key], source)
    elif isinstance(value, date):
        what = "YAML reads this as a date, and JSON has none: it is not JSON"
        yield Fault(source.where(keys), what, quote_it(source.written(keys) or str(value)))


def _read_json(file: Path, where: str, what: str, faults: list[Fault]) -> Any:
    try:
        given = parsed(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as problem:
        wrong = f"{str(file)!a} cannot be read as JSON: {problem}"
        faults.append(Fault(where, wrong, f"name a JSON file of the {what}"))
        return None
    if isinstance(given, dict) or (what == "labels" and isinstance(given, list)):
        return given
    kinds = "neither a JSON list nor an object" if what == "labels" else "no JSON object"
    wanted = 'list of texts, e.g. ["a", "b"]' if what == "labels" else "schema"
    faults.append(Fault(where, f"{file} holds {kinds}", f"write a JSON {wanted}"))
    return None
