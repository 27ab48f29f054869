"""What was answered elsewhere, by a server that is not ours: its times and its charges.

Our own clock would be wrong there: an answer may be replayed, and the machine that was busy is
not the one that was measured.
"""

from __future__ import annotations

from statistics import fmean

from harness.judge.evidence import ArmEvidence, Evidence
from harness.types import Prediction

TIMING = (
    "time of an answer: each request's own, as it was first asked, among others in flight and with"
    " waiting for retries; throughput is of one stream of requests (a server may take many at once)"
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


def _answered(arm: ArmEvidence) -> list[Prediction]:
    return [p for seed in arm.predictions for p in seed if not p.error]
