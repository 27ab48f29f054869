"""Trials whose parts are arms of their own: which trial runs first, and whose fit it takes over.

Knows nothing of processes and folders.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness import registry
from harness.store.records import PlannedTrial
from harness.task import Task


def parts_first(task: Task, plan: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """Return the trials in the order to run them: the parts of a trial come before it.

    So each part is fitted once. All others stay in their order.
    """
    ordered: dict[str, PlannedTrial] = {}

    def place(trial: PlannedTrial) -> None:
        if trial.trial_id not in ordered:
            for part in built_by(task, trial, plan):
                place(part)
            ordered[trial.trial_id] = trial

    for trial in plan:
        place(trial)
    return list(ordered.values())


def built_by(task: Task, trial: PlannedTrial, plan: Sequence[PlannedTrial]) -> list[PlannedTrial]:
    """Return the trials of a trial's parts: same parameters, seed, rows and models if any."""
    strategy = task.strategies[trial.arm]
    params = registry.resolved_params(strategy, trial.params, task.folder)
    composed = list(registry.with_parts(strategy, params, task.folder))[1:]
    parts = [
        (built.strategy, built.params.model_dump(mode="json"), model)
        for built in composed
        for model in (None, built.model or trial.model)
    ]
    return [
        other
        for other in plan
        if other.seed == trial.seed
        and other.rows == trial.rows
        and other.arm not in task.searches  # it may come to have other parameters
        and (task.strategies[other.arm], other.params, other.model) in parts
    ]
