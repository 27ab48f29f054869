"""What makes two fits, or two trials, the same: hashes over exactly what decides their outcome."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path

import harness
from harness import registry
from harness.hashing import sha256_of, sha256_of_file
from harness.task import Task
from harness.types import ModelRef, Split


def fit_id(task: Task, arm: str, seed: int, model: ModelRef | None, dtype: str) -> str:
    """Hash what decides an artifact.

    The rows, documents, parameters, seed and source of the strategy; for one that uses a model
    also its weights (a hosted one: address, name, extra fields and context), the number format and
    the engine's source. Not test rows, not prices, not limits, not the task's name.
    """
    strategy = task.strategies[arm]
    facts = {key: value for key, value in asdict(task.facts).items() if key != "name"}
    parts = {
        "strategy": registry.source_sha256(strategy),
        "params": task.params[arm],
        "facts": facts,
        "metric": task.spec.metric,
        "train": task.train.sha256,
        "validation": task.validation.sha256,
        "documents": [asdict(document) for document in task.documents],
        "seed": seed,
    }
    if strategy.needs_model and model is not None and model.hosted is not None:
        parts["model"] = [model.hosted.provider, model.location, model.name]
        parts["settings"] = [dict(model.hosted.extra), model.hosted.context_tokens]
        parts["engine"] = _engine_sha256("lm/hosted")
    elif strategy.needs_model and model is not None:
        parts["model"] = model.sha256 or f"{model.name}@{model.revision}"
        parts["dtype"] = dtype
        parts["engine"] = _engine_sha256("lm")
    return sha256_of(parts)


def trial_id(fit: str, arm: str, test: Split) -> str:
    """Hash what decides predictions: the fit and the queries. Targets decide none.

    The arm's name is in it, so that two arms that are alike but for their names are two trials.
    """
    return sha256_of([fit, arm, [asdict(query) for query in test.queries]])


@cache
def _engine_sha256(room: str) -> str:
    root = Path(harness.__file__).parent
    files = [*sorted((root / room).glob("*.py")), root / "prompts.py"]
    return sha256_of([sha256_of_file(file) for file in files])
