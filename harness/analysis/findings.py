"""What a reader must know of the figures of a run, in sentences: doubts, failures, what stands out.

None of it enters the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.performance.machines import other_machines
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import ArmResult
from harness.analysis.schema.diagnostics import Change, Overfitting
from harness.analysis.schema.scores import SliceScore
from harness.analysis.scoring.breakdown import FEWEST_IN_SLICE, ahead_in
from harness.store.records import WorkerResult
from harness.wording import numbers
from harness.wording.sentences import listed

MOST_WAITING = 0.10
"""Share of the time for which an arm's threads were ready and waited for a core."""
LEAST_READY_S = 0.5
"""Less than this says nothing about a share."""


def findings_of(run: RunData, arms: Sequence[ArmResult], choice: str | None) -> Iterator[str]:
    """Yield what is found of all arms, the gravest first.

    Args:
        run: the records.
        arms: what was found of each arm.
        choice: the arm that is recommended, if one is.
    """
    yield from other_machines(run)
    yield from _doubts(arms)
    for arm in arms:
        if arm.failed_items:
            yield f"{arm.failed_items} answers of {arm.strategy} failed and score zero"
    yield from _side_by_side(run)
    yield from _busy_machine(run)
    yield from _trained_once(run)
    for arm in arms:
        if arm.diagnostics.overfitting is not None:
            yield from _of_curves(arm, arm.diagnostics.overfitting)
        yield from _forgotten(arm)
        yield from _fragile(arm, run.task.margin)
        if arm.strategy == choice and arm.worst_slice is not None:
            yield _worst_slice_text(arms, arm, arm.worst_slice)


def _doubts(arms: Sequence[ArmResult]) -> Iterator[str]:
    """Yield why intervals are not to be trusted, each reason once with the arms it concerns."""
    reasons: dict[str, list[str]] = {}
    for arm in arms:
        if arm.score and arm.score.unreliable:
            reasons.setdefault(arm.score.unreliable, []).append(arm.strategy)
    for reason, names in reasons.items():
        yield f"{listed(names)}: {reason}"


def _side_by_side(run: RunData) -> Iterator[str]:
    """Say which arms were prepared while the machine prepared others too."""
    names = [
        arm.name
        for arm in run.arms
        if any(half.hardware and half.hardware.neighbours for half in _halves(arm))
    ]
    if names:
        yield (
            f"{listed(names)}: prepared beside other trials on the same machine; times of"
            " preparation are upper bounds, and cost counts the share of the machine → for times"
            " of their own, run again with `run: {parallel: 1}`"
        )


def _busy_machine(run: RunData) -> Iterator[str]:
    """Say so where times may be too long because cores were taken.

    Told by how long the arms' own threads waited for a core, which has no other cause than more
    threads than cores. Where the system does not give that: by the load average when a worker
    began. A trial's own threads keep that near the number of cores, so only half as much again
    shows other work; it counts the whole host, so it is compared with the host's cores.
    """
    shares = {arm.name: _waiting(arm) for arm in run.arms}
    known = {name: share for name, share in shares.items() if share is not None}
    if known:
        worst = max(known, key=lambda name: known[name])
        if known[worst] > MOST_WAITING:
            yield (
                f"busy machine: {worst} spent {numbers.percent(known[worst])} of the time waiting"
                " for a CPU core, because of other work or of more threads than cores; times may be"
                " too long"
            )
        return
    halves = [half for arm in run.arms for half in _undisturbed(arm) if half.hardware]
    loads = [(half.load_average or 0.0, _host_cores(half)) for half in halves]
    load, cores = max(loads, key=lambda each: each[0] - 1.5 * each[1], default=(0.0, 1))
    if load > 1.5 * cores + 0.5:
        yield (
            f"busy machine: the load average was up to {load:.1f} on {cores} cores; times may"
            " be too long"
        )


def _host_cores(half: WorkerResult) -> int:
    """Return the cores of the host that a process ran on."""
    assert half.hardware is not None
    return half.hardware.machine.host_cores or half.hardware.machine.cores


def _halves(arm: ArmData) -> list[WorkerResult]:
    return [half for trial in arm.trials for half in (trial.fit, trial.serve) if half]


def _undisturbed(arm: ArmData) -> list[WorkerResult]:
    """Return the halves of an arm's trials that no other trial of the run ran beside."""
    return [half for half in _halves(arm) if not (half.hardware and half.hardware.neighbours)]


def _waiting(arm: ArmData) -> float | None:
    """Return the share of the time in which an arm was ready to compute that it could not."""
    known = [
        (measured.cpu_wait_s, measured.cpu_s)
        for half in _undisturbed(arm)
        for measured in half.measurements
        if measured.cpu_wait_s is not None
    ]
    waited, computed = (sum(column) for column in zip(*known, strict=True)) if known else (0, 0)
    ready_s = waited + computed
    return waited / ready_s if ready_s >= LEAST_READY_S else None


def _trained_once(run: RunData) -> Iterator[str]:
    """Name the tuned arms of which one training alone is known."""
    names = [
        arm.name
        for arm in run.finished
        if arm.plan.tunes and not arm.plan.replays and len(arm.trials) == 1
    ]
    if names:
        yield (
            f"{listed(names)}: trained once, so no interval holds how much scores differ between"
            " trainings → set `seeds: [0, 1, 2, 3, 4]`"
        )


def _of_curves(arm: ArmResult, found: Overfitting) -> Iterator[str]:
    which = [f"part {found.part}"] if found.part else []
    which += [f"seed {found.seed}"] if len(arm.seeds) > 1 else []
    name = arm.strategy + (f" ({', '.join(which)})" if which else "")
    losses = found.validation_loss, found.train_loss
    validation, trained = (" to ".join(map(numbers.score, pair or ())) for pair in losses)
    if found.flagged:
        yield (
            f"{name} overfitted after step {found.step}: by step {found.last_step} its validation"
            f" loss rises from {validation} while its training loss falls from {trained}; built-in"
            f" tuning keeps the weights of step {found.step}"
        )
    if found.falling_from is not None and found.validation_loss is not None:
        begin, end = found.falling_from, found.validation_loss[1]
        yield (
            f"{name} may not have been trained to its end: its validation loss still"
            f" fell, from {numbers.score(begin)} to {numbers.score(end)}, when training ended at"
            f" step {found.last_step} → try more epochs"
        )


def _forgotten(arm: ArmResult) -> Iterator[str]:
    """Say what tuning made a model significantly worse at, besides the task."""
    found = arm.diagnostics.forgetting
    if found is None:
        return
    text, choice = found.bits_per_byte, found.choice_accuracy
    if text is not None and text.ci_low > 0:
        yield (
            f"tuning of {arm.strategy} damaged general language: {numbers.score(text.after)} bits"
            f" per byte, up from {numbers.score(text.before)} (lower is better)"
        )
    if choice is not None and choice.ci_high < 0:
        yield (
            f"tuning of {arm.strategy} damaged general knowledge: accuracy"
            f" {numbers.score(choice.after)}, down from {numbers.score(choice.before)}"
        )


def _fragile(arm: ArmResult, margin: float) -> Iterator[str]:
    """Say which changes of the input cost an arm significantly more than the margin."""
    for one in arm.diagnostics.robustness:
        if one.score is not None and one.score.ci_high < -margin:
            yield (
                f"{arm.strategy} is sensitive to {one.name}: {_from_to(one.score)} on"
                f" {one.score.n} test rows"
            )


def _from_to(change: Change) -> str:
    return (
        f"{change.metric} {numbers.score(change.after)}, down from {numbers.score(change.before)},"
    )


def _worst_slice_text(arms: Sequence[ArmResult], arm: ArmResult, worst: SliceScore) -> str:
    large = sum(s.score.n >= FEWEST_IN_SLICE for s in arm.slices)
    score, ahead = worst.score, ahead_in(arms, arm, worst)
    interval = numbers.interval(score.ci_low, score.ci_high)
    others = ""
    if ahead is not None:
        name, best = ahead
        beside = numbers.interval(best.ci_low, best.ci_high)
        figures = f"{numbers.score(best.value)} ({beside})"
        others = f" The highest score on those rows is that of {name}: {figures}."
    return (
        f"{arm.strategy} does worst where {worst.column} is '{worst.value}': {score.metric}"
        f" {numbers.score(score.value)} (95% interval {interval}) on {score.n} rows. It is the"
        f" lowest of {large} slices of at least {FEWEST_IN_SLICE} rows, and the lowest of several"
        f" is low by chance too.{others}"
    )
