"""The forecasts of all arms of a task, here and on every machine of its price file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from harness import registry
from harness.errors import HarnessError
from harness.files.guarded import guarded
from harness.lm.loading.resolve import resolve
from harness.machine import describe as machine
from harness.machine.memory import available_bytes
from harness.plan.arm_forecast import Plan, forecast, total_usd, variants
from harness.plan.search_demand import searched
from harness.plan.target_machine import Place, priced_places, this_place
from harness.plan.unloaded_model import PlannedModel, study
from harness.prices import Prices
from harness.run.answer_room import asked, room_of
from harness.run.environment import hardware
from harness.run.planned import refusal
from harness.store.records import Forecast
from harness.task import Task
from harness.task.model_spec import Hosted, Model, hosted_ref, name_of
from harness.task.schema import Arm
from harness.types import ModelRef
from harness.workload import Answering, Computing, Estimate, Prospect


@dataclass(frozen=True)
class Outlook:
    """What every arm is expected to take with one seed; None is unknown, never 0."""

    here: Mapping[str, Forecast]
    """By arm, on this machine."""
    elsewhere: Mapping[str, Sequence[Forecast]]
    """By arm, on each machine of the price file."""
    place: Place
    others: Sequence[Place] = ()
    """The machines of the price file, in the order of `elsewhere`."""
    stale_prices: Sequence[str] = ()
    """What is to be said of prices that were read long ago."""
    seeds: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By arm, those that it runs with; the forecasts are of one."""
    priced: bool = False
    """Whether the task names a price file."""

    @property
    def seeds_n(self) -> int:
        """With how many seeds an arm runs at the most."""
        return max(map(len, self.seeds.values()), default=1)

    def trainings(self, arm: str) -> int:
        """Return how many times an arm is prepared and serves: once a seed."""
        return len(self.seeds.get(arm, (0,)))

    def as_json(self) -> dict[str, Any]:
        """Return what `plan --json` prints."""
        strategies = []
        for arm, found in self.here.items():
            row: dict[str, Any] = {"strategy": arm, **found.model_dump(mode="json")}
            row["fit_wall_high_s"] = row["fit_wall_s"]
            row |= self._total(found, self.place) | {"seeds": list(self.seeds.get(arm, ()))}
            row["elsewhere"] = [
                other.model_dump(mode="json") | self._total(other, place)
                for other, place in zip(self.elsewhere[arm], self.others, strict=True)
            ]
            strategies.append(row)
        return {
            "memory_bytes": self.place.memory_bytes,
            "seeds_n": self.seeds_n,
            "stale_prices": list(self.stale_prices),
            "strategies": strategies,
        }

    def _total(self, found: Forecast, place: Place) -> dict[str, Any]:
        usd, why = total_usd(found, place, self.priced)
        return {"total_usd": usd, "total_usd_why": why}


def foresee(
    task: Task,
    only: frozenset[str] = frozenset(),
    elsewhere: bool = True,
    place: Place | None = None,
) -> Outlook:
    """Forecast a task's arms; whatever cannot be said is None, with its reason.

    Args:
        task: with its data.
        only: arms to forecast; all if empty.
        elsewhere: whether for the machines of the price file as well.
        place: where they run; None: on this machine.
    """
    arms = [arm for arm in task.arms if not only or arm.name in only]
    studied: dict[str, PlannedModel | ModelRef | str] = {}
    plans = {arm.name: _plan(task, arm, studied) for arm in arms}
    place = place or _here(task, plans.values())
    others = list(priced_places(task.prices, task.spec.dtype)) if elsewhere else []
    here, there = {}, {}
    for name, plan in plans.items():
        search = task.searches.get(name)
        whole = partial(searched, search=search, task=task, arm=name)
        there[name] = [whole(_safely(plan, other)) for other in others]
        found = whole(_safely(plan, place))
        if found.fits is False:
            found = found.model_copy(update={"would_fit": _would_fit(plan, place, others)})
        here[name] = found
    stale = tuple(_stale(task, date.today())) if elsewhere else ()
    priced = task.prices is not None
    seeds = {arm.name: task.seeds_of(arm.name) for arm in arms}
    return Outlook(here, there, place, others, stale, seeds, priced)


def _plan(task: Task, arm: Arm, studied: dict[str, PlannedModel | ModelRef | str]) -> Plan:
    """Ask an arm's strategy what it will do, and study its model."""
    strategy = task.strategies[arm.name]
    if why := refusal(task, arm):
        return Plan(Estimate(), problem=why)
    for one in task.models_of(arm):
        if name_of(one) not in studied:
            studied[name_of(one)] = _studied(task, one)
    model = None if arm.model is None else studied[name_of(arm.model)]
    beside = {name: studied[name] for name in map(name_of, task.models_beside(arm.name))}
    try:
        base = task.folder
        params = registry.resolved_params(strategy, task.params[arm.name], base)
        prospect = Prospect(
            task=_told(task, arm, studied).info,
            train=task.train,
            validation=task.validation,
            queries=task.test.queries,
            documents=task.documents,
            seed=task.spec.first_seed,
            part=partial(_part, task),
            unlabelled=task.unlabelled_of(task.profiles[arm.name]),
            form=model.default_form if isinstance(model, PlannedModel) else "turns",
            scores_labels=not isinstance(model, ModelRef),
        )
        estimate = registry.estimate(strategy, params, prospect)
    except HarnessError as problem:  # costs no run
        return Plan(Estimate(), problem=str(problem))
    if isinstance(model, str):
        return Plan(estimate, problem=model)
    return Plan(estimate, model, beside=beside)


def _told(task: Task, arm: Arm, studied: Mapping[str, PlannedModel | ModelRef | str]) -> Task:
    """Return the task as an arm is told of it, with the room for answers that its models have."""
    rooms = {}
    for name in map(name_of, task.models_of(arm)):
        known = studied[name]
        ref = known.ref if isinstance(known, PlannedModel) else known
        if isinstance(ref, ModelRef):
            rooms[name] = room_of(task, ref)
    return asked(task, arm.name, rooms)


def _part(task: Task, name: str, given: Mapping[str, Any], prospect: Prospect) -> Estimate:
    strategy = registry.find(name, task.folder)
    params = registry.resolved_params(strategy, given, task.folder)
    return registry.estimate(strategy, params, prospect)


def _studied(task: Task, model: Model) -> PlannedModel | ModelRef | str:
    """Return what is known of a model, or why nothing is."""
    if isinstance(model, Hosted):
        ref = hosted_ref(model)
        return replace(ref, hosted=task.prices.priced(ref)) if task.prices else ref
    try:
        return study(replace(resolve(model, task.folder, weights=False), chat=task.chat))
    except HarnessError as problem:
        return str(problem)
    except Exception as problem:  # a fault in a forecast must never stop a run
        return f"the model cannot be studied: {type(problem).__name__}: {problem}"


def _here(task: Task, plans: Any) -> Place:
    """Return this machine; its speed is measured only where something is computed on it."""
    given = task.spec.run.memory_gib
    memory = int(given * 2**30) if given else available_bytes()
    computes = any(
        not isinstance(work, Computing) and not _asks_a_server(p, work)
        for p in plans
        for half in (p.estimate.fit, p.estimate.serve)
        for work in half or ()
    )
    device, dtype = hardware(task)
    here = machine.this_machine(device)
    return this_place(here, device, dtype, memory, task.prices, computes)


def _asks_a_server(plan: Plan, work: Any) -> bool:
    """Tell whether a piece of an arm's work is answers of the hosted model that is its own."""
    own = isinstance(work, Answering) and work.by is None
    return own and isinstance(plan.model, ModelRef)


def _stale(task: Task, today: date) -> Iterator[str]:
    """Say of each price row that forecasts rest on that it was read more than a year ago."""
    if task.prices is None:
        return
    models = [model for arm in task.arms for model in task.models_of(arm)]
    asked = [hosted_ref(model) for model in models if isinstance(model, Hosted)]
    charged = {row.name: row for ref in asked if (row := task.prices.for_hosted(ref))}
    used = Prices(machines=task.prices.machines, hosted=list(charged.values()))
    for old in used.stale_rows(today):
        yield (
            f"the price of {old.name} was read on {old.read_on}, more than a year ago: read"
            f" {old.source} again and write what it says into {task.spec.prices}"
        )


def _safely(plan: Plan, place: Place) -> Forecast:
    """Return a forecast, or why there is none: a fault in one must never stop a run."""
    try:
        with guarded("the forecast failed"):  # a strategy's texts may be code of its own
            return forecast(plan, place)
    except HarnessError as problem:
        return Forecast(machine=place.name, why=str(problem))


def _would_fit(plan: Plan, place: Place, others: Sequence[Place]) -> tuple[str, ...]:
    """Return what makes an arm fit: other settings here, another machine, or else both."""
    tried = list(variants(plan))
    settings = [words for words, changed in tried if _safely(changed, place).fits]
    machines = [f"on {other.name}" for other in others if _safely(plan, other).fits]
    found: tuple[str, ...] = (*settings, *machines)
    if not found:
        found = tuple(
            f"{words} on {other.name}"
            for words, changed in tried
            for other in others
            if _safely(changed, other).fits
        )
    return found or ("a smaller model, or a larger machine in the price file",)
