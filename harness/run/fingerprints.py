"""What makes two fits, or two trials, the same: hashes over all that decides their outcome.

`harness.registry.source` decides which source counts for a strategy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import harness
from harness.files.hashing import sha256_of
from harness.files.reached_code import sha256_of_code
from harness.metrics.custom import find_metric, source_of
from harness.registry import Profile
from harness.task import Task
from harness.types import ModelRef, Split


def fit_id(
    task: Task,
    arm: str,
    seed: int,
    model: ModelRef | None,
    dtype: str,
    beside: Mapping[str, ModelRef] | None = None,
) -> str:
    """Hash what decides an arm's artifact: `fit_id_of`, further models, inputs and its effort."""
    profile = task.profiles[arm]
    fit = fit_id_of(task, profile, seed, model, dtype)
    others = {name: _decides(ref, dtype) for name, ref in sorted((beside or {}).items())}
    # The files' content is in the profile; which of their inputs are left out is not.
    learnt = [[asdict(query) for query in read] for read in task.unlabelled_of(profile).values()]
    if others or learnt:
        fit = sha256_of([fit, others, learnt])
    if (search := task.searches.get(arm)) is None:
        return fit
    # Whichever seed comes first searches, and the others have what it chose.
    return sha256_of([fit, search.decides(), task.seeds_of(arm)[0]])


def fit_id_of(task: Task, profile: Profile, seed: int, model: ModelRef | None, dtype: str) -> str:
    """Hash what decides the artifact of a strategy that has this profile.

    The task is that of the seed (`Task.of_seed`).

    That is the strategy's rows, parameters, seed and source, and the documents if it is handed
    them. For an arm with a model it is also the weights (of a hosted model the address, name and
    extra fields), the number format, the engine's source and what the task adds to every prompt.
    Test rows, prices, limits and the task's name do not count, nor the day that prompts may name: a
    run folder has one.
    """
    # What follows from the training rows is in their hash.
    left = ("name", "one_line")
    info = {key: value for key, value in asdict(task.info).items() if key not in left}
    parts = {
        "strategy": profile.sha256,
        "params": dict(profile.settings),
        "task": info,
        "metric": source_of(task.spec.metric, task.folder),
        "train": task.train.sha256,
        "validation": task.validation.sha256,
        "documents": [asdict(document) for document in task.documents]
        if reads_documents(task, profile)
        else [],
        "seed": seed,
    }
    if reads_evidence(task, profile):
        parts["evidence"] = evidence_of(task)
    used = model if "model" in profile.needs else None
    return sha256_of(parts if used is None else {**parts, **_decides(used, dtype)})


def _decides(model: ModelRef, dtype: str) -> dict[str, Any]:
    """Return what decides a model's answers."""
    parts: dict[str, Any] = {"engine": engine_sha256()}
    if model.hosted is not None:
        parts["model"] = [model.hosted.provider, model.location, model.name]
        parts["settings"] = dict(model.hosted.extra)
    else:
        parts["model"] = model.sha256 or f"{model.name}@{model.revision}"
        parts["dtype"] = dtype
    if said := model.chat.decides():
        parts["chat"] = said
    return parts


def reads_documents(task: Task, profile: Profile) -> bool:
    """Tell whether the processes of a strategy with this profile are handed the documents.

    It needs them itself, or the metric by which it may choose a setting does.
    """
    metric = find_metric(task.spec.metric, task.folder)
    return "corpus" in profile.needs or "documents" in metric.needs


def reads_evidence(task: Task, profile: Profile) -> bool:
    """Tell whether fits of a strategy with this profile are handed their rows' gold documents.

    It searches the documents itself, or the metric by which it may choose a setting needs them.
    """
    metric = find_metric(task.spec.metric, task.folder)
    return bool(task.evidence) and ("corpus" in profile.needs or "evidence" in metric.needs)


def evidence_of(task: Task) -> dict[str, tuple[str, ...]]:
    """Return the evidence of the labelled rows, by id: what a fit may be handed."""
    ids = (example.query.id for split in (task.train, task.validation) for example in split)
    return {row_id: task.evidence[row_id] for row_id in ids if row_id in task.evidence}


def trial_id(fit: str, arm: str, test: Split) -> str:
    """Hash what decides predictions: the fit and the queries, but no target.

    The arm's name is in it, so that two arms that are alike but for their names are two trials.
    """
    return sha256_of([fit, arm, [asdict(query) for query in test.queries]])


@cache
def engine_sha256() -> str:
    """Hash the source of the engine, and of the words that are put to a model."""
    rooms = Path(harness.__file__).parent
    return sha256_of([sha256_of_code(rooms / "lm"), sha256_of_code(rooms / "toolkit/prompts.py")])
