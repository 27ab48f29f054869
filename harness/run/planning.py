"""What an invocation is going to run: the model, the machine, every arm with every seed.

Knows nothing of processes.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata

from harness.errors import ModelError
from harness.hashing import sha256_of
from harness.records import PlannedTrial, RunHeader
from harness.run import identity, machine
from harness.task import Task
from harness.task.schema import Hosted
from harness.types import Endpoint, ModelRef

CRITERIA = ("metric", "also", "limits", "needs", "traffic", "margin")
"""The keys of a task that say what counts as success."""


@dataclass(frozen=True)
class Setting:
    """The model and the hardware that all trials share."""

    model: ModelRef | None = None
    model_problem: str | None = None
    """Why arms that need the model cannot run."""
    device: str = "cpu"
    dtype: str = "float32"


def settle(task: Task, only: frozenset[str]) -> Setting:
    """Find the task's model, fetching it if a selected arm needs it, and what to run it on."""
    needing = [arm for arm, profile in task.profiles.items() if "model" in profile.needs]
    if not needing:
        return Setting()
    if isinstance(task.spec.model, Hosted):
        return _settle_hosted(task.spec.model)
    from harness.lm.hardware import device_and_dtype
    from harness.lm.models import resolve

    device, dtype = device_and_dtype(task.spec.dtype)
    wanted = any(arm in only or not only for arm in needing)
    try:
        # Arms that are left out need the model for their identity alone: not worth a fetch.
        model = resolve(task.spec.model, task.folder, fetch=wanted)
    except ModelError as problem:
        return Setting(None, str(problem), device, dtype)
    return Setting(model, None, device, dtype)


def _settle_hosted(spec: Hosted) -> Setting:
    from harness.lm.hosted import key_of

    endpoint = Endpoint(**spec.model_dump(exclude={"base_url", "model"}))
    origin = f"hosted at {spec.base_url}"
    model = ModelRef(spec.model, spec.base_url, origin=origin, hosted=endpoint)
    try:
        key_of(model)
    except ModelError as problem:
        return Setting(model, str(problem))
    return Setting(model)


def header(task: Task, setting: Setting, only: frozenset[str], started_at: str) -> RunHeader:
    """Return the record of an invocation, written before anything runs."""
    spec = task.spec.model_dump(mode="json", by_alias=True)
    spec["answer"] |= {"labels": dict(task.labels), "schema": task.schema}
    return RunHeader(
        started_at=started_at,
        task=spec,
        task_folder=str(task.folder.resolve()),
        criteria_sha256=sha256_of({key: spec[key] for key in CRITERIA}),
        data=task.data,
        model=setting.model,
        device=setting.device,
        dtype=setting.dtype,
        trials=tuple(_planned(task, setting, only)),
        prices=task.prices.model_dump(mode="json") if task.prices else None,
        git_commit=machine.git_commit(task.folder),
        packages=machine.package_versions(_distributions(task)),
        machine=machine.this_machine(setting.device),
        command=shlex.join(["python", "-m", "harness", *sys.argv[1:]]),
    )


def _planned(task: Task, setting: Setting, only: frozenset[str]) -> Iterator[PlannedTrial]:
    """Yield every arm with every seed, interleaved by seed."""
    for seed in task.spec.seeds:
        for arm in task.spec.strategies:
            strategy, profile = task.strategies[arm.name], task.profiles[arm.name]
            fit = identity.fit_id(task, arm.name, seed, setting.model, setting.dtype)
            yield PlannedTrial(
                arm=arm.name,
                strategy=arm.use,
                params=task.params[arm.name],
                seed=seed,
                fit_id=fit,
                trial_id=identity.trial_id(fit, arm.name, task.test),
                selected=not only or arm.name in only,
                refused=_refusal(task, arm.name),
                answers=tuple(sorted(strategy.answers)),
                needs_train="train" in profile.needs,
                needs_model="model" in profile.needs,
                learns=profile.learns,
                complexity=strategy.complexity,
                provides=_provides(task, arm.name),
            )


def _refusal(task: Task, arm: str) -> str | None:
    strategy, needs = task.strategies[arm], task.profiles[arm].needs
    if task.spec.answer.kind not in strategy.answers:
        return f"does not give answers of kind {task.spec.answer.kind}"
    if "train" in needs and not len(task.train):
        return "needs training rows, and the task has none (data.train)"
    if "corpus" in needs and not task.documents:
        return "needs documents, and the task has none (data.corpus)"
    model = task.spec.model
    if "weights" in needs and isinstance(model, Hosted):
        return f"needs a model's weights; '{model.model}' is hosted"
    return None


def _provides(task: Task, arm: str) -> tuple[str, ...]:
    """Return what an arm offers; what asks a server is not offline, whatever its strategy says."""
    profile = task.profiles[arm]
    asks = "model" in profile.needs and isinstance(task.spec.model, Hosted)
    return tuple(sorted(profile.provides - ({"offline"} if asks else set())))


def _distributions(task: Task) -> set[str]:
    owners = metadata.packages_distributions()
    modules = {strategy.__module__.split(".")[0] for strategy in task.strategies.values()}
    return {owner for module in modules for owner in owners.get(module, [])}
