"""What an invocation is going to run: the model, the machine, every arm with every seed.

Knows nothing of processes.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from importlib import metadata
from pathlib import Path

from harness.errors import ModelError
from harness.machine import describe as machine
from harness.machine.device import gpu_name
from harness.machine.git import git_commit
from harness.registry import distributions_of
from harness.run.answer_room import rooms
from harness.run.planned import planned_trials, planned_variants
from harness.run.truth_rows import truth_rows
from harness.store.criteria_seal import CRITERIA, metric_hashes, seal
from harness.store.machine import Hardware, Machine
from harness.store.records import AnswerRoom, RunHeader
from harness.store.run_folder import sha256_of_jsonl
from harness.task import Task
from harness.task.model_spec import Hosted, Model, hosted_ref, name_of
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
    machine: Machine | None = None
    """That trials run on, where it is another than this one."""
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
    on: Hardware | None = None,
) -> Setting:
    """Find the task's models, fetching what a selected arm needs, and what to run them on.

    Args:
        task: what is run.
        only: the arms that are selected; empty: all.
        earlier: the folder's last header, if there is one.
        prompt_date: the day that the folder's prompts name; None: today's.
        on: what trials run on; None: what this machine has.
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
    device, dtype = hardware(task, earlier) if on is None else (on.device, on.dtype)
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
        machine=on.machine if on else None,
        licences=licences,
        answer_room=room,
        prompt_date=day,
    )


def make_ready(task: Task, setting: Setting, arms: frozenset[str]) -> None:
    """Have ready what is made once of the models of arms that are going to run.

    For this machine: another has it made ready before its first job (`launchers/on_node.py`).
    """
    if setting.machine is not None:
        return
    for arm in task.arms:
        if arm.name in arms and isinstance(arm.model, str):
            ref = setting.models.get(arm.model)
            if ref is not None and arm.model not in setting.problems:
                four_bits = "four_bits" in task.profiles[arm.name].needs
                made_ready(ref, setting.device, setting.dtype, four_bits)


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
    if not computes_with_models(task):
        return "cpu", "float32"
    if earlier is not None and _same_gpu(task, earlier):
        return earlier.device, earlier.dtype
    from harness.machine.device import device_and_dtype

    return device_and_dtype(task.spec.dtype)


def computes_with_models(task: Task) -> bool:
    """Tell whether any arm, selected or not, computes with a model, be it an embedder alone."""
    local = any(isinstance(model, str) for arm in task.arms for model in task.models_of(arm))
    return local or any(profile.models for profile in task.profiles.values())


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


def made_ready(model: ModelRef, device: str, dtype: str, four_bits: bool) -> None:
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
        measured_on: machines that measured trials which may be reused, or may measure others;
            their price rows are kept too.
        quick: whether the others were left out to save time.
    """
    spec = task.spec.model_dump(mode="json", by_alias=True)
    spec["answer"] |= {"labels": dict(task.labels), "schema": task.schema}
    on_machine = setting.machine or machine.this_machine(setting.device)
    models = setting.models.values()
    machines = [on_machine, *measured_on]
    prices = task.prices.used(machines, models).model_dump(mode="json") if task.prices else None
    hashes = metric_hashes(spec, task.folder)
    trials = tuple(planned_trials(task, setting, only))
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
        trials=trials,
        curve=() if quick else tuple(planned_variants(task, setting, trials)),
        prices=prices,
        git_commit=git_commit(task.folder),
        packages=machine.package_versions(
            set().union(*map(distributions_of, task.strategies.values()))
        ),
        machine=on_machine,
        prompt_date=setting.prompt_date,
        command=shlex.join(["python", "-m", "harness", *sys.argv[1:]]),
        quick=quick,
    )


def _files(task: Task) -> dict[str, str]:
    """Return the hashes of the files that an invocation lays down besides records."""
    found = {"truth.jsonl": sha256_of_jsonl(truth_rows(task))}
    if task.documents:
        found["documents.jsonl"] = sha256_of_jsonl(map(asdict, task.documents))
    return found
