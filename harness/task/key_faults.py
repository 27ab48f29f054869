"""What is said of a key of the task file that is wrong, missing or unknown, and its remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from harness.errors import Fault, nearest_name, shown, unknown_name
from harness.files.yaml_source import Source, quote_it
from harness.task.curve_keys import WRITE_SIZES
from harness.task.effort import WRITE_EFFORT
from harness.task.model_spec import UNSHOWN
from harness.task.schema import TaskFile


def keys_of(error: Any) -> list[Any]:
    """Return the keys that lead to what is wrong, without pydantic's names of shapes."""
    return [key for key in error["loc"] if not str(key).startswith(("list[", "dict[", "str["))]


A_STRATEGY = "write strategies by name, e.g. [majority]; see `python -m harness list strategies`"
FIXES = {
    "traffic.requests_per_month": "write how many you expect, or leave `traffic` out: serving 1,000"
    " requests is compared then",
    "needs.licence": "write one licence or a list, e.g. [apache-2.0, mit]",
    "metric": "write a metric's name, e.g. accuracy; see `python -m harness list metrics`",
    "also": "write names of metrics; see `python -m harness list metrics`",
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
    "strategies": A_STRATEGY,
    "strategies.use": A_STRATEGY,
}
"""What to write instead, where a key's own message does not say it. Places in lists are left out
of the keys."""
UNQUOTED = ("string_type", "invalid-json-value")
"""Types of faults of a scalar that YAML takes for something else than text."""
NAMES = ("name", "strategies.name")
"""Keys whose texts follow `NAME_PATTERN`."""


def key_fault(source: Source, error: Any) -> Fault:
    """Return one of pydantic's errors as the fault of a key."""
    keys = keys_of(error)
    where = source.where(keys)
    if error["type"] == "extra_forbidden":
        known = _known_keys(keys)
        near = nearest_name(str(keys[-1]), known)
        fix = f"rename it to '{near}'" if near else "remove it"
        return Fault(where, unknown_name("key", str(keys[-1]), known), fix)
    if error["type"] == "missing":
        return Fault(where, "this key is missing", "add it")
    if error["type"] == UNSHOWN:
        return Fault(where, error["msg"])
    written = source.written(keys)
    got = shown(error.get("input")) if written is None else written or "nothing"
    key = ".".join(str(key) for key in keys if not isinstance(key, int))
    fix = FIXES.get(key, "")
    if key in NAMES and error["type"] in ("string_type", "string_pattern_mismatch"):
        fix = f"write e.g. {json.dumps(_as_name(written or got))}"
    elif not fix and error["type"] in (*UNQUOTED, "model") and written is not None:
        fix = quote_it(written)
    return Fault(where, f"{error['msg']}, got {got}", fix)


def _as_name(text: str) -> str:
    return re.sub(r"[^a-z0-9_.@-]+", "-", text.lower()).strip("-") or "mine"


def _known_keys(keys: list[Any]) -> list[str]:
    model: Any = TaskFile
    for key in keys[:-1]:
        field = _field_called(str(key), model)
        if field is None:
            return []
        kinds = getattr(field.annotation, "__args__", (field.annotation,))
        model = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
    fields = model.model_fields if model is not None else {}
    return [field.alias or name for name, field in fields.items()]


def _field_called(key: str, model: Any) -> FieldInfo | None:
    """Return the field that a key of the task file means, by its name or an older one."""
    fields: Mapping[str, FieldInfo] = getattr(model, "model_fields", {})
    for name, field in fields.items():
        older = field.validation_alias
        names = older.choices if isinstance(older, AliasChoices) else [field.alias]
        if key == name or key in names:
            return field
    return None
