"""What can still be told of a task file that is not valid: of its rows, arms and metrics.

Remedies are followed as a reader would follow them. Where that leaves a part invalid, nothing is
told of what rests on it: it need not be true.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from harness import metrics
from harness.errors import Fault, nearest_name, unknown_name
from harness.files.python_file import names_file
from harness.files.yaml_source import Source
from harness.task.arms import arms_of
from harness.task.key_faults import keys_of, known_keys
from harness.task.model_spec import Models
from harness.task.schema import Answer, Arm, Data, TaskFile, arm_of
from harness.task.split_spec import SplitSpec
from harness.task.task_data import read_data

ROUNDS = 3
"""Times that remedies are followed: one may uncover another fault."""
NEEDLESS = {
    "data": ("visible", "slices", "cluster", "groups", "corpus", "evidence"),
    "split": ("test", "validation", "seed"),
}
"""Keys without which rows are read as with them."""
ARMS: TypeAdapter[list[Arm]] = TypeAdapter(list[Arm])
MODELS: TypeAdapter[Any] = TypeAdapter(Models)


def faults_beside(source: Source) -> list[Fault]:
    """Return what else is wrong with a task whose file is not valid."""
    faults: list[Fault] = []
    spec = _spec_of_data(source)
    if spec is not None:
        read_data(spec, source, faults)
    return [*_faults_of_arms(source), *_faults_of_metrics(source), *faults]


def _spec_of_data(source: Source) -> TaskFile | None:
    """Return what rows can be read by: `data`, `answer` and `split`."""
    parts: dict[str, Any] = {}
    kinds: dict[str, type[BaseModel]] = {"data": Data, "answer": Answer, "split": SplitSpec}
    for name, kind in kinds.items():
        if source.value.get(name) is None and name == "split":
            continue
        parts[name] = _mended(kind, deepcopy(source.value.get(name)), name, source)
        if parts[name] is None:
            return None
    return TaskFile.model_construct(**parts)


def _mended(kind: type[BaseModel], value: Any, name: str, source: Source) -> BaseModel | None:
    """Return a part with the remedies of its faults followed; None where that is not possible."""
    for _ in range(ROUNDS):
        try:
            return kind.model_validate(value)
        except ValidationError as problem:
            for error in problem.errors():
                if not _followed(value, error, name, source):
                    return None
    return None


def _followed(value: Any, error: Any, name: str, source: Source) -> bool:
    """Change a part as the remedy of a fault says; False where it does not say how."""
    keys = keys_of(error)
    if not keys:
        return False
    holder = value
    for key in keys[:-1]:
        try:
            holder = holder[key]
        except (KeyError, IndexError, TypeError):  # an earlier remedy took it out
            return True
    if error["type"] == "string_type" and (text := source.written([name, *keys])):
        holder[keys[-1]] = text
        return True
    if error["type"] == "extra_forbidden":
        given = holder.pop(keys[-1], None)
        near = nearest_name(str(keys[-1]), known_keys([name, *keys]))
        if near is not None:
            holder.setdefault(near, given)
        return True
    if keys[0] in NEEDLESS.get(name, ()):
        value.pop(keys[0], None)
        if keys[0] == "corpus":
            value.pop("evidence", None)
        return True
    return False


def _faults_of_arms(source: Source) -> list[Fault]:
    """Return what is wrong with strategies, those of the task's own code left out."""
    given = source.value.get("strategies")
    try:
        arms = ARMS.validate_python([arm_of(entry) for entry in given or ()])
        models = MODELS.validate_python(source.value.get("model", "none"))
    except (ValidationError, TypeError):
        return []
    own: dict[tuple[str | int, ...], str] = {
        ("strategies", place): "" for place, arm in enumerate(arms) if ":" in arm.use
    }
    faults: list[Fault] = []
    parts: dict[str, Any] = {"strategies": arms, "model": models}
    arms_of(TaskFile.model_construct(**parts), source, faults, own)
    return faults


def _faults_of_metrics(source: Source) -> Iterator[Fault]:
    """Yield the metrics that there are not."""
    also = source.value.get("also")
    named = [("metric", source.value.get("metric"))]
    named += [("also", name) for name in also] if isinstance(also, list) else []
    for key, name in named:
        if isinstance(name, str) and name and not names_file(name) and name not in metrics.names():
            yield Fault(source.where([key]), unknown_name("metric", name, metrics.names()))
