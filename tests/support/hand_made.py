"""Builds run folders by hand: the facts of a run, without running anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of
from harness.store.machine import Hardware, Machine
from harness.store.predictions_file import write_predictions
from harness.store.records import (
    DataSummary,
    Measurement,
    Note,
    PlannedTrial,
    RunHeader,
    Status,
    TrialRecord,
    WorkerResult,
)
from harness.store.run_folder import RunFolder, write_jsonl
from harness.store.validation_score import ValidationScore
from harness.task.schema import TaskFile, arm_of
from harness.types import ModelRef, Prediction

MACHINE = Machine(
    cpu_model="Abacus 2", cores=2, memory_bytes=8 * 2**30, os="Linux", python="3.12.1"
)
PRICES = {
    "machines": [
        {
            "name": "abacus.large",
            "usd_per_hour": 3.6,
            "source": "https://example.com/prices",
            "read_on": "2026-11-20",
            "stands_for": {"cores": 2},
        }
    ]
}
"""A thousandth of a dollar for each second."""
MIB = 2**20


TARGETS = ["yes", "no"] * 60
"""Of two labels, as many of each."""
TRAFFIC = {"requests_per_month": 1000, "months": 10, "serving": "busy"}


@dataclass
class Arm:
    """What happened to one arm; every list of answers is one seed's."""

    name: str
    answers: Sequence[Sequence[str | Prediction]] = ()
    status: Status = "ok"
    error: str | None = None
    refused: str | None = None
    selected: bool = True
    complexity: int = 1
    fit_s: float = 1.0
    predict_s: float = 1.0
    walls_s: Sequence[float] = (0.1, 0.1, 0.1, 0.2)
    plan: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of the planned trial."""
    notes: Sequence[Note] = ()
    machine: Machine | None = None
    """That measured it; None: the run's."""
    seeds: Sequence[int] | None = None
    """Its own; None: the run's."""
    validation: Sequence[float | None] = ()
    """What each seed scores on validation rows; none where nobody asked."""


def right(targets: Sequence[str], wrong: Sequence[int] = ()) -> list[str]:
    """Return answers that are right but for the rows in `wrong`."""
    other = {"yes": "no", "no": "yes"}
    return [other[t] if row in wrong else t for row, t in enumerate(targets)]


def write_run(
    path: Path,
    targets: Sequence[str],
    arms: Sequence[Arm],
    *,
    seeds: Sequence[int] = (0,),
    ended: bool = True,
    prices: dict[str, Any] | None = None,
    data: Mapping[str, Any] = {},
    truth: Mapping[str, Sequence[Any]] = {},
    model: ModelRef | None = None,
    **task: Any,
) -> RunFolder:
    """Write one invocation over yes-or-no rows named r0, r1, …

    Args:
        path: the folder.
        targets: the right answer of each test row.
        arms: what each arm did.
        seeds: the task's seeds.
        ended: False leaves out truth.jsonl, as a killed run does.
        prices: the price rows that stood.
        data: further fields of the data's facts.
        truth: columns `slices`, `cluster`, `evidence`, or `input`, `fields` and `groups` of
            truth.jsonl.
        model: the task's model.
        **task: keys of the task file that differ from the defaults here.
    """
    folder = RunFolder(path)
    own = {arm.name: list(seeds if arm.seeds is None else arm.seeds) for arm in arms}
    every = dict.fromkeys(seed for some in own.values() for seed in some)
    plans = [_plan(arm, seed) for seed in every for arm in arms if seed in own[arm.name]]
    header = _header(targets, arms, plans, prices, dict(data), {"seeds": [*seeds], **task})
    if model is not None:
        trials = tuple(
            plan.model_copy(update={"model": model.name}) if plan.needs_model else plan
            for plan in header.trials
        )
        update = {"models": {model.name: model}, "trials": trials}
        header = header.model_copy(update=update)
    folder.append(header)
    for plan in plans:
        arm = next(arm for arm in arms if arm.name == plan.arm)
        if arm.refused is None and (arm.status != "ok" or arm.answers):
            _write_trial(folder, arm, plan, own[arm.name].index(plan.seed))
    if ended:
        lacking = {"slices": {}, "cluster": None, "evidence": ()}
        columns = {name: truth.get(name, [none] * len(targets)) for name, none in lacking.items()}
        write_jsonl(
            folder.truth,
            (
                {"id": f"r{row}", "targets": [target]}
                | {name: column[row] or lacking[name] for name, column in columns.items()}
                | {name: truth[name][row] for name in truth.keys() - lacking.keys()}
                for row, target in enumerate(targets)
            ),
        )
    return folder


def _header(
    targets: Sequence[str],
    arms: Sequence[Arm],
    plans: Sequence[PlannedTrial],
    prices: dict[str, Any] | None,
    data: dict[str, Any],
    task: dict[str, Any],
) -> RunHeader:
    spec = {
        "name": "by-hand",
        "instruction": "Yes or no?",
        "answer": {"kind": "choice", "labels": ["yes", "no"]},
        "data": {"test": "test.jsonl"},
        "metric": "accuracy",
        "strategies": [arm_of({"use": "majority", "name": arm.name}) for arm in arms],
        "margin": 0.05,
        **task,
    }
    resolved = TaskFile.model_validate(spec).model_dump(mode="json", by_alias=True)
    resolved["answer"]["labels"] = dict.fromkeys(resolved["answer"]["labels"] or (), "")
    n = len(targets)
    facts = {"train_n": 30, "validation_n": 10, "test_n": n, "test_total_n": n, "sha256": {}}
    return RunHeader(
        started_at="2026-11-20T12:00:00+00:00",
        task=resolved,
        criteria_sha256=sha256_of(resolved["margin"]),
        data=DataSummary(**{**facts, **data}),
        models={},
        device="cpu",
        dtype="float32",
        trials=tuple(plans),
        prices=prices,
        git_commit=None,
        packages={"numpy": "2"},
        machine=MACHINE,
        command="python -m harness run task.yaml",
    )


def _plan(arm: Arm, seed: int) -> PlannedTrial:
    fields = {
        "params": {},
        "answers": ("choice",),
        "labels_n": 40,
        "needs_model": False,
        "learns": "weights",
        "provides": (),
        **arm.plan,
    }
    return PlannedTrial(
        arm=arm.name,
        strategy="majority",
        seed=seed,
        fit_id=sha256_of([arm.name, seed, "fit"]),
        trial_id=sha256_of([arm.name, seed, "trial"]),
        selected=arm.selected,
        refused=arm.refused,
        complexity=arm.complexity,
        **fields,
    )


def _write_trial(folder: RunFolder, arm: Arm, plan: PlannedTrial, seed: int) -> None:
    on = Hardware(machine=arm.machine or MACHINE, device="cpu", dtype="float32")

    def took(phase: Any, wall_s: float, peak: int) -> Measurement:
        return Measurement(phase=phase, wall_s=wall_s, cpu_s=wall_s, peak_rss_bytes=peak)

    fit = WorkerResult(
        status="ok",
        measurements=(took("fit", arm.fit_s, 200 * MIB),),
        notes=tuple(arm.notes),
        hardware=on,
    )
    validation = arm.validation[seed] if arm.validation else None
    serve = WorkerResult(
        validation=None if validation is None else ValidationScore(value=validation, n=10),
        status=arm.status,
        error=arm.error,
        measurements=(
            took("load", 0.5, 90 * MIB),
            took("latency", 0.5, 95 * MIB),
            took("predict", arm.predict_s, 100 * MIB),
        ),
        warm_walls_s=tuple(arm.walls_s),
        cold_walls_s=tuple(2 * wall for wall in arm.walls_s),
        load_average=1.0,
        hardware=on,
    )
    folder.append(
        TrialRecord(
            fit_id=plan.fit_id,
            trial_id=plan.trial_id,
            arm=arm.name,
            strategy=plan.strategy,
            params=plan.params,
            seed=plan.seed,
            status=arm.status,
            error=arm.error,
            fit=fit,
            serve=serve,
            artifact_bytes=1234,
            finished_at="2026-11-20T12:01:00+00:00",
        )
    )
    if arm.status == "ok":
        answers = [a if isinstance(a, Prediction) else Prediction(a) for a in arm.answers[seed]]
        at = folder.trial_folder(arm.name, plan.fit_id, plan.trial_id)
        at.mkdir(parents=True)
        ids = [f"r{row}" for row in range(len(answers))]
        write_predictions(at / "predictions.jsonl", ids, answers)


def on(hardware, trial):
    """Return a trial as if both of its halves had run on other hardware."""
    halves = {name: getattr(trial, name) for name in ("fit", "serve")}
    moved = {
        name: half.model_copy(update={"hardware": hardware})
        for name, half in halves.items()
        if half
    }
    return trial.model_copy(update=moved)


def rewritten(folder, records):
    """Write other records in place of a folder's, as an editor would that knows of no checksum."""
    folder.forget_records()
    lines = (r if isinstance(r, str) else json.dumps(r) for r in records)
    folder.records.write_text("".join(f"{line}\n" for line in lines))
    return folder


def unmarked(line):
    """The values of a line of records.jsonl, without its checksum."""
    values = json.loads(line)
    values.pop("sha256", None)
    return values


def rows_of(comparison):
    return {row.strategy: row for row in comparison.arms}


def cheap_and_good(wrong=30):
    """One arm that is right throughout and one that errs on a number of rows and costs less."""
    cheap = Arm("cheap", [right(TARGETS, range(wrong))], complexity=0, fit_s=0.1, predict_s=0.12)
    good = Arm("good", [right(TARGETS, [119])], complexity=3, fit_s=100, predict_s=12)
    return [cheap, good]
