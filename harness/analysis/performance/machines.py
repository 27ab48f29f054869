"""Which machine an arm's figures were measured on, and with which of them they are compared.

An arm's score counts wherever its answers were given. Its times, memory, energy and cost are those
of the machine that measured them, at that machine's price. They are compared with figures of the
same class of machine alone: the class that the newest invocation of the run was on, or the class of
the nodes that served all of it. Knows neither limits' values nor the verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from harness.analysis.performance.measured import own_times_s
from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.comparison import Check, NotCompared
from harness.prices import Prices
from harness.store.machine import Hardware, MachineClass
from harness.store.records import TrialRecord

REMEDY = "run the task with --fresh, or with another --out, to measure every arm on one machine"
OF_SERVING = ("max_p95_ms", "max_serve_memory_gib", "max_usd_per_1k")
OF_PREPARATION = ("max_fit_memory_gib",)
"""Limits, by the half of a trial that their figures are of."""


class Origin(NamedTuple):
    """Where an arm's figures come from."""

    arm: ArmData
    """With those trials alone that its times, memory, energy and machine time are of."""
    seeds: int
    """Trials that there are."""
    preparation: Hardware | None
    """None: not on record."""
    serving: Hardware | None
    reference: Hardware
    """See `reference_of`."""

    @property
    def prepared_here(self) -> bool:
        """Whether preparation was measured on the run's class of machine."""
        return _class(self.preparation) == self.reference.machine_class

    @property
    def served_here(self) -> bool:
        """Whether serving was measured on the run's class of machine."""
        return _class(self.serving) == self.reference.machine_class

    @property
    def elsewhere(self) -> str:
        """The machine of another class, in words."""
        away = self.preparation if self.served_here else self.serving
        return named(away)


def reference_of(run: RunData) -> Hardware:
    """Return what all arms' figures are compared on.

    The machine of the newest invocation; where a cluster's nodes served all that there is, that
    machine served nothing, and the kind of node counts that served most trials.
    """
    served = [_hardware(trial)[1] for arm in run.arms for trial in arm.trials if trial.serve]
    nodes = [hardware for hardware in served if hardware is not None and hardware.node is not None]
    if not nodes or len(nodes) < len(served):
        return run.header.hardware
    [(most, _)] = Counter(node.machine_class for node in nodes).most_common(1)
    return next(node for node in nodes if node.machine_class == most)


def origin_of(run: RunData, arm: ArmData) -> Origin:
    """Choose the trials that an arm's figures are of: all of one pair of machine classes.

    Means over two machines are figures of neither. So the trials count that the run's own machine
    measured; else those that it served; else those that are like the first. Of an arm that did not
    finish, all.
    """
    here = reference_of(run)
    groups: dict[tuple[MachineClass | None, MachineClass | None], list[int]] = {}
    for number, trial in enumerate(arm.trials if arm.finished else ()):
        preparation, serving = _hardware(trial)
        groups.setdefault((_class(preparation), _class(serving)), []).append(number)
    if not groups:
        return Origin(arm, len(arm.trials), here, here, here)
    own = here.machine_class
    chosen = groups[min(groups, key=lambda pair: (pair[1] != own, pair[0] != own))]
    preparation, serving = _hardware(arm.trials[chosen[0]])
    if len(chosen) < len(arm.trials):
        trials = tuple(arm.trials[number] for number in chosen)
        predictions = tuple(arm.predictions[number] for number in chosen)
        likelihoods = tuple(arm.log_likelihoods[number] for number in chosen if arm.log_likelihoods)
        only = replace(arm, trials=trials, predictions=predictions, log_likelihoods=likelihoods)
        return Origin(only, len(arm.trials), preparation, serving, here)
    return Origin(arm, len(arm.trials), preparation, serving, here)


def not_compared(origin: Origin, charged: bool) -> NotCompared | None:
    """Return which of an arm's figures are not compared, and why; None: all of them are.

    Args:
        origin: of the arm's figures.
        charged: whether its requests cost what somebody else charges, on no machine of ours.
    """
    if origin.prepared_here and origin.served_here:
        return None
    kept = set()
    if charged:
        kept.add("max_usd_per_1k")
    if own_times_s(origin.arm):
        kept.add("max_p95_ms")
    limits = [] if origin.prepared_here else [*OF_PREPARATION]
    limits += [] if origin.served_here else [key for key in OF_SERVING if key not in kept]
    how = "prepared" if origin.served_here else "measured"
    why = f"{how} on {origin.elsewhere}, and this run is on {named(origin.reference)}"
    return NotCompared(why=why, limits=tuple(limits))


def without(checks: tuple[Check, ...], found: NotCompared | None) -> tuple[Check, ...]:
    """Return checks in which no limit is met or missed by a figure that is not compared."""
    if found is None:
        return checks
    return tuple(
        check.model_copy(
            update={
                "text": f"{check.text}: not comparable, {found.why} → {REMEDY}",
                "state": "unknown",
                "borderline": False,
                "excess": None,
            }
        )
        if check.key.removeprefix("limits.") in found.limits
        else check
        for check in checks
    )


def other_machines(run: RunData) -> Iterator[str]:
    """Name the arms that another machine measured, both machines, and what follows."""
    for arm in run.finished:
        origin = origin_of(run, arm)
        away, here = origin.elsewhere, named(origin.reference)
        if len(origin.arm.trials) < origin.seeds:
            share = f"{len(origin.arm.trials)} of {origin.seeds} seeds"
            yield f"{arm.name}: its times, memory and machine time are of {share}, of one machine"
        if origin.served_here and origin.prepared_here:
            continue
        what, these = "times, memory and cost", "its score counts"
        how = "measured"
        if origin.served_here:
            how, what = "prepared", "preparation's time, memory and cost"
            these = "its score and its times of serving count"
        other = origin.preparation if origin.served_here else origin.serving
        per_hour = usd_per_hour(other, run.prices)
        price = "at no known price" if per_hour is None else f"at ${per_hour:g} an hour"
        yield (
            f"{arm.name} was {how} on {away} and this run is on {here}: {these}; its {what} are"
            f" those of {away}, {price}, and are not compared with other arms → {REMEDY}"
        )


def usd_per_hour(hardware: Hardware | None, prices: Prices) -> float | None:
    """Return what a machine costs by the row that stands for it; None: none does."""
    price = None if hardware is None else prices.for_machine(hardware.machine)
    return price.usd_per_hour if price else None


def named(hardware: Hardware | None) -> str:
    """Return a machine in words, as far as its class goes."""
    return "a machine that is not on record" if hardware is None else hardware.name


def _hardware(trial: TrialRecord) -> tuple[Hardware | None, Hardware | None]:
    return (
        trial.fit.hardware if trial.fit else None,
        trial.serve.hardware if trial.serve else None,
    )


def _class(hardware: Hardware | None) -> MachineClass | None:
    return None if hardware is None else hardware.machine_class
