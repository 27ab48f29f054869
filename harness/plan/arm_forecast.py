"""The forecast of one arm on one machine: its declared work as memory, time and money.

A sum with an unknown part is unknown, and says why: no part is ever taken for 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from harness.plan.demand import Phase, total
from harness.plan.process_demand import Known, phase_of
from harness.plan.target_machine import Place
from harness.plan.unloaded_model import PlannedModel
from harness.store.records import Forecast
from harness.types import ModelRef
from harness.workload import Answering, Estimate, Tuning, in_four_bits


@dataclass(frozen=True)
class Plan:
    """What an arm is going to do, and with which model."""

    estimate: Estimate
    model: PlannedModel | ModelRef | None = None
    """A reference where it is hosted."""
    problem: str | None = None
    """Why nothing can be said."""
    beside: Mapping[str, Known] = field(default_factory=dict)
    """Models that it uses beside that one, by name."""


def forecast(plan: Plan, place: Place) -> Forecast:
    """Return what an arm is expected to take on a machine."""
    if plan.problem is not None:
        return Forecast(machine=place.name, why=plan.problem)
    own = plan.estimate
    fit = None if own.fit is None else phase_of(own.fit, plan.model, place, False, plan.beside)
    serve = None if own.serve is None else phase_of(own.serve, plan.model, place, True, plan.beside)
    figures = (own.fit_peak_bytes, own.predict_peak_bytes, own.fit_wall_s)
    if fit is None and serve is None and figures == (None, None, None):
        what = "the strategy does not say what it does (Strategy.estimate)"
        return Forecast(machine=place.name, why=what)
    halves = (_half(fit, own.fit_peak_bytes, place), _half(serve, own.predict_peak_bytes, place))
    fit_span = fit.wall_s if fit else None
    if own.fit_wall_s is not None:
        fit_span = (own.fit_wall_s, own.fit_wall_s)
    serve_span = serve.wall_s if serve else None
    fits, why = _fits(halves, place)
    phases = [phase for phase in (fit, serve) if phase]
    unknown = [] if fit_span and serve_span else _unknown_times(phases, place)
    reasons = dict.fromkeys([*([why] if why else []), *unknown])
    return Forecast(
        machine=place.name,
        fit_peak_bytes=halves[0].shown_bytes,
        predict_peak_bytes=halves[1].shown_bytes,
        fit_on_gpu=halves[0].on_gpu,
        predict_on_gpu=halves[1].on_gpu,
        fit_wall_s=fit_span[1] if fit_span else None,
        fit_wall_low_s=fit_span[0] if fit_span else None,
        serve_wall_s=serve_span[1] if serve_span else None,
        serve_wall_low_s=serve_span[0] if serve_span else None,
        fit_usd=_fit_usd(fit, fit_span, place),
        serve_usd=_serve_usd(serve, _asks(plan), place),
        fits=fits,
        memory_share=_share(halves),
        why="; ".join(reasons) or None,
        notes=tuple(dict.fromkeys(text for phase in phases for text in phase.says)),
    )


def total_usd(found: Forecast, place: Place, priced: bool) -> tuple[float | None, str | None]:
    """Return what preparation and serving cost together, at the most, or why nobody knows.

    Args:
        found: an arm's forecast.
        place: the machine that it is for.
        priced: whether the task names a price file.
    """
    usd = total([found.fit_usd, found.serve_usd])
    if usd is not None:
        return usd, None
    times = (found.fit_wall_s, found.serve_wall_s)
    if place.usd_per_hour is None and None not in times:
        missing = (
            "no row of the price file stands for" if priced else "no price file (`prices`) names"
        )
        return None, f"{missing} {place.name}"
    return None, found.why or "not all that it does is known"


def variants(plan: Plan) -> Iterator[tuple[str, Plan]]:
    """Yield what might make an arm fit, in words and as a plan."""
    own = plan.estimate
    trained = [work for work in own.fit or () if isinstance(work, Tuning)]
    if any(work.checkpointing is False and work.adapter.recomputable for work in trained):
        yield "`checkpointing: true`", _changed(plan, checkpointing=True)
    offered = [work.adapter.lighter for work in trained if not work.four_bits]
    for lighter in max(offered, key=len, default=()):  # the heaviest work has most to propose
        changed = plan if lighter.adapter is None else _changed(plan, adapter=lighter.adapter)
        if lighter.four_bits:
            changed = replace(changed, estimate=in_four_bits(changed.estimate))
        yield f"`{lighter.arm}` in its place", changed


def _changed(plan: Plan, **changes: object) -> Plan:
    own = plan.estimate
    fit = tuple(
        replace(work, **changes) if isinstance(work, Tuning) else work  # type: ignore[arg-type]
        for work in own.fit or ()
    )
    return replace(plan, estimate=replace(own, fit=fit))


@dataclass(frozen=True)
class _Half:
    """Preparation or serving before a machine's memory; None: not known."""

    full_bytes: int | None
    least_bytes: int | None
    """Without what is done without where there is no room."""
    room_bytes: int | None
    """What there is of the memory that it takes."""
    on_gpu: bool
    idle: bool
    """It has no work that any memory would have to be found for."""

    @property
    def shown_bytes(self) -> int | None:
        """The peak to expect: what there is no room for, and can be done without, is not done."""
        return self.least_bytes if _exceeds(self.full_bytes, self.room_bytes) else self.full_bytes

    @property
    def lacks(self) -> bool:
        """Tell whether it is known to need more than there is."""
        return _exceeds(self.least_bytes, self.room_bytes)

    @property
    def known(self) -> bool:
        """Tell whether need and room are known, or there is no need."""
        return self.idle or None not in (self.least_bytes, self.room_bytes)


def _exceeds(needed: int | None, room: int | None) -> bool:
    return needed is not None and room is not None and needed > room


def _half(phase: Phase | None, own_bytes: int | None, place: Place) -> _Half:
    """Return a half's memory; a figure of the strategy's own stands before what is counted."""
    # Figures of the strategy's own alone may be of the GPU.
    on_gpu = place.device == "cuda" if phase is None else phase.on_gpu
    full, least = (own_bytes, own_bytes)
    if own_bytes is None and phase is not None:
        full, least = phase.peak_bytes, phase.least_bytes
    idle = phase is not None and phase.idle and own_bytes is None
    return _Half(full, least, place.room_bytes(on_gpu), on_gpu, idle)


def _fits(halves: tuple[_Half, _Half], place: Place) -> tuple[bool | None, str | None]:
    """Tell whether a machine has room for both halves, and if not, or not known, why.

    A half is held against the memory that it takes. One that has no work needs none.
    """
    missing = [
        f"{name} needs {place.memory(half.least_bytes, half.on_gpu)}"
        for name, half in zip(("preparation", "serving"), halves, strict=True)
        if half.lacks
    ]
    if missing:
        return False, f"{' and '.join(missing)}; {place.room} are there"
    working = [half for half in halves if not half.idle] or halves
    if any(half.room_bytes is None for half in working):
        kind = "memory" if place.usable_bytes is None else "main memory"
        return None, f"the price file does not say how much {kind} '{place.name}' has"
    return (None if any(half.least_bytes is None for half in halves) else True), None


def _share(halves: tuple[_Half, _Half]) -> float | None:
    """Return the larger share of its memory that a half needs at the least.

    None where a half's share is not known, unless the other half alone does not fit.
    """
    shares = [
        half.least_bytes / half.room_bytes
        for half in halves
        if half.least_bytes is not None and half.room_bytes
    ]
    unknown = any(
        half.least_bytes is None or half.room_bytes is None for half in halves if not half.idle
    )
    largest = max(shares, default=None)
    return largest if largest is None or largest > 1 or not unknown else None


def _unknown_times(phases: Sequence[Phase], place: Place) -> list[str]:
    """Say why times are unknown, and with them what the machine's time costs."""
    reasons = [text for phase in phases for text in phase.unknown]
    if place.operations_per_s is None and any(p.wall_s is None and not p.unknown for p in phases):
        what = f"the price file states no `teraflops` of '{place.name}'"
        reasons.insert(0, f"{what}, so times and cost are unknown")
    return reasons or ["the strategy does not say how long all that it does takes"]


def _fit_usd(phase: Phase | None, span: tuple[float, float] | None, place: Place) -> float | None:
    """Return what preparation costs at the most: the machine's time and what servers charge."""
    charged = 0.0 if phase is None else phase.charged_usd
    return total([place.usd(span[1] if span else None), charged])


def _asks(plan: Plan) -> bool:
    """Tell whether a hosted model is asked while the arm serves."""
    served = plan.estimate.serve or ()
    works = [work for work in served if isinstance(work, Answering)]
    answering = [plan.beside.get(w.by) if w.by else plan.model for w in works]
    return any(isinstance(model, ModelRef) for model in answering)


def _serve_usd(phase: Phase | None, asks: bool, place: Place) -> float | None:
    """Return what serving costs at the most.

    Where a hosted model is asked, that is what it charges, as a report counts it: whatever pays
    the machine that waits.
    """
    if phase is None:
        return None
    if asks:
        return phase.charged_usd
    return place.usd(phase.wall_s[1] if phase.wall_s else None)
