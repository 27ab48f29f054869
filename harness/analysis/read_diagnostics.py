"""Reads what a run left beside its answers: diagnostics, training logs, what floors answered.

Each file is held against its hash on record. One that is damaged or gone is None or empty here, and
told (damage.py): the score stands without it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.analysis.damage import ANSWERS, untuned_folder
from harness.analysis.run_data import (
    DiagnosticFiles,
    FloorAnswers,
    GoldRows,
    LogRow,
    Perturbed,
    Probed,
)
from harness.files.hashing import sha256_of, sha256_of_file
from harness.store.fit_account import TRAIN_LOG
from harness.store.measured import MEASURED, Measured, read_measured
from harness.store.planned_floor import PlannedFloor
from harness.store.predictions_file import read_predictions
from harness.store.recorded_files import is_as_recorded
from harness.store.records import PlannedTrial, RunHeader, TrialRecord
from harness.store.run_folder import RunFolder, read_jsonl
from harness.store.search_record import SEARCH, SearchRecord, read_search
from harness.types import Prediction


def likelihoods(folder: RunFolder, record: TrialRecord, gold: GoldRows) -> tuple[float, ...]:
    """Return log-likelihoods of the first targets; nothing where they are of other answers."""
    pairs = zip(gold.ids, gold.targets, strict=True)
    of = sha256_of([[row_id, accepted[0]] for row_id, accepted in pairs])
    at = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "likelihood"
    measured, rows = _measured_ok(at, "likelihoods.jsonl")
    if measured is None or measured.of != of:
        return ()
    by_id = {row["id"]: float(row["log_likelihood"]) for row in rows}
    return tuple(by_id[row_id] for row_id in gold.ids) if set(by_id) >= set(gold.ids) else ()


def diagnostic_files(
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
        search=_search(fits[0], records[0]) if fits else None,
    )
    before = untuned_folder(folder, header, plan, records)
    measured = read_measured(before) if before and any(found.probed) else None
    if before is None or measured is None:
        return found
    loaded = measured.result.loaded_models
    return replace(
        found,
        untuned=_probed(before),
        untuned_dtype=loaded[0].dtype if loaded else None,
        untuned_problem=measured.result.error,
    )


def floor_answers(folder: RunFolder, plan: PlannedFloor, gold: GoldRows) -> FloorAnswers:
    """Return what a floor answered in a process of its own, or why it is not known."""
    here = folder.floor_folder(plan.key)
    path = here / ANSWERS
    measured = read_measured(here) if plan.key else None
    if plan.undefined is not None or measured is None:
        nothing = "nothing was run in its name"
        if plan.key and (path.exists() or (here / MEASURED).exists()):
            nothing = f"{here / MEASURED} is gone or was changed → run the task again"
        elif plan.key and here.is_dir():
            nothing = "it was interrupted → run the task again"
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


def _search(fit: Path, record: TrialRecord) -> SearchRecord | None:
    recorded = record.fit.files.get(SEARCH) if record.fit else None
    if recorded is None or not is_as_recorded(fit / SEARCH, recorded):
        return None
    return read_search(fit)


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
