"""Whether the machine was busy with something else while trials were timed."""

from __future__ import annotations

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.store.records import WorkerResult
from harness.wording import numbers

MOST_WAITING = 0.10
"""Share of the time for which an arm's threads were ready and waited for a core."""
LEAST_READY_S = 0.5
"""Less than this says nothing about a share."""


def busy_machine(evidence: Evidence) -> list[str]:
    """Return a finding where times may be too long because cores were taken, else nothing.

    Told by how long the arms' own threads waited for a core, which has no other cause than more
    threads than cores. Where the system does not say that: by the load average when a worker
    began. A trial's own threads keep that near the number of cores, so only half as much again
    tells of company; it counts the whole host, so it is held against the host's cores.
    """
    shares = {arm.name: _waiting(arm) for arm in evidence.arms}
    known = {name: share for name, share in shares.items() if share is not None}
    if known:
        worst = max(known, key=lambda name: known[name])
        if known[worst] <= MOST_WAITING:
            return []
        return [
            f"threads of {worst} waited {numbers.percent(known[worst])} of the time for a core:"
            " the machine had other work, or they are more than its cores; times may be too long"
        ]
    machine = evidence.header.machine
    cores = machine.host_cores or machine.cores
    loads = [half.load_average or 0.0 for arm in evidence.arms for half in _halves(arm)]
    if not loads or max(loads) <= 1.5 * cores + 0.5:
        return []
    return [
        f"the machine was busy with other work (load average up to {max(loads):.1f} on"
        f" {cores} cores): times may be too long"
    ]


def _halves(arm: ArmEvidence) -> list[WorkerResult]:
    return [half for trial in arm.trials for half in (trial.fit, trial.serve) if half]


def _waiting(arm: ArmEvidence) -> float | None:
    """Return the share of the time in which an arm was ready to compute that it could not."""
    known = [
        (measured.cpu_wait_s, measured.cpu_s)
        for half in _halves(arm)
        for measured in half.measurements
        if measured.cpu_wait_s is not None
    ]
    waited, computed = (sum(column) for column in zip(*known, strict=True)) if known else (0, 0)
    ready_s = waited + computed
    return waited / ready_s if ready_s >= LEAST_READY_S else None
