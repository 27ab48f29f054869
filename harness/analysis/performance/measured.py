"""What was answered elsewhere, by a server that is not ours: its times and its charges.

Our own clock would be wrong there: an answer may be replayed, and the machine that was busy is
not the one that was measured.
"""

from __future__ import annotations

from statistics import fmean

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.store.records import LoadedModel
from harness.types import Prediction

TIMING = (
    "time of an answer: each request's own, as it was first asked, with waiting for retries, one at"
    " a time for p50 and p95; throughput is of one stream of requests, as they took it when several"
    " were in flight (a server may take many at once)"
)
"""Stands among the notes of an arm whose answers carry their own times."""


def walls_s(arm: ArmEvidence) -> list[float]:
    """Return the seconds that each answer says it took; empty unless all of them say so.

    No answer takes no time: 0 says nothing.
    """
    answered = _answered(arm)
    walls = [p.wall_s for p in answered if p.wall_s]
    return walls if len(walls) == len(answered) else []


def usd_per_request(evidence: Evidence, arm: ArmEvidence) -> float | None:
    """Return the mean charge for an answer, or None unless all of them have one.

    The newest invocation's token prices count, else what was charged when the answer was given:
    a price that is added or corrected needs no new answers.
    """
    model = evidence.header.models.get(arm.plan.model or "")
    endpoint = model.hosted if model else None
    charges = []
    for answer in _answered(arm):
        charge = endpoint.charge_usd(answer) if endpoint else None
        charge = answer.usd if charge is None else charge
        if charge is None:
            return None
        charges.append(charge)
    return fmean(charges) if charges else None


def fit_usd(evidence: Evidence, arm: ArmEvidence) -> float | None:
    """Return what others charge for fitting the arm: None where a part of it is not known.

    What its parameters say of a fit that was made elsewhere, and what a hosted model charged while
    it was fitted here: 0 if it was asked nothing.
    """
    charges = [
        _charge(evidence, arm, asked)
        for trial in arm.trials
        if trial.fit
        for asked in trial.fit.loaded_models
        if asked.hosted_at is not None
    ]
    known = [charge for charge in charges if charge is not None]
    if len(known) < len(charges):
        return None
    return arm.plan.fit_usd + sum(known) / max(len(arm.trials), 1)


def _charge(evidence: Evidence, arm: ArmEvidence, asked: LoadedModel) -> float | None:
    if asked.requests == 0:
        return 0.0
    model = evidence.header.models.get(arm.plan.model or "")
    if model is None or model.hosted is None:
        return None
    together = Prediction(
        "",
        prompt_tokens=asked.prompt_tokens,
        cached_tokens=asked.cached_tokens,
        output_tokens=asked.output_tokens,
    )
    return model.hosted.charge_usd(together)


def _answered(arm: ArmEvidence) -> list[Prediction]:
    return [p for seed in arm.predictions for p in seed if not p.error]
