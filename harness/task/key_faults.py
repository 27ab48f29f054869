"""What is said of a key of the task file that is wrong, missing or unknown, and its remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from harness.errors import Fault, nearest_name, shown, unknown_name
from harness.files.yaml_source import Source, quote_it
from harness.task.curve_keys import WRITE_SIZES
from harness.task.effort import WRITE_EFFORT
from harness.task.model_spec import UNSHOWN
from harness.task.schema import TaskFile
from harness.wording.wrong_value import each_once, number, wrong_value


def keys_of(error: Any) -> list[Any]:
    """Return the keys that lead to what is wrong, without pydantic's names of shapes."""
    shapes = ("list[", "dict[", "str[", "[key]")
    return [key for key in error["loc"] if not str(key).startswith(shapes)]


def _points(value: Any) -> str:
    """Return the remedy for a margin that is none: points are hundredths."""
    if not isinstance(value, int | float) or not 1 <= value < 100:
        return "write a gap of 0 or more and below 1, e.g. 0.05 (0.05 is five points)"
    n = WORDS.get(value, number(value))
    return f"write {value / 100:.6g} ({value / 100:.6g} is {n} point{'s' * (value != 1)})"


WORDS: Mapping[float, str] = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 10: "ten"}
A_STRATEGY = "write strategies by name, e.g. [majority]; see `python -m harness list strategies`"
A_METRIC = "write a metric's name, e.g. accuracy; see `python -m harness list metrics`"
SOME_METRICS = "write names of metrics, e.g. [accuracy]; see `python -m harness list metrics`"
A_MODEL = "write its name, or {provider: openai, base_url: ADDRESS, model: NAME}"
ROWS = "write e.g. data: {all: rows.jsonl, input: text, target: label}"
A_FILE = "write the path of a file of rows, e.g. rows.jsonl"
REQUESTS = (
    "write how many you expect, or leave `traffic` out: serving 1,000 requests is compared then"
)
LICENCES = "write one licence or a list, e.g. [apache-2.0, mit]"
FIXES: Mapping[str, str | Callable[[Any], str]] = {
    "instruction": "write what is asked, e.g. instruction: Which team must handle this message?",
    "answer": "write e.g. answer: {kind: text}",
    "answer.schema": "write a JSON schema, or the path of a file of one, e.g. schema: schema.json",
    "answer.labels": "write e.g. labels: [yes, no], or leave `labels` out",
    "data": ROWS,
    "data.corpus": "write the path of a folder or a file of documents, e.g. corpus: handbook/",
    "data.read.encoding": "write e.g. utf-8, utf-16, windows-1252 or gb18030",
    "data.train": A_FILE,
    "data.validation": A_FILE,
    "data.test": A_FILE,
    "data.all": A_FILE,
    "margin": _points,
    "traffic.requests_per_month": REQUESTS,
    "needs.licence": LICENCES,
    "metric": A_METRIC,
    "also": SOME_METRICS,
    "model": A_MODEL,
    "strategies.model": A_MODEL,
    "system": "write the text of one system turn, or leave `system` out",
    "curve": "write e.g. curve: {sizes: [25, 50, 100, all], repeats: 3}",
    "curve.sizes": WRITE_SIZES,
    "noise": "write a share between 0 and 1, e.g. noise: 0.1",
    "augment": "write e.g. augment: {factor: 2, kinds: [typo]}",
    "effort": WRITE_EFFORT,
    "effort.trials": WRITE_EFFORT,
    "effort.minutes": WRITE_EFFORT,
    "effort.usd": WRITE_EFFORT,
    "chat_template_kwargs": "write what the template takes, e.g. {enable_thinking: true}",
    "seeds": "write a list of whole numbers, e.g. [0, 1, 2]",
    "strategies": A_STRATEGY,
    "strategies.use": A_STRATEGY,
}
"""What to write instead, where a key's own message does not say it. Places in lists are left out
of the keys."""
ADD = {
    "name": "name: my_task",
    "instruction": "instruction: Which team must handle this message?",
    "answer": "answer: {kind: text}",
    "answer.kind": "kind: choice",
    "data": "data: {all: rows.jsonl, input: text, target: label}",
    "metric": "metric: accuracy",
    "strategies": "strategies: [majority]",
    "strategies.use": "use: majority",
    "traffic.requests_per_month": "requests_per_month: 20000",
    "curve.sizes": "sizes: [25, 50, all]",
    "provider": "provider: openai",
    "base_url": "base_url: https://api.openai.com/v1",
    "model": "model: NAME",
    "hub": "hub: OWNER/NAME",
    "file": "file: documents.jsonl",
}
"""An example of each key that may be missing: by its whole name, or by its last part."""
UNQUOTED = ("string_type", "invalid-json-value")
"""Types of faults of a scalar that YAML takes for something else than text."""
NAMES_OF = ("metric", "also", "needs.licence", "strategies.use")
"""Keys that name what there is: a number in quotes is none of it."""
NAMES = ("name", "strategies.name")
"""Keys whose texts follow `NAME_PATTERN`."""


def key_faults(source: Source, errors: Iterable[Any]) -> Iterator[Fault]:
    """Yield pydantic's errors as faults of keys, in the order in which the file has them."""
    found = sorted(each_once(errors), key=lambda error: source.position(keys_of(error)))
    return (_key_fault(source, error) for error in found)


def _key_fault(source: Source, error: Any) -> Fault:
    keys = keys_of(error)
    where = source.where(keys)
    key = ".".join(str(key) for key in keys if not isinstance(key, int))
    if error["type"] == "extra_forbidden":
        known = known_keys(keys)
        near = nearest_name(str(keys[-1]), known)
        fix = f"rename it to '{near}'" if near else "remove it"
        return Fault(where, unknown_name("key", str(keys[-1]), known), fix)
    if error["type"] == "missing":
        example = ADD.get(key) or ADD.get(str(keys[-1]))
        return Fault(where, "this key is missing", f"add e.g. {example}" if example else "add it")
    if error["type"] == "invalid-json-value":
        error = {**error, "msg": "must be a value of JSON"}
    if error["type"] == UNSHOWN:
        what, _, fix = error["msg"].partition(" → ")
        return Fault(where, what, fix)
    written = source.written(keys)
    got = shown(error.get("input")) if written is None else written or "nothing"
    what, fix = wrong_value(error, got)
    if key in NAMES and error["type"] in ("string_type", "string_pattern_mismatch"):
        what = f"must be of small letters, digits, _ . @ and - alone ({got})"
        return Fault(where, what, f"write e.g. {json.dumps(_as_name(written or got))}")
    return Fault(where, what, _fix(key, error, written) or fix or "correct it")


def _fix(key: str, error: Any, written: str | None) -> str:
    """Return a key's own remedy; "" where that of the kind of error is as good."""
    own = FIXES.get(key, "")
    if error["type"] in (*UNQUOTED, "model") and written is not None and key not in NAMES_OF:
        return quote_it(written)
    if not isinstance(own, str):
        return own(error.get("input")) if error["type"] in NUMBERS else ""
    if own:
        return own
    if error["type"] == "model_type" and (known := known_keys([*key.split("."), ""])):
        return f"write a mapping, e.g. {{{known[0]}: …}}; its keys: {', '.join(known)}"
    return ""


NUMBERS = ("less_than", "less_than_equal", "greater_than", "greater_than_equal", "finite_number")
"""Types of faults of a number that is out of bounds."""


def _as_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_.@-]+", "-", text.lower()).strip("-") or "mine"


def known_keys(keys: list[Any], model: Any = TaskFile) -> list[str]:
    """Return the keys that may stand where a list of keys leads to, its last one left out."""
    for key in keys[:-1]:
        if isinstance(key, int):
            continue
        field = _field_called(str(key), model)
        model = None if field is None else next(_models_in(field.annotation), None)
        if model is None:
            return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that a type is made of: of lists, unions and annotated types the parts."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _field_called(key: str, model: Any) -> FieldInfo | None:
    """Return the field that a key of the task file means, by its name or an older one."""
    fields: Mapping[str, FieldInfo] = getattr(model, "model_fields", {})
    for name, field in fields.items():
        older = field.validation_alias
        names = older.choices if isinstance(older, AliasChoices) else [field.alias]
        if key == name or key in names:
            return field
    return None
