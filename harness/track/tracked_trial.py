"""What a tracker is told of a trial: figures, curves and parameters, read off the records.

Pure: the same records give the same. None and unknown figures are left out, never 0.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple

from harness.analysis import ArmResult
from harness.store.records import Measurement, TrialRecord, WorkerResult, joules_of

CURVES = ("train_loss", "validation_loss", "learning_rate")
"""What of a training log is drawn over its steps."""


class Point(NamedTuple):
    """One value of a curve."""

    curve: str
    step: int
    value: float


@dataclass(frozen=True)
class TrackedTrial:
    """One arm with one seed, as a tracker shows it."""

    trial_id: str
    name: str
    """To be read by people, and safe as a folder's name: "lora-seed-0"."""
    arm: str
    strategy: str
    seed: int
    status: str
    error: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, float] = field(default_factory=dict)
    """By the names that comparison.json has for them, units in the name."""
    points: tuple[Point, ...] = ()


def tracked_trial(record: TrialRecord, log: Iterable[Mapping[str, Any]]) -> TrackedTrial:
    """Return what is told of a trial.

    Args:
        record: its record.
        log: rows of its training log; none where it trains no weights.
    """
    variant = f"-{record.trial_id[:8]}" if record.rows is not None else ""
    return TrackedTrial(
        trial_id=record.trial_id,
        name=f"{record.arm}-seed-{record.seed}{variant}",
        arm=record.arm,
        strategy=record.strategy,
        seed=record.seed,
        status=record.status,
        error=record.error,
        params={key: _text(value) for key, value in record.params.items()},
        figures=dict(_known(_figures(record))),
        points=tuple(_points(log)),
    )


def arm_figures(arm: ArmResult, seed: int) -> dict[str, float]:
    """Return what the analysis found of an arm, and of its training with that seed."""
    score = arm.score
    figures: dict[str, float | None] = {"total_usd": arm.total_usd}
    if score is not None:
        figures |= {
            "score": score.value,
            "score_ci_low": score.ci_low,
            "score_ci_high": score.ci_high,
        }
    figures |= {further.metric: further.value for further in arm.also}
    for training in arm.trainings.each if arm.trainings else ():
        if training.seed == seed:
            figures["training_score"] = training.score.value
    return dict(_known(figures.items()))


def _figures(record: TrialRecord) -> Iterator[tuple[str, float | None]]:
    """Yield times, memory, energy and size of a trial."""
    fit, serve = record.fit, record.serve
    yield "fit_wall_s", _wall(fit, "fit")
    yield "fit_peak_ram_bytes", _peak(fit, "peak_rss_bytes")
    yield "fit_peak_gpu_bytes", _peak(fit, "peak_gpu_bytes")
    yield "predict_wall_s", _wall(serve, "predict")
    yield "predict_peak_ram_bytes", _peak(serve, "peak_rss_bytes")
    yield "predict_peak_gpu_bytes", _peak(serve, "peak_gpu_bytes")
    yield "p50_s", median(serve.warm_walls_s) if serve and serve.warm_walls_s else None
    halves = [half for half in (fit, serve) if half is not None]
    yield "energy_j", joules_of([m for half in halves for m in half.measurements])
    yield "artifact_bytes", record.artifact_bytes
    yield "validation_score", validation.value if (validation := _validation(serve)) else None


def _validation(serve: WorkerResult | None) -> Any:
    return serve.validation if serve is not None else None


def _measured(half: WorkerResult | None) -> tuple[Measurement, ...]:
    return half.measurements if half is not None else ()


def _wall(half: WorkerResult | None, phase: str) -> float | None:
    return next((m.wall_s for m in _measured(half) if m.phase == phase), None)


def _peak(half: WorkerResult | None, name: str) -> float | None:
    known = [value for m in _measured(half) if (value := getattr(m, name)) is not None]
    return max(known, default=None)


def _points(log: Iterable[Mapping[str, Any]]) -> Iterator[Point]:
    """Yield the curves of a training log; a row that is not one is passed over."""
    for row in log:
        step = row.get("step")
        if not isinstance(step, int):
            continue
        for curve in CURVES:
            value = row.get(curve)
            if isinstance(value, int | float) and math.isfinite(value):
                yield Point(curve, step, float(value))


def _known(figures: Iterable[tuple[str, float | None]]) -> Iterator[tuple[str, float]]:
    """Yield what is known, finite figures alone."""
    for name, value in figures:
        if value is not None and math.isfinite(value):
            yield name, float(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
