"""Which floors an arm has on a task: cheap strategies that it is not below where it works.

A strategy names them (`Strategy.floors`); here they are found, resolved and given the hash by which
their answers are kept. Knows no strategy by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.errors import HarnessError
from harness.files.hashing import sha256_of
from harness.run.fingerprints import fit_id_of
from harness.store.planned_floor import PlannedFloor
from harness.strategy import Floor, Strategy
from harness.task import Task
from harness.task.model_spec import name_of
from harness.task.schema import Arm
from harness.types import ModelRef

CHARGED = "it would ask a hosted model, which costs money"


def planned_floors(
    task: Task, arm: Arm, models: Mapping[str, ModelRef], dtype: str
) -> Iterator[PlannedFloor]:
    """Yield the floors of an arm that can answer a task.

    Args:
        task: whose arm it is.
        arm: one that can run.
        models: those of the task, by name.
        dtype: the number format that they are loaded in.
    """
    if not task.spec.diagnostics.floors:
        return
    strategy = task.strategies[arm.name]
    try:
        params = registry.resolved_params(strategy, task.params[arm.name], task.folder)
        for floor in registry.floors(strategy, params):
            yield from _planned(task, arm, floor, models, dtype)
    except HarnessError as problem:  # a stranger's floors stop no run
        why = str(problem)
        yield PlannedFloor(strategy=arm.use, params={}, what="its floor", means="", undefined=why)


def _planned(
    task: Task, arm: Arm, floor: Floor, models: Mapping[str, ModelRef], dtype: str
) -> Iterator[PlannedFloor]:
    if floor.only_as_arm and all(other.use != floor.strategy for other in task.arms):
        return
    said = {"strategy": floor.strategy, "what": floor.what, "means": floor.means}
    try:
        found = registry.find(floor.strategy, task.folder)
        params = registry.resolved_params(found, floor.params, task.folder)
        profile = registry.profile(found, params, task.folder)
    except (HarnessError, ValidationError) as problem:
        why = f"{floor.strategy}: {problem}"
        yield PlannedFloor(**said, params=dict(floor.params), undefined=why)
        return
    lacks_rows = "train" in profile.needs and not len(task.train)
    lacks_documents = "corpus" in profile.needs and not task.documents
    if task.spec.answer.kind not in profile.answers or lacks_rows or lacks_documents:
        return
    same = _same_arm(task, arm, found, params.model_dump(mode="json"), profile.needs)
    if floor.only_as_arm and same is None:
        return
    uses_model = "model" in profile.needs and arm.model is not None
    model = models.get(name_of(arm.model)) if uses_model and arm.model is not None else None
    resolved = params.model_dump(mode="json")
    queries = [asdict(query) for query in task.test.queries]
    seed = task.seeds_of(arm.name)[0]
    fit = fit_id_of(task.of_seed(seed), profile, seed, model, dtype)
    yield PlannedFloor(
        **said,
        params=resolved,
        key=sha256_of([floor.strategy, fit, queries]),
        arm=same,
        undefined=CHARGED if model is not None and model.hosted is not None else None,
    )


def _same_arm(
    task: Task, arm: Arm, found: type[Strategy], params: Mapping[str, Any], needs: frozenset[str]
) -> str | None:
    """Return the arm of the task that does what a floor does, with the same model if any."""
    for other in task.arms:
        if other.name in task.searches:  # it may come to have other parameters
            continue
        same = (task.strategies[other.name], task.params[other.name]) == (found, params)
        if same and ("model" not in needs or other.model == arm.model):
            return other.name
    return None
