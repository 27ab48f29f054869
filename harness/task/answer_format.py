"""What an answer of a task looks like: the labels of a choice, the schema of a JSON object.

Both stand in the task file or in a JSON file that it names. Labels are texts: `01`, `1.10`, `1e5`
and `true` are what the file writes, as in rows.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from harness.errors import Fault, shown
from harness.files.bounded import MIB, RefusedFileError, read_bounded
from harness.files.json_text import parsed
from harness.files.yaml_source import Source, quote_it
from harness.metrics import schema_fault
from harness.task.rows import Row, as_text
from harness.task.schema import Data, TaskFile
from harness.wording.values import nfc, value_text

LABELS = ("answer", "labels")
"""The keys that lead to a task file's labels and their descriptions: texts as they are written."""
MOST_BYTES = 16 * MIB
"""Of a file of labels or of a schema."""
MOST_LABELS = 10_000
"""Every label is scored for every row; a choice with more is a search."""


def read_labels(spec: TaskFile, source: Source, faults: list[Fault]) -> dict[str, str]:
    """Return the labels of a choice with what they mean; add what is wrong to `faults`."""
    where = source.where(LABELS)
    given: Any = spec.answer.labels
    if spec.answer.kind != "choice":
        if given is not None:
            faults.append(Fault(where, "only a choice has labels", "remove it, or kind: choice"))
        return {}
    if given is None:  # they are found in the rows: `labels_of`
        return {}
    if isinstance(given, str):
        given = _read_json(given, source.path.parent, where, faults, "labels")
        if not isinstance(given, list | dict):
            return {}
    if len(given or ()) > MOST_LABELS:
        what = f"{len(given):,} labels are more than a choice can have ({MOST_LABELS:,})"
        faults.append(Fault(where, what, "leave out rare ones, or put them together"))
        return {}
    return _labels(given, where, faults)


def labels_of(
    rows: Sequence[Row], data: Data, source: Source, faults: list[Fault]
) -> tuple[dict[str, str], list[str]]:
    """Return the labels that stand in training rows, where the task lists none, and what is said.

    They are in the order of the alphabet. A label of other splits alone is a fault of its rows: to
    take it from there would tell arms of the test rows.
    """
    written: Counter[str | None] = Counter()
    for row in rows:
        value = row.values.get(data.target)
        for one in value if isinstance(value, list) else (value,):
            written[as_text(one)] += 1
    counts: Counter[str] = Counter()
    for text, n in written.items():  # a few texts, of however many rows
        if text and (label := nfc(text).strip()):
            counts[label] += n
    where = source.where(LABELS)
    if not counts:
        what = "a choice needs labels: none are listed, and no training row has one"
        faults.append(Fault(where, what, "list them, e.g. labels: [a, b]"))
    elif len(counts) == 1:
        what = f"a choice needs two different labels, and all rows have '{next(iter(counts))}'"
        faults.append(Fault(where, what, "add rows of others, or list them, e.g. labels: [a, b]"))
    elif len(counts) > MOST_LABELS:
        what = (
            f"{len(counts):,} labels in the rows are more than a choice can have ({MOST_LABELS:,})"
        )
        faults.append(Fault(where, what, "write `kind: text` where answers are free texts"))
        return {}, []
    shown = [f"{label} ({n:,})" for label, n in counts.most_common(SHOWN_LABELS)]
    more = f" and {len(counts) - SHOWN_LABELS:,} more" if len(counts) > SHOWN_LABELS else ""
    said = (
        f"answer.labels: none are listed; {len(counts):,} are found in the training rows:"
        f" {', '.join(shown)}{more}"
    )
    return dict.fromkeys(sorted(counts), ""), [said] if counts else []


SHOWN_LABELS = 10
"""Labels that are named with their counts, the most frequent ones first."""


def _labels(given: Any, where: str, faults: list[Fault]) -> dict[str, str]:
    pairs = list(given.items()) if isinstance(given, dict) else [(item, "") for item in given or ()]
    labels: dict[str, str] = {}
    for written, text in pairs:
        text_of_it = as_text(written)
        label = None if text_of_it is None else nfc(text_of_it)
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
        given = _read_json(given, source.path.parent, where, faults, "schema")
    schema = _sorted(given, where, source, faults) if isinstance(given, dict) else None
    if schema is None:
        return None
    if wrong := schema_fault(schema):
        faults.append(Fault(where, f"is not a JSON schema (draft 2020-12): {wrong}"))
        return None
    return schema


def _sorted(
    given: dict[str, Any], where: str, source: Source, faults: list[Fault]
) -> dict[str, Any] | None:
    """Return a schema with sorted keys; None where it is no JSON."""
    try:
        schema: dict[str, Any] = json.loads(json.dumps(given, sort_keys=True))
    except RecursionError:
        faults.append(Fault(where, "is nested too deeply", "write it with fewer levels"))
        return None
    except TypeError:  # a date, which YAML has and JSON has not
        faults.extend(_dates(given, ["answer", "schema"], source))
        return None
    return schema


def _no_text(where: str, label: Any) -> Fault:
    """Return the fault of a label in a JSON file that is null, NaN, a list or an object."""
    fix = "write a text" if isinstance(label, list | dict) else quote_it(value_text(label))
    return Fault(where, f"labels must be texts, not {shown(label)}", fix)


def _dates(value: Any, keys: list[str | int], source: Source) -> Iterator[Fault]:
    """Yield a fault for each value of a schema that YAML has and JSON has not."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _dates(part, [*keys, key], source)
    elif isinstance(value, date):
        what = "YAML reads this as a date, and JSON has none: it is not JSON"
        yield Fault(source.where(keys), what, quote_it(source.written(keys) or str(value)))


def _read_json(name: str, folder: Path, where: str, faults: list[Fault], what: str) -> Any:
    file = folder / name
    try:
        given = parsed(read_bounded(file, MOST_BYTES, within=folder).decode("utf-8-sig"))
    except RefusedFileError as problem:
        wrong = f"{str(file)!a} cannot be read: {problem.strerror}"
        faults.append(Fault(where, wrong, problem.fix))
        return None
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
