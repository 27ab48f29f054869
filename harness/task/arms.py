"""From the entries of `strategies` to arms: their classes, parameters and models, or what is wrong.

Each is a strategy of its own that is asked what it is; parts of one included. Knows no data.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.errors import Fault, HarnessError
from harness.files.yaml_source import Source
from harness.strategy import Strategy
from harness.task.model_spec import Model, name_of, read_model
from harness.task.schema import Arm, TaskFile
from harness.wording.wrong_value import wrong_value

UNALIKE = (
    "give arms names of their own; with models whose names end alike, enter the arm once for each:"
    " {use: …, name: …, model: …}"
)


def arms_of(
    spec: TaskFile,
    source: Source,
    faults: list[Fault],
    refused: Mapping[tuple[str | int, ...], str],
) -> tuple[
    tuple[Arm, ...],
    dict[str, type[Strategy]],
    dict[str, dict[str, Any]],
    dict[str, registry.Profile],
]:
    """Return the arms, and by their names strategies, parameters and profiles.

    Args:
        spec: the task file.
        source: where its keys stand.
        faults: what is wrong is added to these.
        refused: arms with a fault already, which are not looked at.
    """
    arms: list[Arm] = []
    strategies: dict[str, type[Strategy]] = {}
    params: dict[str, dict[str, Any]] = {}
    profiles: dict[str, registry.Profile] = {}
    folder = source.path.parent
    names = [arm.name for arm in spec.strategies]
    repeated = {
        name for name, count in Counter(names).items() if count > 1
    }  # these are faults already
    for position, written in enumerate(spec.strategies):
        where = source.where(["strategies", position])
        if ("strategies", position) in refused:
            continue
        try:
            strategy = registry.find(written.use, folder)
            resolved = registry.resolved_params(strategy, written.params, folder)
            profile = registry.profile(strategy, resolved, folder)
            registry.space(strategy, written.params)  # held to the contract, with effort or without
            registry.family(strategy, profile)
        except ValidationError as problem:
            for what in registry.refused(written.use, strategy, problem):
                faults.append(Fault(where, what))
            continue
        except HarnessError as problem:
            faults.append(Fault(where, str(problem)))
            continue
        faults.extend(_unreadable_models(written, profile, where))
        if written.model is not None and "model" not in profile.needs:
            faults.append(Fault(where, f"{written.use} uses no model", "remove `model`"))
        for arm in _with_models(written, spec.models, "model" in profile.needs):
            if arm.name in strategies and arm.name not in repeated:
                what = f"two arms are called '{arm.name}'"
                faults.append(Fault(where, what, UNALIKE))
            arms.append(arm)
            strategies[arm.name] = strategy
            params[arm.name] = resolved.model_dump(mode="json")
            profiles[arm.name] = profile
    if not faults:
        faults.extend(_ambiguous_models(arms, profiles, source))
    return tuple(arms), strategies, params, profiles


def _unreadable_models(arm: Arm, profile: registry.Profile, where: str) -> Iterator[Fault]:
    """Yield what is wrong with the models that an arm's parameters name; no value is repeated."""
    for beside in profile.beside:
        try:
            read_model(beside.model)
        except ValidationError as problem:
            for error in problem.errors():
                keys = [str(key) for key in error["loc"] if "[" not in str(key)]
                key = ".".join(["model", *keys])
                what, fix = wrong_value(error, "")
                yield Fault(where, f"a model that {arm.use} names: {key}: {what}", fix)


def _ambiguous_models(
    arms: Sequence[Arm], profiles: Mapping[str, registry.Profile], source: Source
) -> Iterator[Fault]:
    """Yield a fault for each hosted model that is asked in different ways."""
    seen: dict[str, Model] = {}
    for arm in arms:
        own = [] if arm.model is None else [arm.model]
        for model in (*own, *(read_model(one.model) for one in profiles[arm.name].beside)):
            if seen.setdefault(name_of(model), model) != model:
                what = f"'{arm.name}' asks '{name_of(model)}' in another way than an earlier arm"
                fix = "give it the same settings, or compare them in two runs"
                yield Fault(source.where(["strategies"]), what, fix)


def _with_models(arm: Arm, models: Sequence[Model], needs_model: bool) -> list[Arm]:
    """Return the arm with its own model, or with each of the task's."""
    if not needs_model:
        return [arm.model_copy(update={"model": None})]
    if arm.model is not None or len(models) == 1:
        return [arm.model_copy(update={"model": arm.model or models[0]})]
    return [
        arm.model_copy(update={"name": f"{arm.name}@{_short(model)}", "model": model})
        for model in models
    ]


def _short(model: Model) -> str:
    """Return the last part of a model's name, as an arm's name can hold it."""
    name = model if isinstance(model, str) else model.model
    return re.sub(r"[^a-z0-9_.-]+", "-", Path(name).name.lower())[:60].strip("-") or "model"
