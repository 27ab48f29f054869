"""The forecast of one arm on one place: its declared work, turned into memory, time and money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.lm.chat import running_text
from harness.plan.demand import LIBRARY_BYTES, PROCESS_BYTES, Need, Phase, together
from harness.plan.embedding_demand import embedding, indexing
from harness.plan.inference_demand import answering, loaded
from harness.plan.target_machine import Place
from harness.plan.tokens import StandIn
from harness.plan.training_demand import tuning
from harness.plan.unloaded_model import PlannedModel
from harness.store.records import Forecast
from harness.types import ModelRef, Prediction
from harness.workload import (
    Answering,
    Computing,
    Embedding,
    Estimate,
    Indexing,
    Tuning,
    Work,
    in_four_bits,
)


@dataclass(frozen=True)
class Plan:
    """What an arm is going to do, and with which model."""

    estimate: Estimate
    model: PlannedModel | ModelRef | None = None
    """A reference where it is hosted."""
    problem: str | None = None
    """Why nothing can be said."""


def forecast(plan: Plan, place: Place) -> Forecast:
    """Return what an arm is expected to take on a place."""
    if plan.problem is not None:
        return Forecast(machine=place.name, why=plan.problem)
    own = plan.estimate
    fit = None if own.fit is None else _phase(own.fit, plan.model, place, serving=False)
    serve = None if own.serve is None else _phase(own.serve, plan.model, place, serving=True)
    figures = (own.fit_peak_bytes, own.predict_peak_bytes, own.fit_wall_s)
    if fit is None and serve is None and figures == (None, None, None):
        what = "the strategy does not say what it does (Strategy.estimate)"
        return Forecast(machine=place.name, why=what)
    fit_span = fit.wall_s if fit else None
    if own.fit_wall_s is not None:
        fit_span = (own.fit_wall_s, own.fit_wall_s)
    serve_span = serve.wall_s if serve else None
    fit_peak = own.fit_peak_bytes or (fit.peak_bytes if fit else None)
    serve_peak = own.predict_peak_bytes or (serve.peak_bytes if serve else None)
    least = (
        own.fit_peak_bytes or (fit.least_bytes if fit else None),
        own.predict_peak_bytes or (serve.least_bytes if serve else None),
    )
    on_gpu = (_on_gpu(fit, place), _on_gpu(serve, place))
    fits, why = _fits(least, on_gpu, place)
    fit_peak, serve_peak = (
        full if full is None or room is None or full <= room else needed
        for full, needed, room in zip(
            (fit_peak, serve_peak), least, map(place.room_bytes, on_gpu), strict=True
        )
    )  # what is done without where there is no room is not done then
    notes = dict.fromkeys(text for phase in (fit, serve) if phase for text in phase.says)
    return Forecast(
        machine=place.name,
        fit_peak_bytes=fit_peak,
        predict_peak_bytes=serve_peak,
        fit_on_gpu=on_gpu[0],
        predict_on_gpu=on_gpu[1],
        fit_wall_s=fit_span[1] if fit_span else None,
        fit_wall_low_s=fit_span[0] if fit_span else None,
        serve_wall_s=serve_span[1] if serve_span else None,
        serve_wall_low_s=serve_span[0] if serve_span else None,
        fit_usd=_money(fit, fit_span, place),
        serve_usd=_money(serve, serve_span, place),
        fits=fits,
        memory_share=_share(least, on_gpu, place),
        why=why or (None if fit_span else _unknown_time(place)),
        notes=tuple(notes),
    )


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


def _phase(
    works: Sequence[Work], model: PlannedModel | ModelRef | None, place: Place, serving: bool
) -> Phase:
    needs: list[Need] = []
    for work in works:
        kept: dict[str, int] = {}
        for need in needs:  # the same model, kept for several works, is held once
            kept |= {key: max(size, kept.get(key, 0)) for key, size in need.kept.items()}
        needs += _needs(work, model, place, kept, serving)
    return together(needs, place)


def _needs(
    work: Work,
    model: PlannedModel | ModelRef | None,
    place: Place,
    kept: Mapping[str, int],
    serving: bool,
) -> list[Need]:
    if isinstance(work, Embedding):
        return [embedding(work, place)]
    if isinstance(work, Indexing):
        return [indexing(work)]
    if isinstance(work, Computing):
        libraries = work.libraries & set(LIBRARY_BYTES)
        return [Need(libraries, working_bytes=work.peak_bytes, wall_s=work.wall_s)]
    if not isinstance(model, PlannedModel):
        hosted = isinstance(model, ModelRef) and isinstance(work, Answering)
        return [_asked(work, model)] if hosted else []  # type: ignore[arg-type]
    process = PROCESS_BYTES + LIBRARY_BYTES["torch"] + LIBRARY_BYTES["transformers"]
    held_bytes = sum(kept.values()) + (process if place.device == "cpu" else 0)
    if isinstance(work, Tuning):
        return [tuning(work, model, place, held_bytes)]
    loading = loaded(model, place, work.weights)
    held_bytes += sum(size for key, size in loading.kept.items() if key not in kept)
    return [loading, answering(work, model, place, held_bytes, serving)]


def _asked(work: Answering, model: ModelRef) -> Need:
    """Return what asking a hosted model needs: money by the tokens, at the most."""
    assert model.hosted is not None
    stand_in = StandIn()
    prompts = sum(len(stand_in(running_text(prompt)).input_ids) for prompt in work.prompts)
    answers = work.task.max_new_tokens * len(work.prompts)
    counted = Prediction("", prompt_tokens=prompts, output_tokens=answers)
    return Need(
        libraries=frozenset({"openai"}),
        wall_s=None,
        usd=model.hosted.charge_usd(counted),
        says=(f"how long '{model.name}' takes is its server's matter",),
    )


def _on_gpu(phase: Phase | None, place: Place) -> bool:
    """Tell which memory a half takes; figures of the strategy's own alone may be of the GPU."""
    return place.device == "cuda" if phase is None else phase.on_gpu


def _fits(
    least: tuple[int | None, int | None], on_gpu: tuple[bool, bool], place: Place
) -> tuple[bool | None, str | None]:
    """Tell whether a place has room for both halves, and if not, why not.

    A half is held against the memory that it takes, and against nothing where that is not known.
    """
    rooms = [place.room_bytes(each) for each in on_gpu]
    if rooms == [None, None]:
        kind = "memory" if place.usable_bytes is None else "main memory"
        return None, f"the price file does not say how much {kind} '{place.name}' has"
    halves = zip(("fitting", "serving"), least, on_gpu, rooms, strict=True)
    missing = [
        f"{half} needs {place.memory(needed, gpu)}"
        for half, needed, gpu, room in halves
        if needed is not None and room is not None and needed > room
    ]
    if missing:
        return False, f"{' and '.join(missing)}; {place.room} are there"
    return (None if None in least else True), None


def _share(
    least: tuple[int | None, int | None], on_gpu: tuple[bool, bool], place: Place
) -> float | None:
    """Return the larger share that a half needs at the least of the memory that there is for it."""
    rooms = map(place.room_bytes, on_gpu)
    shares = [needed / room for needed, room in zip(least, rooms, strict=True) if needed and room]
    return max(shares, default=None)


def _unknown_time(place: Place) -> str:
    if place.operations_per_s is None:
        return f"the price file states no `teraflops` of '{place.name}', so times are unknown"
    return "times are unknown: see its notes"


def _money(phase: Phase | None, span: tuple[float, float] | None, place: Place) -> float | None:
    """Return charges and machine time, at the most; None where neither is known."""
    if phase is not None and phase.usd is not None:
        return phase.usd
    return place.usd(span[1] if span else None)
