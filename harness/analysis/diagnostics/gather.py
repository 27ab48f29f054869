"""Gathers what is told of one arm besides score, time and cost, as the task file asks for it."""

from __future__ import annotations

from harness.analysis.diagnostics.calibration import calibration_of
from harness.analysis.diagnostics.forgetting import forgetting_of
from harness.analysis.diagnostics.overfitting import overfitting_of
from harness.analysis.diagnostics.robustness import robustness_of
from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.diagnostics import ArmDiagnostics


def diagnostics_of(evidence: Evidence, arm: ArmEvidence) -> ArmDiagnostics:
    """Return the facts of an arm that ended ok, those that are switched on."""
    found = ArmDiagnostics(wall_s=_wall_s(arm))
    if wanted(evidence, "forgetting"):
        found = found.model_copy(update={"forgetting": forgetting_of(arm)})
    if wanted(evidence, "robustness"):
        each, why_not = robustness_of(evidence, arm)
        update = {"robustness": each, "robustness_undefined": why_not}
        found = found.model_copy(update=update)
    if wanted(evidence, "calibration"):
        found = found.model_copy(update={"calibration": calibration_of(evidence, arm)})
    if wanted(evidence, "overfitting"):
        seeds = [trial.seed for trial in arm.trials]
        curves = overfitting_of(arm.files.train_logs, seeds)
        found = found.model_copy(update={"overfitting": curves})
    return found


def wanted(evidence: Evidence, name: str) -> bool:
    """Tell whether the task file asks for a fact; one older than the key asks for all."""
    return bool(evidence.task.get("diagnostics", evidence.task.get("facts", {})).get(name, True))


def _wall_s(arm: ArmEvidence) -> float | None:
    results = [result for t in arm.trials for result in (t.probe, t.robustness) if result]
    walls = [m.wall_s for result in results for m in result.measurements]
    return sum(walls) if walls else None
