"""From a parsed task file to a valid `TaskFile`: types, unknown keys, keys that contradict others.

Knows nothing of data; one named function for each kind of check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from harness import metrics
from harness.errors import Fault, TaskError, UserError, unknown_name
from harness.files.python_file import names_file
from harness.files.yaml_source import Source
from harness.metrics import Items, Metric, Need, unanswerable
from harness.metrics.custom import find_metric
from harness.task.gold import GoldRow
from harness.task.key_faults import LICENCES, key_faults
from harness.task.schema import Arm, TaskFile, arm_of


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
        raise TaskError([*key_faults(source, problem.errors())]) from None


def check_keys(
    spec: TaskFile, source: Source, faults: list[Fault], refused: Collection[str] = ()
) -> None:
    """Check what one key says against another.

    Args:
        spec: the task file.
        source: where its keys stand.
        faults: what is wrong is added to these.
        refused: metrics with a fault already, which are not looked at.
    """
    _check_data(spec, source, faults)
    _check_metrics(spec, source, faults, refused)
    names = Counter(arm.name for arm in spec.strategies)
    for name in sorted(name for name, count in names.items() if count > 1):
        where = source.where(["strategies"])
        faults.append(Fault(where, f"two arms are called '{name}'", "give one a `name:`"))
    if spec.seeds is not None and len(set(spec.seeds)) < len(spec.seeds):
        faults.append(Fault(source.where(["seeds"]), "the same seed stands twice", "remove one"))
    traffic = spec.traffic
    if traffic and traffic.serving == "reserved" and "utilisation" not in traffic.model_fields_set:
        what = "an always-on machine is paid for whether it is used or not, and no share is given"
        fix = "add the share of its capacity that you will use, e.g. utilisation: 0.3"
        faults.append(Fault(source.where(["traffic", "serving"]), what, fix))
    if spec.needs.licence == []:
        what = "no licence is allowed, so no model is"
        faults.append(Fault(source.where(["needs", "licence"]), what, LICENCES))


def check_labour(spec: TaskFile, source: Source, arms: Sequence[Arm], faults: list[Fault]) -> None:
    """Check that hours are given for arms that there are, one for each model or for all of them."""
    names = [*dict.fromkeys(arm.name for arm in (*spec.strategies, *arms))]
    for name in spec.labour.hours:
        if name not in names:
            where = source.where(["labour", "hours", name])
            fix = "write the name of an arm of `strategies`"
            faults.append(Fault(where, unknown_name("arm", name, names), fix))


def _check_data(spec: TaskFile, source: Source, faults: list[Fault]) -> None:
    data = spec.data
    for key in ("input", "id", "groups"):
        column = getattr(data, key)
        if column is not None and column in (data.target, data.evidence):
            where = source.where(["data", key])
            role = "the target" if column == data.target else "evidence"
            what = f"'{column}' is {role}: no strategy may see it"
            faults.append(Fault(where, what, "name another column"))
    faults.extend(_split_faults(spec, source))
    if data.evidence and not data.corpus:
        where = source.where(["data", "evidence"])
        faults.append(
            Fault(where, "evidence names documents, and there are none", "add data.corpus")
        )
    hidden = {data.target, *data.slices, data.evidence}
    for position, column in enumerate(data.visible):
        if column in hidden:
            where = source.where(["data", "visible", position])
            what = "evidence" if column == data.evidence else "a target or slice"
            what = f"'{column}' is {what}: no strategy may see it"
            faults.append(Fault(where, what, "remove it here"))
        elif column == data.groups:
            where = source.where(["data", "visible", position])
            what = f"'{column}' holds the groups: strategies see it as Query.groups alone"
            faults.append(Fault(where, what, "remove it here"))


def _split_faults(spec: TaskFile, source: Source) -> Iterator[Fault]:
    """Yield what the keys of `split` say against each other: none may be without effect."""
    split = spec.split
    if split is None:
        return
    if split.test + split.validation > 1:
        what = f"test {split.test} and validation {split.validation} are more than all rows"
        yield Fault(source.where(["split"]), what, "their sum is at most 1")
    others = {
        "column": ("time", "test", "validation", "seed", "frozen"),
        "time": ("seed",),
    }
    for key, against in others.items():
        for other in against if getattr(split, key) is not None else ():
            if other in split.model_fields_set:
                what = f"`{other}` has no effect where `{key}` says which row is in which split"
                yield Fault(source.where(["split", other]), what, f"remove {other}, or {key}")
    if split.values is not None and split.column is None:
        what = "`values` says what the values of a column mean, and none is named"
        yield Fault(source.where(["split", "values"]), what, "add `column`, or remove `values`")
    given = (
        Counter(
            value
            for name in type(split.values).model_fields
            for value in getattr(split.values, name)
        )
        if split.values is not None
        else Counter[str]()
    )
    for value in (value for value, count in given.items() if count > 1):
        what = f"'{value}' stands twice under `values`"
        yield Fault(source.where(["split", "values"]), what, "name each value once")


NEEDED_KEYS: Mapping[Need, str] = {
    "evidence": "data.evidence",
    "documents": "data.corpus",
    "no_answer": "answer.no_answer",
}
"""What metrics may need of a task, and the key that gives it."""


def _check_metrics(
    spec: TaskFile, source: Source, faults: list[Fault], refused: Collection[str]
) -> None:
    if spec.answer.no_answer is not None and spec.answer.kind != "text":
        where = source.where(["answer", "no_answer"])
        faults.append(Fault(where, "only a text answer has a phrase for 'no answer'", "remove it"))
    for key, name in [("metric", spec.metric), *(("also", name) for name in spec.also)]:
        where = source.where([key])
        if name in refused:
            continue
        metric = _metric(name, where, source, faults)
        if metric is None:
            continue
        if spec.answer.kind not in metric.answers:
            what = f"'{name}' does not score answers of kind {spec.answer.kind}"
            fits = [n for n in metrics.names() if spec.answer.kind in metrics.find(n).answers]
            faults.append(Fault(where, what, f"use one of {', '.join(fits)}"))
        for need, needed in NEEDED_KEYS.items():
            if need in metric.needs and not _given(spec, needed):
                what = f"'{name}' needs {needed}, and the task has none"
                faults.append(Fault(where, what, "add it, or take another metric"))
        if key == "metric" and metric.lower_is_better:
            what = f"lower is better for '{name}': it cannot decide"
            faults.append(Fault(where, what, "name it under `also`"))
        least = spec.limits.min_score
        if key == "metric" and least and least > metric.highest:
            where = source.where(["limits", "min_score"])
            what = f"{least} is more than {name} can be, {metric.highest:.0f}"
            faults.append(Fault(where, what, f"for 85% write {0.85 * metric.highest}"))


def _metric(name: str, where: str, source: Source, faults: list[Fault]) -> Metric | None:
    try:
        return find_metric(name, source.path.parent)
    except UserError as problem:
        faults.append(Fault(where, str(problem)))
        return None


def _given(spec: TaskFile, key: str) -> bool:
    part, name = key.split(".")
    return getattr(getattr(spec, part), name) is not None


class NothingToScore(NamedTuple):
    """Why a metric says nothing of some test rows, and what to do about it."""

    what: str
    fix: str


def nothing_to_score(
    spec: TaskFile, folder: Path, truth: Sequence[GoldRow]
) -> NothingToScore | None:
    """Say why the primary metric could tell nothing of these test rows, if so.

    It is of rows that there are none of, or even perfect answers would have 0.
    """
    metric, phrase = find_metric(spec.metric, folder), spec.answer.no_answer
    has_it = "name rows that have it"
    if "evidence" in metric.needs and not any(row.evidence for row in truth):
        what = f"'{spec.metric}' scores rows with evidence, and no test row names any"
        return NothingToScore(what, has_it)
    if "no_answer" in metric.needs and not any(unanswerable(row.targets, phrase) for row in truth):
        what = f"'{spec.metric}' scores questions without an answer, and no test row is one"
        return NothingToScore(what, has_it)
    if spec.answer.kind == "choice" or metric.needs or names_file(spec.metric):
        return None
    if _best_value(metric, spec, truth[:FEW_ROWS]) > 0 or _best_value(metric, spec, truth) > 0:
        return None
    fits = [name for name in ("token_f1", "chrf", "exact_match") if name != spec.metric]
    others = "exact_match" if spec.answer.kind == "json" else " or ".join(fits)
    what = f"'{spec.metric}' would be 0 for perfect answers to these test rows"
    return NothingToScore(what, f"take another metric, e.g. {others}")


FEW_ROWS = 100
"""Test rows that nearly always show already that perfect answers are worth something."""


def _best_value(metric: Metric, spec: TaskFile, truth: Sequence[GoldRow]) -> float:
    """Return the metric of perfect answers; NaN where it is not defined."""
    schema: dict[str, Any] | None = {} if spec.answer.kind == "json" else None
    targets = [row.targets for row in truth]
    return metric.value(Items([accepted[0] for accepted in targets], targets, schema=schema))
