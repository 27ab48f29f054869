"""What an invocation is going to run: the model, the machine, every arm with every seed.

Knows nothing of processes.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path

from harness.errors import ModelError
from harness.machine import describe as machine
from harness.machine.device import gpu_name
from harness.machine.git import git_commit
from harness.registry import Profile, distributions_of
from harness.registry.foreign_code import foreign_code
from harness.run import fingerprints as identity
from harness.run.answer_room import asked, rooms
from harness.run.floor_plan import planned_floors
from harness.store.criteria_seal import CRITERIA, metric_hashes, seal
from harness.store.machine import Machine
from harness.store.records import AnswerRoom, PlannedTrial, RunHeader
from harness.store.run_folder import sha256_of_jsonl
from harness.task import Task
from harness.task.feasibility import offered
from harness.task.model_spec import Hosted, Model, hosted_ref, name_of
from harness.task.schema import Arm
from harness.types import ModelRef


@dataclass(frozen=True)
class Setting:
    """The models and the hardware that all trials share."""

    models: Mapping[str, ModelRef] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    """Why arms that need a model cannot run, by the model's name."""
    arm_problems: Mapping[str, str] = field(default_factory=dict)
    """Why an arm cannot run that others with its model can, by its name."""
    device: str = "cpu"
    dtype: str = "float32"
    licences: Mapping[str, str | None] = field(default_factory=dict)
    """Of the models that arms use beside these (embedders, rerankers), by name."""
    answer_room: Mapping[str, AnswerRoom] = field(default_factory=dict)
    """How long answers may be, by the model's name."""
    prompt_date: str | None = None
    """The day that chat templates print, see `RunHeader.prompt_date`."""


def resolved_setting(
    task: Task,
    only: frozenset[str],
    earlier: RunHeader | None = None,
    prompt_date: str | None = None,
) -> Setting:
    """Find the task's models, fetching what a selected arm needs, and what to run them on.

    Args:
        task: what is run.
        only: the arms that are selected; empty: all.
        earlier: the folder's last header, if there is one.
        prompt_date: the day that the folder's prompts name; None: today's.
    """
    wanted: dict[str, tuple[Model, bool]] = {}
    for arm in task.arms:
        for model in task.models_of(arm):
            name, selected = name_of(model), not only or arm.name in only
            wanted[name] = (model, selected or (name in wanted and wanted[name][1]))
    models: dict[str, ModelRef] = {}
    problems: dict[str, str] = {}
    for name, (model, fetch) in wanted.items():
        try:
            if isinstance(model, Hosted):
                models[name] = hosted_ref(model)
                _check_key(models[name])
            else:
                # Arms that are left out need it for their identity alone: not worth a fetch.
                models[name] = _resolved(model, task, fetch)
        except ModelError as problem:
            problems[name] = str(problem)
    device, dtype = hardware(task, earlier)
    # An arm that is served on another day than it was tuned on must read the same prompts.
    day = prompt_date or (earlier and earlier.prompt_date) or date.today().isoformat()
    chat = replace(task.chat, date=day)
    models = {name: replace(ref, chat=chat) for name, ref in models.items()}
    licences, room = _licences(task, only), rooms(task, models, earlier)
    return Setting(
        models,
        problems,
        device=device,
        dtype=dtype,
        licences=licences,
        answer_room=room,
        prompt_date=day,
    )


def make_ready(task: Task, setting: Setting, arms: frozenset[str]) -> None:
    """Have ready what is made once of the models of arms that are going to run."""
    for arm in task.arms:
        if arm.name in arms and isinstance(arm.model, str):
            ref = setting.models.get(arm.model)
            if ref is not None and arm.model not in setting.problems:
                four_bits = "four_bits" in task.profiles[arm.name].needs
                _make_ready(ref, setting.device, setting.dtype, four_bits)


def _licences(task: Task, only: frozenset[str]) -> dict[str, str | None]:
    """Read what the models say of their licences that arms use beside their own."""
    wanted: dict[str, bool] = {}
    for arm in task.arms:
        for name in task.profiles[arm.name].models:
            wanted[name] = wanted.get(name, False) or not only or arm.name in only
    return {name: _licence(name, fetch) for name, fetch in wanted.items()}


def _licence(name: str, fetch: bool) -> str | None:
    from harness.lm.loading.licence import licence_of, licence_on_hub
    from harness.retrieval.embedder import location

    try:
        place = location(name)
    except ModelError:
        return None  # there is none of that name: the arm will say so
    return licence_of(Path(place)) if Path(place).is_dir() else licence_on_hub(place, fetch)


def hardware(task: Task, earlier: RunHeader | None = None) -> tuple[str, str]:
    """Return the device and the number format of a task's trials.

    Those of this machine as soon as any arm, selected or not, computes with a model here, be it an
    embedder alone: so an arm runs on the same device whatever it is compared with. Where none does,
    nothing asks for a GPU, and torch is not imported for its name.

    Args:
        task: whose arms.
        earlier: the folder's last header: what it found holds while nothing that decides it has
            changed, and then torch need not be imported to find it again.
    """
    models = any(isinstance(model, str) for arm in task.arms for model in task.models_of(arm))
    if not models and not any(profile.models for profile in task.profiles.values()):
        return "cpu", "float32"
    if earlier is not None and _same_gpu(task, earlier):
        return earlier.device, earlier.dtype
    from harness.machine.device import device_and_dtype

    return device_and_dtype(task.spec.dtype)


def _same_gpu(task: Task, earlier: RunHeader) -> bool:
    """Tell whether torch would find the GPU and the number format that it found before.

    They are decided by the same torch on the same kind of card, and by what the task asks for. That
    it found none before decides nothing: a card may be new.
    """
    if earlier.device != "cuda" or earlier.task.get("dtype") != task.spec.dtype:
        return False
    try:
        same_torch = earlier.packages.get("torch") == metadata.version("torch")
    except metadata.PackageNotFoundError:
        return False
    return same_torch and earlier.machine.gpu is not None and earlier.machine.gpu == gpu_name()


def _make_ready(model: ModelRef, device: str, dtype: str, four_bits: bool) -> None:
    """Have ready what is made once of a model, so that no measured process makes it.

    What keeps it from being made, the arm itself will say.
    """
    from harness.lm.loading.four_bits import four_bit_folder
    from harness.lm.loading.packing_verdict import ensure_verdict

    with suppress(ModelError, OSError):
        if four_bits:
            folder = four_bit_folder(model, dtype, lambda *_: None, hashes=True)
            model = replace(model, location=str(folder))
        ensure_verdict(model, device, dtype)


def _resolved(model: str, task: Task, fetch: bool) -> ModelRef:
    from harness.lm.loading.resolve import resolve

    return resolve(model, task.folder, fetch=fetch)


def _check_key(model: ModelRef) -> None:
    from harness.lm.hosted import key_of

    key_of(model)


def header(
    task: Task,
    setting: Setting,
    only: frozenset[str],
    started_at: str,
    measured_on: Iterable[Machine] = (),
    quick: bool = False,
) -> RunHeader:
    """Return the record of an invocation, before anything is forecast or run.

    Args:
        task: what is run.
        setting: the models and the hardware.
        only: the arms that are selected; empty: all.
        started_at: UTC, ISO 8601.
        measured_on: machines that measured trials which may be reused; their price rows are kept
            too.
        quick: whether the others were left out to save time.
    """
    spec = task.spec.model_dump(mode="json", by_alias=True)
    spec["answer"] |= {"labels": dict(task.labels), "schema": task.schema}
    this_machine = machine.this_machine(setting.device)
    models = setting.models.values()
    machines = [this_machine, *measured_on]
    prices = task.prices.used(machines, models).model_dump(mode="json") if task.prices else None
    hashes = metric_hashes(spec, task.folder)
    return RunHeader(
        started_at=started_at,
        task=spec,
        task_folder=str(task.folder.resolve()),
        criteria_sha256=seal(spec, prices, hashes),
        sealed=CRITERIA,
        metric_sha256=hashes,
        files=_files(task),
        data=task.data,
        models=dict(setting.models),
        answer_room=dict(setting.answer_room),
        device=setting.device,
        dtype=setting.dtype,
        trials=tuple(_planned(task, setting, only)),
        prices=prices,
        git_commit=git_commit(task.folder),
        packages=machine.package_versions(
            set().union(*map(distributions_of, task.strategies.values()))
        ),
        machine=this_machine,
        prompt_date=setting.prompt_date,
        command=shlex.join(["python", "-m", "harness", *sys.argv[1:]]),
        quick=quick,
    )


def _files(task: Task) -> dict[str, str]:
    """Return the hashes of the files that an invocation lays down besides records."""
    found = {"truth.jsonl": sha256_of_jsonl(map(asdict, task.truth))}
    if task.documents:
        found["documents.jsonl"] = sha256_of_jsonl(map(asdict, task.documents))
    return found


def _planned(task: Task, setting: Setting, only: frozenset[str]) -> Iterator[PlannedTrial]:
    """Yield every arm with each of its seeds, interleaved by seed."""
    refused = {arm.name: refusal(task, arm) for arm in task.arms}
    floors = {
        arm.name: tuple(planned_floors(task, arm, setting.models, setting.dtype))
        for arm in task.arms
        if refused[arm.name] is None
    }
    code = {
        arm.name: {
            found.reference: found.identity
            for found in foreign_code(arm.use, task.params[arm.name], task.folder)
        }
        for arm in task.arms
    }
    seeds = {arm.name: task.seeds_of(arm.name) for arm in task.arms}
    beside = {arm.name: tuple(map(name_of, task.models_beside(arm.name))) for arm in task.arms}
    for turn in range(max(map(len, seeds.values()), default=0)):
        for arm in (arm for arm in task.arms if turn < len(seeds[arm.name])):
            seed = seeds[arm.name][turn]
            strategy, profile = task.strategies[arm.name], task.profiles[arm.name]
            model = None if arm.model is None else name_of(arm.model)
            used = setting.models.get(model or "")
            rows = task.of_seed(seed)
            told = asked(rows, arm.name, setting.answer_room)
            others = {
                name: setting.models[name] for name in beside[arm.name] if name in setting.models
            }
            fit = identity.fit_id(told, arm.name, seed, used, setting.dtype, others)
            yield PlannedTrial(
                arm=arm.name,
                strategy=arm.use,
                params=task.params[arm.name],
                seed=seed,
                fit_id=fit,
                trial_id=identity.trial_id(fit, arm.name, task.test),
                is_random=profile.is_random,
                rows_sha256={split.name: split.sha256 for split in (rows.train, rows.validation)},
                selected=not only or arm.name in only,
                refused=refused[arm.name],
                answers=tuple(sorted(profile.answers)),
                labels_n=_labels_n(task, profile),
                needs_model="model" in profile.needs,
                learns=profile.learns,
                tunes="weights" in profile.needs,
                complexity=strategy.complexity,
                provides=tuple(sorted(offered(arm, profile))),
                model=model,
                models=beside[arm.name],
                serves_with=tuple(map(name_of, task.models_beside(arm.name, serving=True))),
                licences={
                    name: setting.licences.get(name) for name in task.profiles[arm.name].models
                },
                replays=profile.replays,
                fit_usd=profile.fit_usd,
                code=code[arm.name],
                floors=floors.get(arm.name, ()),
            )


def _labels_n(task: Task, profile: Profile) -> int:
    """Return how many labelled rows an arm uses; whoever learns from rows chooses on others too.

    Whose answers are replayed and come from tuned weights learnt from them elsewhere.
    """
    needs = profile.needs
    learns = "train" in needs or (profile.replays and "weights" in needs)
    learnt = task.data.train_n if learns else 0
    return learnt + (task.data.validation_n if learns or "validation" in needs else 0)


def refusal(task: Task, arm: Arm) -> str | None:
    """Return why an arm cannot run on a task at all, or None."""
    strategy, profile = task.strategies[arm.name], task.profiles[arm.name]
    kind, needs = task.spec.answer.kind, profile.needs
    if kind not in profile.answers:
        who = "one of its parts " if kind in strategy.answers else ""
        return f"{who}does not give answers of kind {kind}"
    if "train" in needs and not len(task.train):
        fewer = ", or ask for shots: 0" if task.params[arm.name].get("shots") else ""
        return f"needs training rows, and the task has none → add data.train{fewer}"
    if "corpus" in needs and not task.documents:
        return "needs documents, and the task has none (data.corpus)"
    if profile.tunes_own and isinstance(arm.model, Hosted):
        return f"needs a model's weights; '{arm.model.model}' is hosted"
    if "states" in needs and isinstance(arm.model, Hosted):
        return f"reads a model's hidden states; '{arm.model.model}' is hosted"
    return None
