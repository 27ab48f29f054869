"""From the path of a task file to a `Task`: one pass that finds every fault at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness import metrics, registry
from harness.errors import Fault, HarnessError, TaskError, unknown_name
from harness.source import Source
from harness.strategy import Strategy
from harness.task import audit
from harness.task.corpus import read_corpus
from harness.task.rows import Row, read_rows
from harness.task.schema import NOT_YET, TaskFile, arm_of
from harness.task.splits import SPLITS, TruthRow, cut, examples_of
from harness.types import DataFacts, Document, Split, TaskFacts


@dataclass(frozen=True)
class Task:
    """A task file with its data read, checked and frozen."""

    spec: TaskFile
    path: Path
    labels: Mapping[str, str]
    train: Split
    validation: Split
    test: Split
    truth: tuple[TruthRow, ...]
    documents: tuple[Document, ...]
    strategies: Mapping[str, type[Strategy]]
    """Arm name to its class."""
    params: Mapping[str, dict[str, Any]]
    """Arm name to every parameter, defaults filled in."""
    data: DataFacts

    @property
    def folder(self) -> Path:
        """The folder that the task's paths start from."""
        return self.path.parent

    @property
    def facts(self) -> TaskFacts:
        """What a strategy may know of the task."""
        return TaskFacts(
            self.spec.name,
            self.spec.instruction,
            self.spec.answer.kind,
            self.labels,
            self.spec.generation.max_new_tokens,
            tuple(self.spec.generation.stop),
        )


def load_task(path: Path) -> Task:
    """Read a task file and all its data.

    Raises:
        TaskError: with every fault of the file and the data, each with its place and a remedy.
    """
    source = Source(path)
    spec = _validate(source)
    faults: list[Fault] = []
    labels = _labels(spec, source, faults)
    _check_keys(spec, source, faults)
    strategies, params = _arms(spec, source, faults)
    splits, truth = _splits(spec, source, labels, faults)
    documents: tuple[Document, ...] = ()
    if spec.data.corpus:
        documents = read_corpus(path.parent / spec.data.corpus, faults)
    if faults:
        raise TaskError(faults)
    data = DataFacts(
        train_n=len(splits["train"]),
        validation_n=len(splits["validation"]),
        test_n=len(splits["test"]),
        test_total_n=len(splits["test"]),
        sha256={name: split.sha256 for name, split in splits.items()},
        leaked_ids=audit.leaked_ids(splits),
        findings=audit.findings(splits, spec.margin),
    )
    return Task(
        spec=spec,
        path=path,
        labels=labels,
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        truth=tuple(truth),
        documents=documents,
        strategies=strategies,
        params=params,
        data=data,
    )


def _validate(source: Source) -> TaskFile:
    value = dict(source.value)
    if isinstance(value.get("strategies"), list):
        value["strategies"] = [arm_of(entry) for entry in value["strategies"]]
    try:
        return TaskFile.model_validate(value)
    except ValidationError as problem:
        raise TaskError([_fault(source, error) for error in problem.errors()]) from None


def _fault(source: Source, error: Any) -> Fault:
    keys = [key for key in error["loc"] if not str(key).startswith(("list[", "dict["))]
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
    return Fault(where, f"{error['msg']}, got {got!r}")


def _known_keys(keys: list[Any]) -> list[str]:
    model: Any = TaskFile
    for key in keys[:-1]:
        field = model.model_fields.get(str(key)) if hasattr(model, "model_fields") else None
        if field is None:
            return []
        kinds = getattr(field.annotation, "__args__", (field.annotation,))
        model = next((kind for kind in kinds if hasattr(kind, "model_fields")), None)
    return list(model.model_fields) if model is not None else []


def _labels(spec: TaskFile, source: Source, faults: list[Fault]) -> dict[str, str]:
    where = source.where(["answer", "labels"])
    given: Any = spec.answer.labels
    if spec.answer.kind != "choice":
        if given is not None:
            faults.append(Fault(where, "only a choice has labels", "remove it, or kind: choice"))
        return {}
    if isinstance(given, str):
        file = source.path.parent / given
        try:
            given = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            faults.append(Fault(where, f"{file} cannot be read as JSON: {problem}"))
            return {}
    labels = given if isinstance(given, dict) else dict.fromkeys(given or (), "")
    if len(labels) < 2 or (isinstance(given, list) and len(labels) < len(given)):
        faults.append(Fault(where, "a choice needs at least two different labels"))
    if any(not isinstance(label, str) or not label.strip() for label in labels):
        faults.append(Fault(where, "labels must be non-empty texts", 'quote numbers: "1"'))
    return {str(label): str(text or "") for label, text in labels.items()}


def _check_keys(spec: TaskFile, source: Source, faults: list[Fault]) -> None:
    """Check what one key says against another."""
    data = spec.data
    hidden = {data.target, *data.slices}
    for position, column in enumerate(data.visible):
        if column in hidden:
            where = source.where(["data", "visible", position])
            faults.append(Fault(where, f"'{column}' is a target or slice: no strategy may see it"))
    for key, name in [("metric", spec.metric), *(("also", name) for name in spec.also)]:
        if name not in metrics.names():
            faults.append(Fault(source.where([key]), unknown_name("metric", name, metrics.names())))
        elif spec.answer.kind not in metrics.find(name).answers:
            what = f"'{name}' does not score answers of kind {spec.answer.kind}"
            fits = [n for n in metrics.names() if spec.answer.kind in metrics.find(n).answers]
            faults.append(Fault(source.where([key]), what, f"use one of {', '.join(fits)}"))
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


def _arms(
    spec: TaskFile, source: Source, faults: list[Fault]
) -> tuple[dict[str, type[Strategy]], dict[str, dict[str, Any]]]:
    strategies: dict[str, type[Strategy]] = {}
    params: dict[str, dict[str, Any]] = {}
    for position, arm in enumerate(spec.strategies):
        where = source.where(["strategies", position])
        try:
            strategy = registry.find(arm.use, source.path.parent)
            params[arm.name] = strategy.Params(**arm.params).model_dump(mode="json")
            strategies[arm.name] = strategy
        except ValidationError as problem:
            for error in problem.errors():
                key = ".".join(str(part) for part in error["loc"])
                what = f"parameter '{key}' of {arm.use}: {error['msg']}, got {error['input']!r}"
                if error["type"] == "extra_forbidden":
                    known = strategy.Params.model_fields
                    what = unknown_name(f"parameter of {arm.use}", key, known)
                faults.append(Fault(where, what))
        except HarnessError as problem:
            faults.append(Fault(where, str(problem)))
    return strategies, params


def _splits(
    spec: TaskFile, source: Source, labels: Mapping[str, str], faults: list[Fault]
) -> tuple[dict[str, Split], list[TruthRow]]:
    rows = _rows(spec, source, faults)
    splits: dict[str, Split] = {}
    truth: list[TruthRow] = []
    for name in SPLITS:
        splits[name], split_truth = examples_of(name, rows[name], spec.data, labels, faults)
        if name == "test":
            truth = split_truth
    faults.extend(audit.repeated_ids(splits))
    if not rows["test"] and not faults:
        faults.append(Fault(source.where(["data"]), "there are no test rows", "add data.test"))
    return splits, truth


def _rows(spec: TaskFile, source: Source, faults: list[Fault]) -> dict[str, list[Row]]:
    data, folder = spec.data, source.path.parent
    where = source.where(["data"])
    named = [name for name in SPLITS if getattr(data, name)]
    if data.all:
        if named:
            faults.append(Fault(where, f"`all` and `{named[0]}` exclude each other"))
        if spec.split is None:
            fix = "add e.g. split: {test: 0.3, validation: 0.1}"
            faults.append(Fault(where, "`all` needs shares to be cut by", fix))
            return {name: [] for name in SPLITS}
        return cut(read_rows(folder / data.all, faults), data, spec.split)
    if spec.split is not None:
        faults.append(Fault(source.where(["split"]), "`split` cuts `data.all`", "name that file"))
    if not data.test:
        faults.append(Fault(where, "`test` is missing", "add data.test, or data.all and split"))
    return {
        name: read_rows(folder / getattr(data, name), faults) if getattr(data, name) else []
        for name in SPLITS
    }
