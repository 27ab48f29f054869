"""An arm beside its floors: cheap strategies that it is not below where it works.

Both are scored on the same rows by the task's metric, and their difference is paired.
"""

from __future__ import annotations

from harness.analysis.run_data import ArmData, FloorAnswers, RunData
from harness.analysis.schema.diagnostics import FloorResult
from harness.analysis.scoring.paired import change_between
from harness.analysis.scoring.score import score


def floors_of(run: RunData, arm: ArmData) -> tuple[FloorResult, ...]:
    """Hold an arm against each of its floors; none where the task switched that off."""
    if not run.task.diagnostics.floors:
        return ()
    return tuple(_floor(run, arm, floor) for floor in arm.files.floors)


def _floor(run: RunData, arm: ArmData, found: FloorAnswers) -> FloorResult:
    """Hold an arm against one floor: an arm that is the same, or answers made in its name."""
    plan, metric = found.plan, run.metric
    same = next((other for other in run.finished if other.name == plan.arm), None)
    result = FloorResult(
        strategy=plan.strategy,
        params=plan.params,
        description=plan.what,
        meaning=plan.means,
        arm=None if same is None else same.name,
    )
    if same is None and found.undefined is not None:
        return result.model_copy(update={"undefined": found.undefined})
    floor = same or ArmData(arm.plan, "ok", None, (), (found.predictions,))
    if "likelihoods" in metric.needs and not floor.log_likelihoods:
        return result.model_copy(update={"undefined": "it gives no likelihoods"})
    scored = score(run, floor, metric)
    if scored.value is None:
        return result.model_copy(update={"undefined": scored.undefined})
    before, after = run.statistics(floor, metric), run.statistics(arm, metric)
    change = change_between(metric, before, after, run.gold.clusters)
    below = change.change < 0
    return result.model_copy(update={"score": scored, "difference": change, "below": below})
