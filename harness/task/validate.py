"""From a parsed task file to a valid `TaskFile`: types, unknown keys, keys that contradict others.

Knows nothing of data; one named function for each kind of check.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from harness import metrics
from harness.errors import Fault, TaskError, unknown_name
from harness.source import Source
from harness.task.schema import NOT_YET, TaskFile, arm_of


def validate(source: Source) -> TaskFile:
    """Return the task file as typed values.

    Raises:
        TaskError: with every wrong, missing or unknown key.
    """
    value = dict(source.value)
    if isinstance(value.get("strategies"), list):
        value["strategies"] = [arm_of(entry) for entry in value["strategies"]]
    try:
        return TaskFile.model_validate(value)
    except ValidationError as problem:
        raise TaskError([_fault(source, error) for error in problem.errors()]) from None


def _fault(source: Source, error: Any) -> Fault:
    keys = [key for key in error["loc"] if not str(key).startswith(("list[", "dict[", "str["))]
    where = source.where(keys)
    if error["type"] == "extra_forbidden":
        promise = NOT_YET.get(".".join(str(key) for key in keys))
        if promise:
            return Fault(where, f"this key does not work yet ({promise})", "remove it")
        known = _known_keys(keys)
        return Fault(where, unknown_name("key", str(keys[-1]), known))
    if error["type"] == "missing":
        return Fault(where, "this key is missing", "add it")
    got = error.get("input")
    fix = ""
    if error["type"] in ("string_type", "model") and isinstance(got, int | float | date):
        fix = f'quote it: "{got}"'
    return Fault(where, f"{error['msg']}, got {got!r}", fix)


def _known_keys(keys: list[Any]) -> list[str]:
    model: Any = TaskFile
    for key in keys[:-1]:
        field = model.model_fields.get(str(key)) if hasattr(model, "model_fields") else None
        if field is None:
            return []
        kinds = getattr(field.annotation, "__args__", (field.annotation,))
        model = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
    return list(model.model_fields) if model is not None else []


def check_keys(spec: TaskFile, source: Source, faults: list[Fault]) -> None:
    """Check what one key says against another."""
    _check_data(spec, source, faults)
    _check_metrics(spec, source, faults)
    names = [arm.name for arm in spec.strategies]
    for name in sorted({name for name in names if names.count(name) > 1}):
        where = source.where(["strategies"])
        faults.append(Fault(where, f"two arms are called '{name}'", "give one a `name:`"))
    for name in spec.labour.hours:
        if name not in names:
            where = source.where(["labour", "hours", name])
            faults.append(Fault(where, unknown_name("arm", name, names)))
    if len(set(spec.seeds)) < len(spec.seeds):
        faults.append(Fault(source.where(["seeds"]), "the same seed stands twice"))


def _check_data(spec: TaskFile, source: Source, faults: list[Fault]) -> None:
    data = spec.data
    for key in ("input", "id"):
        if getattr(data, key) == data.target:
            where = source.where(["data", key])
            what = f"'{data.target}' is the target: no strategy may see it"
            faults.append(Fault(where, what, "name another column"))
    split = spec.split
    if split and split.test + split.validation > 1:
        what = f"test {split.test} and validation {split.validation} are more than all rows"
        faults.append(Fault(source.where(["split"]), what, "their sum is at most 1"))
    hidden = {data.target, *data.slices}
    for position, column in enumerate(data.visible):
        if column in hidden:
            where = source.where(["data", "visible", position])
            faults.append(Fault(where, f"'{column}' is a target or slice: no strategy may see it"))


def _check_metrics(spec: TaskFile, source: Source, faults: list[Fault]) -> None:
    for key, name in [("metric", spec.metric), *(("also", name) for name in spec.also)]:
        if name not in metrics.names():
            faults.append(Fault(source.where([key]), unknown_name("metric", name, metrics.names())))
        elif spec.answer.kind not in metrics.find(name).answers:
            what = f"'{name}' does not score answers of kind {spec.answer.kind}"
            fits = [n for n in metrics.names() if spec.answer.kind in metrics.find(n).answers]
            faults.append(Fault(source.where([key]), what, f"use one of {', '.join(fits)}"))
    least = spec.limits.min_score
    if spec.metric in metrics.names() and least and least > metrics.find(spec.metric).highest:
        where, highest = source.where(["limits", "min_score"]), metrics.find(spec.metric).highest
        what = f"{least} is more than {spec.metric} can be, {highest:.0f}"
        faults.append(Fault(where, what, f"for 85 % write {0.85 * highest}"))
