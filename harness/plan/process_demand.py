"""What a process takes for all the work that a strategy declares for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.lm.chat import running_text
from harness.plan.demand import LIBRARY_BYTES, PROCESS_BYTES, Demand, Phase, together
from harness.plan.embedding_demand import embedding, indexing
from harness.plan.inference_demand import answering, loaded
from harness.plan.target_machine import Place
from harness.plan.training_demand import tuning
from harness.plan.unloaded_model import PlannedModel, StandIn
from harness.types import ModelRef, Prediction
from harness.workload import Answering, Computing, Embedding, Indexing, Tuning, Work

Known = PlannedModel | ModelRef | str | None
"""What is known of a model: a reference where it is hosted, a text why nothing is."""


def phase_of(
    works: Sequence[Work],
    model: Known,
    place: Place,
    serving: bool,
    beside: Mapping[str, Known] | None = None,
) -> Phase:
    """Return what a process takes that does all these works, one after another.

    Args:
        works: as the strategy declares them.
        model: the arm's; a reference where it is hosted.
        place: where.
        serving: whether single requests are timed first.
        beside: models that the arm uses beside that one, by name.
    """
    demands: list[Demand] = []
    for work in works:
        name = work.by if isinstance(work, Answering) else None
        name = work.of if isinstance(work, Tuning) else name
        used = model if name is None else (beside or {}).get(name)
        kept: dict[str, int] = {}
        for demand in demands:  # the same model, kept for several works, is held once
            kept |= {key: max(size, kept.get(key, 0)) for key, size in demand.kept.items()}
        demands += _demands(work, used, place, kept, serving)
    return together(demands, place)


def _demands(
    work: Work,
    model: Known,
    place: Place,
    kept: Mapping[str, int],
    serving: bool,
) -> list[Demand]:
    """Return what a piece of work takes, the loading of its model apart.

    Args:
        work: what is to be done.
        model: the arm's; None where it has none.
        place: where.
        kept: bytes that earlier work of the same process keeps, by what they are.
        serving: whether single requests are timed first.
    """
    if isinstance(work, Embedding):
        return [embedding(work, place)]
    if isinstance(work, Indexing):
        return [indexing(work)]
    if isinstance(work, Computing):
        return [_computing(work)]
    if isinstance(model, PlannedModel):
        return _with_model(work, model, place, kept, serving)
    if isinstance(model, ModelRef) and isinstance(work, Answering):
        return [_asked(work, model)]
    why = "it works with a model, and none is named whose weights could be counted"
    why = model if isinstance(model, str) else why
    return [Demand(working_bytes=None, wall_s=None, charged_usd=None, unknown=(why,))]


def _with_model(
    work: Answering | Tuning,
    model: PlannedModel,
    place: Place,
    kept: Mapping[str, int],
    serving: bool,
) -> list[Demand]:
    process = PROCESS_BYTES + LIBRARY_BYTES["torch"] + LIBRARY_BYTES["transformers"]
    held_bytes = sum(kept.values()) + (process if place.device == "cpu" else 0)
    if isinstance(work, Tuning):
        return [tuning(work, model, place, held_bytes)]
    loading = loaded(model, place, work.weights)
    held_bytes += sum(size for key, size in loading.kept.items() if key not in kept)
    return [loading, answering(work, model, place, held_bytes, serving)]


def _computing(work: Computing) -> Demand:
    """Return what a strategy says of its own work, in figures."""
    strange = sorted(work.libraries - set(LIBRARY_BYTES))
    if strange:
        why = f"what importing {', '.join(strange)} takes is not known"
        return Demand(working_bytes=None, wall_s=None, unknown=(why,))
    return Demand(work.libraries, working_bytes=work.peak_bytes, wall_s=work.wall_s)


def _asked(work: Answering, model: ModelRef) -> Demand:
    """Return what asking a hosted model takes: money by the tokens, at the most."""
    assert model.hosted is not None
    stand_in = StandIn()
    prompts = sum(len(stand_in(running_text(prompt)).input_ids) for prompt in work.prompts)
    answers = work.task.max_new_tokens * len(work.prompts)
    counted = Prediction("", prompt_tokens=prompts, output_tokens=answers)
    charged = model.hosted.charge_usd(counted)
    unknown = [f"how long '{model.name}' takes is its server's matter"]
    if charged is None:
        unknown.append(f"the prices of '{model.name}' are not known")
    return Demand(
        libraries=frozenset({"openai"}), wall_s=None, charged_usd=charged, unknown=tuple(unknown)
    )
