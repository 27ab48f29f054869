"""Reads the newest invocation of a run folder: records, gold rows, answers, diagnostic files.

Every file is held against its hash on record before anything is made of it; what an earlier version
left without one is read as it is. Answers, gold rows and documents that were changed or cannot be
read are an error: every figure rests on them. A trial whose record is lost leaves its arm out. A
diagnostic file that is damaged or gone is a diagnostic less, and is told: the score stands without.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.analysis.damage import damage_of
from harness.analysis.run_data import (
    ArmData,
    DiagnosticFiles,
    FloorAnswers,
    GoldRows,
    LogRow,
    Perturbed,
    Probed,
    RunData,
)
from harness.errors import RunFolderError
from harness.files.hashing import sha256_of, sha256_of_file
from harness.store.fit_account import TRAIN_LOG
from harness.store.measured import MEASURED, Measured, read_measured
from harness.store.own_worths import read_worths
from harness.store.planned_floor import PlannedFloor
from harness.store.recorded_files import is_as_recorded
from harness.store.records import PlannedTrial, RunHeader, Status, TrialRecord
from harness.store.run_folder import RunFolder, each_row, read_jsonl, read_predictions
from harness.types import Document, Prediction


def read_run(folder: RunFolder, trust: bool = False) -> RunData:
    """Read the newest invocation.

    Args:
        folder: of the run.
        trust: run the files of the task's own metrics, in place of what is on record of them.

    Raises:
        RunFolderError: there was no run, or it was killed before its end.
    """
    header = folder.last_header()
    if not folder.truth.is_file():
        raise RunFolderError(
            f"{folder.truth}: not there: the last run was killed before it ended → run it again;"
            " what finished is kept"
        )
    gold = _recorded(folder.truth, header, _gold)
    documents: dict[str, Document] = {}
    if folder.documents.name in header.files or folder.documents.is_file():
        documents = _recorded(folder.documents, header, _documents)
    known = Known(folder, header, gold, folder.trials(), folder.lost())
    arms = {trial.arm: trial for trial in reversed(header.trials)}
    names = dict.fromkeys(trial.arm for trial in header.trials)
    planned = {name: [t for t in header.trials if t.arm == name] for name in names}
    found = tuple(_arm(known, arms[name], planned[name]) for name in names)
    damage = dict.fromkeys(line for arm in found for line in damage_of(folder, header, arm))
    worths = read_worths(folder.own_worths)
    run = RunData(
        header, gold, found, documents, damage=tuple(damage), worths=worths, trusted=trust
    )
    return replace(run, arms=tuple(_scorable(run, arm) for arm in found))


def _scorable(run: RunData, arm: ArmData) -> ArmData:
    """Return an arm, as failed where the task's metric has no score for it."""
    why = run.why_unscored(arm, run.task.metric) if arm.finished else None
    return ArmData(arm.plan, "failed", why, arm.trials, predictions=()) if why else arm


NO_SLICES: Mapping[str, str] = {}
"""Of all rows that stand in none."""


@dataclass(frozen=True)
class Known:
    """What all arms of a run are read with."""

    folder: RunFolder
    header: RunHeader
    gold: GoldRows
    trials: Mapping[str, TrialRecord]
    lost: Mapping[str, str]
    """See `RunFolder.lost`."""


T = TypeVar("T")


def _recorded(path: Path, header: RunHeader, read: Callable[[Iterable[dict[str, Any]]], T]) -> T:
    """Return what a file holds that the run wrote beside its records.

    Raises:
        RunFolderError: it is not what was recorded.
    """
    if not is_as_recorded(path, header.files.get(path.name)):
        raise RunFolderError(f"{path} is not what was recorded → run the task again")
    try:
        return read(each_row(path))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise RunFolderError(f"{path} cannot be read ({problem}) → run the task again") from problem


def _gold(rows: Iterable[dict[str, Any]]) -> GoldRows:
    read = [
        (
            row["id"],
            tuple(row["targets"]),
            row["slices"] or NO_SLICES,
            row["cluster"],
            tuple(row.get("evidence", ())),
        )
        for row in rows
    ]
    return GoldRows(*zip(*read, strict=True)) if read else GoldRows((), (), (), (), ())


def _documents(rows: Iterable[dict[str, Any]]) -> dict[str, Document]:
    return {row["id"]: Document.from_row(row) for row in rows}


def _arm(known: Known, plan: PlannedTrial, planned: list[PlannedTrial]) -> ArmData:
    folder, header, gold, trials = known.folder, known.header, known.gold, known.trials
    records = tuple(trials[t.trial_id] for t in planned if t.trial_id in trials)
    records = tuple(record for record in records if record.arm == plan.arm)
    status, error = _ending(plan, planned, records, header.quick)
    if lost := [known.lost[t.trial_id] for t in planned if t.trial_id in known.lost]:
        status, error = "skipped", f"not on record: {lost[0]} → run the task again"
    if status != "ok":
        return ArmData(plan, status, error, records, predictions=())
    each = [_likelihoods(folder, record, gold) for record in records]
    return ArmData(
        plan,
        status,
        error,
        records,
        predictions=tuple(_predictions(folder, record, gold) for record in records),
        log_likelihoods=tuple(each) if all(each) else (),
        files=replace(
            _diagnostic_files(folder, header, plan, records),
            floors=tuple(_floor(folder, floor, gold) for floor in plan.floors),
        ),
    )


def _ending(
    plan: PlannedTrial,
    planned: Sequence[PlannedTrial],
    records: Sequence[TrialRecord],
    quick: bool,
) -> tuple[Status, str | None]:
    """Return how an arm ended over all its seeds, and why it did not finish, if so."""
    failed = [record for record in records if record.status != "ok"]
    if plan.refused:
        return "skipped", plan.refused
    if failed:
        first = failed[0]
        several = len(planned) > 1
        return first.status, f"with seed {first.seed}: {first.error}" if several else first.error
    if len(records) < len(planned):
        left_out = "left out by --quick" if quick else "left out by --only"
        return "skipped", "the run was interrupted before it" if plan.selected else left_out
    return "ok", None


def _predictions(folder: RunFolder, record: TrialRecord, gold: GoldRows) -> tuple[Prediction, ...]:
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "predictions.jsonl"
    recorded = record.serve.predictions_sha256 if record.serve else None
    try:
        if recorded not in (None, sha256_of_file(path)):
            raise RunFolderError(
                f"{path} is not what was recorded: it was changed since → run the task again"
            )
        by_id = read_predictions(path, prompts=False)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise RunFolderError(f"{path} cannot be read ({problem}) → run the task again") from problem
    if set(by_id) != set(gold.ids):
        raise RunFolderError(f"{path} does not hold one prediction for each test row → run again")
    return tuple(by_id[row_id] for row_id in gold.ids)


def _likelihoods(folder: RunFolder, record: TrialRecord, gold: GoldRows) -> tuple[float, ...]:
    """Return log-likelihoods of the first targets; nothing where they are of other answers."""
    pairs = zip(gold.ids, gold.targets, strict=True)
    of = sha256_of([[row_id, accepted[0]] for row_id, accepted in pairs])
    at = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "likelihood"
    measured, rows = _measured_ok(at, "likelihoods.jsonl")
    if measured is None or measured.of != of:
        return ()
    by_id = {row["id"]: float(row["log_likelihood"]) for row in rows}
    return tuple(by_id[row_id] for row_id in gold.ids) if set(by_id) >= set(gold.ids) else ()


def _diagnostic_files(
    folder: RunFolder, header: RunHeader, plan: PlannedTrial, records: Sequence[TrialRecord]
) -> DiagnosticFiles:
    """Return what a run left beside an arm's answers; what is missing is None or empty."""
    fits = [folder.fit_folder(r.arm, r.fit_id) for r in records]
    trials = [folder.trial_folder(r.arm, r.fit_id, r.trial_id) for r in records]
    found = DiagnosticFiles(
        train_logs=tuple(
            _log(fit / TRAIN_LOG) if _log_stands(fit, record) else ()
            for fit, record in zip(fits, records, strict=True)
        ),
        probed=tuple(_probed(fit / "probe") for fit in fits),
        perturbed=tuple(_perturbed(trial / "robustness") for trial in trials),
    )
    model = header.models.get(plan.model or "")
    if model is None or not any(found.probed):
        return found
    before = folder.untuned_folder(model, header.dtype, header.device)
    measured = read_measured(before)
    if measured is None:
        return found
    loaded = measured.result.loaded_models
    return replace(
        found,
        untuned=_probed(before),
        untuned_dtype=loaded[0].dtype if loaded else None,
        untuned_problem=measured.result.error,
    )


def _floor(folder: RunFolder, plan: PlannedFloor, gold: GoldRows) -> FloorAnswers:
    """Return what a floor answered in a process of its own, or why it is not known."""
    here = folder.floor_folder(plan.key)
    path = here / "predictions.jsonl"
    measured = read_measured(here) if plan.key else None
    if plan.undefined is not None or measured is None:
        nothing = "nothing was run in its name"
        if plan.key and here.is_dir():
            nothing = f"{here / MEASURED} is gone or was changed → run the task again"
        return FloorAnswers(plan, undefined=plan.undefined or nothing)
    if measured.result.status != "ok":
        return FloorAnswers(plan, undefined=measured.result.error or measured.result.status)
    try:
        kept = measured.result.predictions_sha256 == sha256_of_file(path)
        by_id = read_predictions(path, prompts=False) if kept else {}
    except (OSError, ValueError, TypeError, KeyError):
        by_id = {}
    if set(by_id) != set(gold.ids):
        gone = f"its answers are gone, or were changed ({path}) → run the task again"
        return FloorAnswers(plan, undefined=gone)
    return FloorAnswers(plan, tuple(by_id[row_id] for row_id in gold.ids))


def _measured_ok(folder: Path, name: str) -> tuple[Measured | None, list[dict[str, Any]]]:
    """Return what lies beside a diagnostic's values, and the values: nothing unless both stand."""
    measured = read_measured(folder)
    if measured is None or measured.result.status != "ok" or not measured.stands(folder / name):
        return None, []
    rows = _rows(folder / name)
    return (measured, rows) if rows else (None, [])


def _probed(folder: Path) -> Probed | None:
    measured, rows = _measured_ok(folder, "likelihoods.jsonl")
    return Probed(measured.of, tuple(rows)) if measured else None


def _perturbed(folder: Path) -> Perturbed | None:
    measured = read_measured(folder)
    if measured is None or measured.result.status != "ok":
        return None
    if not measured.stands(folder / "answers.jsonl"):
        return None
    answers: dict[str, dict[str, Prediction]] = {}
    for row in _rows(folder / "answers.jsonl"):
        given = {key: value for key, value in row.items() if key not in ("perturbation", "id")}
        answers.setdefault(row["perturbation"], {})[row["id"]] = Prediction.from_row(given)
    return Perturbed(measured.sample, answers)


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return read_jsonl(path)
    except (OSError, ValueError):
        return []


def _log_stands(fit: Path, record: TrialRecord) -> bool:
    recorded = record.fit.files.get(TRAIN_LOG) if record.fit else None
    return recorded is None or is_as_recorded(fit / TRAIN_LOG, recorded)


def _log(path: Path) -> tuple[LogRow, ...]:
    """Return a training log's rows; a line that was cut off, and what is no row, is left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ()
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            rows.append(row)
    return tuple(rows)
