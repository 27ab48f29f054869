"""The result of one arm: what it scored, took and costs, by itself and beside the others.

Puts together what the groups of the analysis find; computes nothing of its own.
"""

from __future__ import annotations

from statistics import fmean
from typing import Any

from harness.analysis.cost.cost import costs_of, usd_per_1k
from harness.analysis.cost.terms import OtherMachine, Terms, Usage
from harness.analysis.decision.requirements import Measured, limit_checks, need_checks
from harness.analysis.diagnostics.calibration import calibration_of
from harness.analysis.diagnostics.effort import effort_of
from harness.analysis.diagnostics.floors import floors_of
from harness.analysis.diagnostics.forgetting import forgetting_of
from harness.analysis.diagnostics.losses import losses_of
from harness.analysis.diagnostics.order import order_of
from harness.analysis.diagnostics.overfitting import overfitting_of
from harness.analysis.diagnostics.robustness import robustness_of
from harness.analysis.examples.confusion import confusion_of
from harness.analysis.examples.row_table import RowTable
from harness.analysis.examples.sureness import sureness_of
from harness.analysis.performance import measured
from harness.analysis.performance.forecast_check import foresight_of
from harness.analysis.performance.latencies import latencies_of
from harness.analysis.performance.machines import not_compared, origin_of, usd_per_hour, without
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import ArmResult
from harness.analysis.schema.diagnostics import ArmDiagnostics
from harness.analysis.schema.scores import Score
from harness.analysis.schema.trainings import Trainings
from harness.analysis.scoring import breakdown
from harness.analysis.scoring.answers import answer_counts
from harness.analysis.scoring.leakage import leakage_of
from harness.analysis.scoring.score import (
    estimate,
    further_score,
    item_metric,
    primary_score,
    score,
)
from harness.analysis.scoring.trainings import trainings_of
from harness.store.machine import Hardware
from harness.store.records import LoadedModel
from harness.wording import numbers


def arm_result(run: RunData, arm: ArmData, terms: Terms, rows: RowTable) -> ArmResult:
    """Return what was found of one arm by itself; its gap to the best is added by `analyse`."""
    if not arm.finished:
        return ArmResult(**_plan(run, arm))
    primary = primary_score(run, arm)
    slices = breakdown.slice_scores(run, arm, item_metric(run.metric))
    plan, floors = _plan(run, arm), floors_of(run, arm)
    plan["notes"] += tuple(
        f"floor: {floor.description}: not known: {floor.undefined}"
        for floor in floors
        if floor.undefined
    )
    return ArmResult(
        **plan,
        **_requirements(run, arm, primary, terms),
        **_taken(origin_of(run, arm).arm),
        **_cost(run, arm, terms),
        score=primary,
        trainings=_trainings(run, arm, terms),
        also=_also(run, arm, primary),
        fully_right=_fully_right(run, arm),
        without_leaks=_without_leaks(run, arm),
        leakage=leakage_of(run, arm),
        slices=slices,
        worst_slice=breakdown.worst_slice(slices) if run.task.diagnostics.worst_slice else None,
        diagnostics=_diagnostics(run, arm),
        floors=floors,
        classes=breakdown.class_scores(run, arm),
        **_weaknesses(rows, arm.name),
        unanswerable=breakdown.unanswerable_of(run, arm),
        cited=breakdown.cited_answers(run, arm),
        effort=effort_of(run, arm),
        prompt_tokens_mean=measured.prompt_tokens_mean(arm),
        answers=answer_counts(run, arm),
        failed_items=sum(p.error is not None for seed in arm.predictions for p in seed),
    )


def _weaknesses(rows: RowTable, name: str) -> dict[str, Any]:
    """Return which labels an arm takes for which, and how sure it is of what is right."""
    answers = rows.of(name)
    assert answers is not None  # it finished
    return {"confusion": confusion_of(rows, answers), "sureness": sureness_of(rows, answers)}


def terms_of(run: RunData, usd_per_hour: float | None) -> Terms:
    """Return what the task says of money and traffic, at a price of the machine."""
    task = run.task
    return Terms(
        usd_per_hour=usd_per_hour,
        traffic=task.traffic.model_dump() if task.traffic else None,
        needs=task.needs.model_dump(),
        labour=task.labour.model_dump(),
    )


def usage_of(run: RunData, arm: ArmData) -> Usage:
    """Return what the cost arithmetic needs of an arm that finished."""
    charge, fit_charge = measured.usd_per_request(run, arm), measured.fit_charged_usd(run, arm)
    own_times = bool(measured.own_times_s(arm))
    origin, search = origin_of(run, arm), arm.files.search
    share = measured.fit_share(origin.arm)
    fit_s = fmean(measured.fit_walls_s(origin.arm)) * share
    return Usage(
        arm=arm.name,
        fit_s=fit_s,
        search_s=min(search.besides_s * share, fit_s) if search else 0.0,
        throughput_per_s=measured.throughput_per_s(origin.arm),
        labels_n=arm.plan.labels_n,
        needs_model=arm.plan.needs_model or bool(arm.plan.models),
        learns=arm.plan.learns,
        tunes=arm.plan.tunes,
        elsewhere=arm.plan.replays or charge is not None or own_times,
        usd_per_request=charge,
        charged_by=_charged_by(run, arm) if charge or fit_charge else None,
        fit_charged_usd=fit_charge,
        prepared_on=None if origin.prepared_here else _other(run, origin.preparation),
        served_on=None if origin.served_here else _other(run, origin.serving),
    )


def _charged_by(run: RunData, arm: ArmData) -> str:
    """Name whose charges an arm has: the hosted models that it asks, or what it replays."""
    hosted = {id(model) for model in run.hosted_of(arm)}
    names = (arm.plan.model, *arm.plan.models)
    asked = [name for name in names if id(run.header.models.get(name or "")) in hosted]
    return " and ".join(map(str, asked)) or arm.plan.model or arm.name


def _other(run: RunData, hardware: Hardware | None) -> OtherMachine:
    """Return a machine of another class with its price, where a row stands for it."""
    return OtherMachine(usd_per_hour(hardware, run.prices))


def _plan(run: RunData, arm: ArmData) -> dict[str, Any]:
    """Return what is known of every arm, whether or not it finished."""
    results = [half for trial in arm.trials for half in (trial.fit, trial.serve) if half]
    notes = [f"{note.kind}: {note.text}" for result in results for note in result.notes]
    if measured.own_times_s(arm):
        notes.append(measured.OWN_TIMES)
    order = order_of(arm)
    if order is not None and order.undefined:
        notes.append(f"order of inputs: not known whether answers depend on it: {order.undefined}")
    models = (_model_text(model) for result in results for model in result.loaded_models)
    sizes = [trial.artifact_bytes for trial in arm.trials if trial.artifact_bytes is not None]
    return {
        "strategy": arm.name,
        "status": arm.status,
        "error": arm.error,
        "use": arm.plan.strategy,
        "params": arm.plan.params,
        "complexity": arm.plan.complexity,
        "tunes": arm.plan.tunes,
        "seeds": tuple(trial.seed for trial in arm.trials),
        "notes": tuple(dict.fromkeys(notes)),
        "models": tuple(dict.fromkeys(models)),
        "artifact_bytes": max(sizes, default=None),
        "foresight": foresight_of(origin_of(run, arm).arm),
    }


def _requirements(run: RunData, arm: ArmData, primary: Score, terms: Terms) -> dict[str, Any]:
    """Return every limit and need of the task, checked against the arm."""
    origin, usage = origin_of(run, arm), usage_of(run, arm)
    timed = origin.arm
    p95_s = measured.timing_of(timed).p95_s
    taken = Measured(
        score=(primary.value or 0.0, primary.ci_low, primary.ci_high),
        p95_s=None if p95_s is None else (p95_s, *measured.p95_interval(timed)),
        serving=measured.serve_peaks(timed),
        fitting=measured.fit_peaks(timed),
        usd_per_1k=usd_per_1k(usage, terms),
    )
    checks = (
        *limit_checks(run.task.limits, taken),
        *need_checks(run.task.needs, arm.plan.provides, run.models_of(arm)),
    )
    apart = not_compared(origin, charged=usage.elsewhere)
    checks = without(checks, apart)
    return {
        "checks": checks,
        "misses": tuple(check.key for check in checks if check.state != "met"),
        "machine": None if origin.serving is None else origin.serving.machine,
        "not_compared": apart,
    }


def _taken(arm: ArmData) -> dict[str, Any]:
    """Return time, memory and energy, of trials that one machine measured."""
    fitting, serving = measured.fit_peaks(arm), measured.serve_peaks(arm)
    return {
        **measured.timing_of(arm)._asdict(),
        "latencies": latencies_of(arm),
        "fit_wall_s": fmean(measured.fit_walls_s(arm)),
        "fit_peak_bytes": fitting.limited_bytes,
        "fit_peak_ram_bytes": fitting.ram_bytes,
        "fit_peak_gpu_bytes": fitting.gpu_bytes,
        "predict_peak_bytes": serving.limited_bytes,
        "predict_peak_ram_bytes": serving.ram_bytes,
        "predict_peak_gpu_bytes": serving.gpu_bytes,
        "energy_j": measured.energy_j(arm),
    }


def _cost(run: RunData, arm: ArmData, terms: Terms) -> dict[str, Any]:
    """Return the cost over the horizon, its parts, and what requests cost either way."""
    usage = usage_of(run, arm)
    costs = costs_of(usage, terms)
    parts = costs.table()
    return {
        "cost": parts,
        "fit_usd": parts.fitting_usd,
        "usd_per_1k_busy": usd_per_1k(usage, terms, "busy"),
        "usd_per_1k_reserved": usd_per_1k(usage, terms, "reserved"),
        "total_usd": costs.total("usd"),
    }


def _trainings(run: RunData, arm: ArmData, terms: Terms) -> Trainings | None:
    """Return an arm's trainings, with what all of them together take to prepare."""
    found = trainings_of(run, arm)
    if found is None:
        return None
    usage = usage_of(run, arm).of_trainings(len(found.each))
    usd = costs_of(usage, terms).table().fitting_usd
    return found.model_copy(update={"fit_wall_s": usage.prepare_s, "fit_usd": usd})


def _also(run: RunData, arm: ArmData, primary: Score) -> tuple[Score, ...]:
    names = list(run.task.also)
    if primary.metric == "macro_f1" and "accuracy" not in names:
        names.append("accuracy")
    return tuple(further_score(run, arm, name) for name in names)


def _fully_right(run: RunData, arm: ArmData) -> float | None:
    """Return the share of rows that are right as a whole, by the metric that counts these."""
    name = "accuracy" if run.task.answer.kind == "choice" else "exact_match"
    if run.why_unscored(arm, name) is not None:
        return None
    metric = run.find_metric(name)
    return estimate(metric, run.statistics(arm, metric))


def _without_leaks(run: RunData, arm: ArmData) -> Score | None:
    leaked = set(run.header.data.leaked_ids)
    rows = [number for number, row_id in enumerate(run.gold.ids) if row_id not in leaked]
    if not leaked or not rows:
        return None
    return score(run, arm, run.metric, rows)


def _diagnostics(run: RunData, arm: ArmData) -> ArmDiagnostics:
    """Return the diagnostics that the task asks for."""
    wanted = run.task.diagnostics
    perturbed, why_not = robustness_of(run, arm) if wanted.robustness else ((), None)
    seeds = [trial.seed for trial in arm.trials]
    results = [result for t in arm.trials for result in (t.probe, t.robustness) if result]
    probed = tuple(t.seed for t in arm.trials if t.probe or t.robustness)
    walls = [m.wall_s for result in results for m in result.measurements]
    return ArmDiagnostics(
        forgetting=forgetting_of(arm) if wanted.forgetting else None,
        robustness=perturbed,
        robustness_undefined=why_not,
        calibration=calibration_of(run, arm) if wanted.calibration else None,
        overfitting=overfitting_of(arm.files.train_logs, seeds) if wanted.overfitting else None,
        losses=losses_of(arm.files.train_logs, seeds),
        order=order_of(arm),
        seeds=probed,
        wall_s=sum(walls) if walls else None,
    )


def _model_text(model: LoadedModel) -> str:
    if model.hosted_at is not None:
        return f"{model.name}, hosted at {model.hosted_at}"
    taken = "" if model.weights_bytes is None else f" ({numbers.size(model.weights_bytes)})"
    return (
        f"{model.name}, {model.parameters:,} weights in {model.dtype}{taken} on {model.device},"
        f" {model.scoring} scoring"
    )
