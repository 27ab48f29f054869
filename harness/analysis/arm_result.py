"""One row of the comparison: what an arm scored, took and costs."""

from __future__ import annotations

from statistics import fmean
from typing import Any

import numpy as np

from harness.analysis.cost import cost
from harness.analysis.decision.requirements import limit_checks, need_checks
from harness.analysis.diagnostics.gather import diagnostics_of, wanted
from harness.analysis.performance import measured as elsewhere
from harness.analysis.performance.forecast_check import foresight
from harness.analysis.performance.memory import Peaks
from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.comparison import Foresight, Row
from harness.analysis.schema.scores import Loss, Score
from harness.analysis.scoring.breakdown import slice_scores, worst_slice
from harness.analysis.scoring.citations import cited_answers
from harness.analysis.scoring.per_label import class_scores, unanswerable_of
from harness.analysis.scoring.score import further_score, item_metric, primary_score, score
from harness.stats.intervals import quantile_interval
from harness.store.records import LoadedModel, Measurement, Phase, WorkerResult, joules_of
from harness.wording import numbers

SERVING: tuple[Phase, ...] = ("load", "latency", "predict")


def build_row(evidence: Evidence, arm: ArmEvidence, terms: cost.Terms) -> Row:
    """Judge one arm by itself; how it stands against the others is added by `with_loss`."""
    facts = _facts(arm)
    if arm.status != "ok":
        return Row(**facts)
    task = evidence.task
    primary = primary_score(evidence, arm)
    timing = _timing(arm)
    usage = usage_of(evidence, arm)
    parts = cost.cost_of(usage, terms)
    busy = cost.usd_per_1k_busy(usage, terms)
    reserved = cost.usd_per_1k_reserved(usage, terms)
    serving, fitting = _peaks(arm, "serve", SERVING), _peaks(arm, "fit", ("fit",))
    checks = (
        *limit_checks(
            task["limits"],
            (primary.value or 0.0, primary.ci_low, primary.ci_high),
            None if timing["p95_s"] is None else (timing["p95_s"], *_p95_interval(arm)),
            serving,
            fitting,
            cost.usd_per_1k(usage, terms),
        ),
        *need_checks(task["needs"], arm.plan.provides, evidence.models_of(arm)),
    )
    slices = slice_scores(evidence, arm, item_metric(evidence.metric))
    return Row(
        **facts,
        **timing,
        score=primary,
        also=_also(evidence, arm, primary),
        without_leaks=_without_leaks(evidence, arm),
        slices=slices,
        worst_slice=worst_slice(slices) if wanted(evidence, "worst_slice") else None,
        facts=diagnostics_of(evidence, arm),
        classes=class_scores(evidence, arm),
        unanswerable=unanswerable_of(evidence, arm),
        cited=cited_answers(evidence, arm),
        energy_j=_energy_j(arm),
        fit_wall_s=usage.fit_s,
        fit_peak_bytes=fitting.limited_bytes,
        fit_peak_ram_bytes=fitting.ram_bytes,
        fit_peak_gpu_bytes=fitting.gpu_bytes,
        predict_peak_bytes=serving.limited_bytes,
        predict_peak_ram_bytes=serving.ram_bytes,
        predict_peak_gpu_bytes=serving.gpu_bytes,
        fit_usd=parts.fitting_usd,
        usd_per_1k_busy=busy,
        usd_per_1k_reserved=reserved,
        total_usd=cost.total_usd(parts, terms),
        prompt_tokens_mean=_prompt_tokens_mean(arm),
        misses=tuple(check.key for check in checks if check.state != "met"),
        checks=checks,
        cost=parts,
        failed_items=sum(p.error is not None for seed in arm.predictions for p in seed),
    )


def with_loss(row: Row, loss: Loss | None) -> Row:
    """Return the row with its loss against the best of the others."""
    return row if loss is None else row.model_copy(update={"loss_to_best": loss})


def usage_of(evidence: Evidence, arm: ArmEvidence) -> cost.Usage:
    """Return what the cost arithmetic needs of an arm that ended ok."""
    charge, fit_charge = elsewhere.usd_per_request(evidence, arm), elsewhere.fit_usd(evidence, arm)
    return cost.Usage(
        arm=arm.name,
        fit_s=fmean(_walls(arm, "fit", ("fit",))),
        throughput_per_s=_throughput_per_s(arm),
        labels_n=arm.plan.labels_n,
        needs_model=arm.plan.needs_model,
        learns=arm.plan.learns,
        tunes=arm.plan.tunes,
        elsewhere=arm.plan.replays or charge is not None or bool(elsewhere.walls_s(arm)),
        usd_per_request=charge,
        charged_by=(arm.plan.model or arm.name) if charge or fit_charge else None,
        fit_charged_usd=fit_charge,
    )


def _facts(arm: ArmEvidence) -> dict[str, Any]:
    results = [half for trial in arm.trials for half in (trial.fit, trial.serve) if half]
    notes = (f"{note.kind}: {note.text}" for result in results for note in result.notes)
    timing = [elsewhere.TIMING] if elsewhere.walls_s(arm) else []
    models = (_model_text(model) for result in results for model in result.loaded_models)
    sizes = [trial.artifact_bytes for trial in arm.trials if trial.artifact_bytes is not None]
    return {
        "strategy": arm.name,
        "status": arm.status,
        "error": arm.error,
        "use": arm.plan.strategy,
        "params": arm.plan.params,
        "complexity": arm.plan.complexity,
        "seeds": tuple(trial.seed for trial in arm.trials),
        "notes": tuple(dict.fromkeys([*notes, *timing])),
        "models": tuple(dict.fromkeys(models)),
        "artifact_bytes": max(sizes, default=None),
        "foresight": _foresight(arm),
    }


def _foresight(arm: ArmEvidence) -> Foresight | None:
    """Hold the forecast that was made before an arm's first trial ran against what it took."""
    forecast = arm.trials[0].forecast if arm.trials else arm.plan.forecast
    if arm.status != "ok":
        return foresight(forecast, (None, None), ((), ()))
    served = [
        sum(m.wall_s for m in trial.serve.measurements if m.phase in SERVING)
        for trial in arm.trials
        if trial.serve
    ]
    peaks = _peaks(arm, "fit", ("fit",)), _peaks(arm, "serve", SERVING)
    limited = peaks[0].limited_bytes, peaks[1].limited_bytes
    return foresight(forecast, limited, (_walls(arm, "fit", ("fit",)), served))


def _model_text(model: LoadedModel) -> str:
    if model.hosted_at is not None:
        return f"{model.name}, hosted at {model.hosted_at}"
    taken = "" if model.weights_bytes is None else f" ({numbers.size(model.weights_bytes)})"
    return (
        f"{model.name}, {model.parameters:,} weights in {model.dtype}{taken} on {model.device},"
        f" {model.scoring} scoring"
    )


def _timing(arm: ArmEvidence) -> dict[str, Any]:
    warm, cold = _warm_walls(arm), [w for t in arm.trials if t.serve for w in t.serve.cold_walls_s]
    own = not elsewhere.walls_s(arm)
    if own and arm.plan.replays:
        return dict.fromkeys(("p50_s", "p95_s", "p50_cold_s", "throughput_per_s"))
    return {
        "p50_s": float(np.quantile(warm, 0.5)),
        "p95_s": float(np.quantile(warm, 0.95)),
        "p50_cold_s": float(np.quantile(cold, 0.5)) if own else None,
        "throughput_per_s": _throughput_per_s(arm),
    }


def _throughput_per_s(arm: ArmEvidence) -> float:
    """Return answers a second: in one call of all, or, answered elsewhere, one after another."""
    if walls := elsewhere.walls_s(arm):
        return 1 / fmean(walls)
    answered = sum(len(seed) for seed in arm.predictions)
    return answered / sum(_walls(arm, "serve", ("predict",)))


def _warm_walls(arm: ArmEvidence) -> list[float]:
    """Return the seconds of single requests with a kept prefix; of replayed answers, of all.

    A server's answers to all rows come several at a time, each the slower for the others.
    """
    if arm.plan.replays and (walls := elsewhere.walls_s(arm)):
        return walls
    return [wall for trial in arm.trials if trial.serve for wall in trial.serve.warm_walls_s]


def _p95_interval(arm: ArmEvidence) -> tuple[float, float]:
    return quantile_interval(np.array(_warm_walls(arm)), 0.95)


def _measurements(arm: ArmEvidence, half: str, phases: tuple[Phase, ...]) -> list[Measurement]:
    results: list[WorkerResult] = [getattr(trial, half) for trial in arm.trials]
    return [m for result in results for m in result.measurements if m.phase in phases]


def _walls(arm: ArmEvidence, half: str, phases: tuple[Phase, ...]) -> list[float]:
    return [measurement.wall_s for measurement in _measurements(arm, half, phases)]


def _peaks(arm: ArmEvidence, half: str, phases: tuple[Phase, ...]) -> Peaks:
    found = _measurements(arm, half, phases)
    ram = [m.peak_rss_bytes for m in found if m.peak_rss_bytes]
    gpu = [m.peak_gpu_bytes for m in found if m.peak_gpu_bytes]
    return Peaks(max(ram, default=None), max(gpu, default=None))


def _energy_j(arm: ArmEvidence) -> float | None:
    """Return what fitting and answering all rows took, the mean over seeds."""
    found = [*_measurements(arm, "fit", ("fit",)), *_measurements(arm, "serve", ("predict",))]
    joules = joules_of(found)
    return None if joules is None else joules / len(arm.trials)


def _also(evidence: Evidence, arm: ArmEvidence, primary: Score) -> tuple[Score, ...]:
    names = list(evidence.task["also"])
    if primary.metric == "macro_f1" and "accuracy" not in names:
        names.append("accuracy")
    return tuple(further_score(evidence, arm, name) for name in names)


def _without_leaks(evidence: Evidence, arm: ArmEvidence) -> Score | None:
    leaked = set(evidence.header.data.leaked_ids)
    rows = [number for number, row_id in enumerate(evidence.truth.ids) if row_id not in leaked]
    if not leaked or not rows:
        return None
    return score(evidence, arm, evidence.metric, rows)


def _prompt_tokens_mean(arm: ArmEvidence) -> float | None:
    tokens = [p.prompt_tokens for seed in arm.predictions for p in seed if p.prompt_tokens]
    return fmean(tokens) if tokens else None
