"""What an arm took, by its records: time, memory, energy, and what others charged.

An answer that comes from elsewhere (replayed, or from a server that is not ours) may carry its own
time and charge, and these count: our own clock would be wrong there. Knows no prices but the token
prices of hosted models, and no limits.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean
from typing import NamedTuple

import numpy as np

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import ArmResult
from harness.stats.intervals import quantile_interval
from harness.store.machine import Machine
from harness.store.records import (
    LoadedModel,
    Measurement,
    Phase,
    TrialRecord,
    WorkerResult,
    joules_of,
)
from harness.types import Prediction
from harness.wording import numbers

SERVING: tuple[Phase, ...] = ("load", "latency", "predict")
"""Phases in which an arm serves."""
OWN_TIMES = (
    "time of an answer: each request's own, as it was first asked, with waiting for retries, one at"
    " a time for p50 and p95; throughput is of one stream of requests, as they took it when several"
    " were in flight (a server may take many at once)"
)
"""Stands among the notes of an arm whose answers carry their own times."""


class Timing(NamedTuple):
    """Latency in seconds and answers a second; None: nobody measured it."""

    p50_s: float | None = None
    p95_s: float | None = None
    p50_cold_s: float | None = None
    throughput_per_s: float | None = None


class Peaks(NamedTuple):
    """The highest peaks over some phases and all seeds."""

    ram_bytes: int | None
    """Resident main memory of the process tree."""
    gpu_bytes: int | None = None
    """What torch reserved on the GPU; None where none was used."""

    @property
    def limited_bytes(self) -> int | None:
        """What limits are about: of the GPU where one was used, else of main memory."""
        return self.ram_bytes if self.gpu_bytes is None else self.gpu_bytes

    @property
    def place(self) -> str:
        """Where that was, in words; nothing for main memory."""
        return "" if self.gpu_bytes is None else " on the GPU"


def timing_of(arm: ArmData) -> Timing:
    """Return an arm's latency and throughput; nothing of replayed answers that carry no times."""
    own_clock = not own_times_s(arm)
    if own_clock and arm.plan.replays:
        return Timing()
    warm, cold = warm_walls_s(arm), [w for t in arm.trials if t.serve for w in t.serve.cold_walls_s]
    return Timing(
        p50_s=float(np.quantile(warm, 0.5)),
        p95_s=float(np.quantile(warm, 0.95)),
        p50_cold_s=float(np.quantile(cold, 0.5)) if own_clock else None,
        throughput_per_s=throughput_per_s(arm),
    )


def p95_interval(arm: ArmData) -> tuple[float, float]:
    """Return the 95% interval of the 95th percentile of latency, in seconds."""
    return quantile_interval(np.array(warm_walls_s(arm)), 0.95)


def throughput_per_s(arm: ArmData) -> float:
    """Return answers a second: in one call of all, or, answered elsewhere, one after another."""
    if walls := own_times_s(arm):
        return 1 / fmean(walls)
    answered = sum(len(seed) for seed in arm.predictions)
    return answered / sum(m.wall_s for m in _measurements(arm, _serve, ("predict",)))


def own_times_s(arm: ArmData) -> list[float]:
    """Return the seconds that each answer says it took; empty unless all of them say so.

    No answer takes no time: 0 says nothing.
    """
    answered = _answered(arm)
    walls = [p.wall_s for p in answered if p.wall_s]
    return walls if len(walls) == len(answered) else []


def fit_walls_s(arm: ArmData) -> list[float]:
    """Return the seconds of preparation (training or indexing), one a seed."""
    return [m.wall_s for m in _measurements(arm, _fit, ("fit",))]


def fit_share(arm: ArmData) -> float:
    """Return the share of its machine that an arm was prepared on, the mean over seconds.

    1 where it had the machine to itself: beside others, its cost is that of its share.
    """
    taken = [
        (m.wall_s, trial.fit.hardware.share if trial.fit.hardware else 1.0)
        for trial in arm.trials
        if trial.fit
        for m in trial.fit.measurements
        if m.phase == "fit"
    ]
    whole_s = sum(wall_s for wall_s, _ in taken)
    return sum(wall_s * share for wall_s, share in taken) / whole_s if whole_s else 1.0


def serve_walls_s(arm: ArmData) -> list[float]:
    """Return the seconds of loading, single requests and all rows at once, one sum a seed."""
    return [
        sum(m.wall_s for m in trial.serve.measurements if m.phase in SERVING)
        for trial in arm.trials
        if trial.serve
    ]


def fit_peaks(arm: ArmData) -> Peaks:
    """Return the peak memory of preparation."""
    return _peaks(_measurements(arm, _fit, ("fit",)))


def serve_peaks(arm: ArmData) -> Peaks:
    """Return the peak memory of serving."""
    return _peaks(_measurements(arm, _serve, SERVING))


def energy_j(arm: ArmData) -> float | None:
    """Return what preparation and answering all rows took, the mean over seeds."""
    found = [*_measurements(arm, _fit, ("fit",)), *_measurements(arm, _serve, ("predict",))]
    joules = joules_of(found)
    return None if joules is None else joules / len(arm.trials)


def prompt_tokens_mean(arm: ArmData) -> float | None:
    """Return the mean length of the prompts whose length is known."""
    tokens = [p.prompt_tokens for seed in arm.predictions for p in seed if p.prompt_tokens]
    return fmean(tokens) if tokens else None


def usd_per_request(run: RunData, arm: ArmData) -> float | None:
    """Return the mean charge for an answer, or None unless all of them have one.

    The newest invocation's token prices count, else what was charged when the answer was given:
    a price that is added or corrected needs no new answers.
    """
    # Of an answer of several servers nobody can tell which tokens were whose.
    served = {arm.plan.model, *arm.plan.serves_with}
    asked = [run.header.models[n] for n in served if n in run.header.models]
    hosted = [model.hosted for model in asked if model.hosted is not None]
    endpoint = hosted[0] if len(hosted) == 1 else None
    charges = []
    for answer in _answered(arm):
        charge = endpoint.charge_usd(answer) if endpoint else None
        charge = answer.usd if charge is None else charge
        if charge is None:
            return None
        charges.append(charge)
    return fmean(charges) if charges else None


def fit_charged_usd(run: RunData, arm: ArmData) -> float | None:
    """Return what others charged for the arm's preparation: None where a part is not known.

    What its parameters say of a preparation that was made elsewhere, and what a hosted model
    charged during ours: 0 if it was asked nothing.
    """
    charges = [
        _charge(run, arm, asked)
        for trial in arm.trials
        if trial.fit
        for asked in trial.fit.loaded_models
        if asked.hosted_at is not None
    ]
    known = [charge for charge in charges if charge is not None]
    if len(known) < len(charges):
        return None
    return arm.plan.fit_usd + sum(known) / max(len(arm.trials), 1)


def fitting_memory(arm: ArmResult, machine: Machine) -> str:
    """Return an arm's peak memory during preparation, in words."""
    return _text(arm.fit_peak_bytes, Peaks(arm.fit_peak_ram_bytes, arm.fit_peak_gpu_bytes), machine)


def serving_memory(arm: ArmResult, machine: Machine) -> str:
    """Return an arm's peak memory while it answered, in words."""
    peaks = Peaks(arm.predict_peak_ram_bytes, arm.predict_peak_gpu_bytes)
    return _text(arm.predict_peak_bytes, peaks, machine)


def _text(limited_bytes: int | None, peaks: Peaks, machine: Machine) -> str:
    """Say what each figure is of, on a machine with a GPU; comparisons of old versions cannot."""
    if (machine.gpu is None and peaks.gpu_bytes is None) or peaks == (None, None):
        return numbers.size(limited_bytes)
    return numbers.memory(*peaks)


def _charge(run: RunData, arm: ArmData, asked: LoadedModel) -> float | None:
    if asked.requests == 0:
        return 0.0
    hosted = run.hosted_of(arm)
    same = [one for one in hosted if (one.name, one.location) == (asked.name, asked.hosted_at)]
    model = next(iter((*same, *hosted)), None)
    if model is None or model.hosted is None:
        return None
    together = Prediction(
        "",
        prompt_tokens=asked.prompt_tokens,
        cached_tokens=asked.cached_tokens,
        output_tokens=asked.output_tokens,
    )
    return model.hosted.charge_usd(together)


def _answered(arm: ArmData) -> list[Prediction]:
    return [p for seed in arm.predictions for p in seed if not p.error]


def warm_walls_s(arm: ArmData) -> list[float]:
    """Return the seconds of single requests with a kept prefix; of replayed answers, of all.

    A server's answers to all rows come several at a time, each the slower for the others.
    """
    if arm.plan.replays and (walls := own_times_s(arm)):
        return walls
    return [wall for trial in arm.trials if trial.serve for wall in trial.serve.warm_walls_s]


def _fit(trial: TrialRecord) -> WorkerResult | None:
    return trial.fit


def _serve(trial: TrialRecord) -> WorkerResult | None:
    return trial.serve


def _measurements(
    arm: ArmData, half: Callable[[TrialRecord], WorkerResult | None], phases: tuple[Phase, ...]
) -> list[Measurement]:
    results = [result for trial in arm.trials if (result := half(trial)) is not None]
    return [m for result in results for m in result.measurements if m.phase in phases]


def _peaks(found: list[Measurement]) -> Peaks:
    ram = [m.peak_rss_bytes for m in found if m.peak_rss_bytes]
    gpu = [m.peak_gpu_bytes for m in found if m.peak_gpu_bytes]
    return Peaks(max(ram, default=None), max(gpu, default=None))
