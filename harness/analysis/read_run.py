"""Reads what a run left besides answers: training logs, the general probe, perturbed answers.

A file that is gone or cannot be read is no fact, and never an error: the score stands without it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.store.records import Measured, PlannedTrial, RunHeader, TrialRecord
from harness.store.run_folder import RunFolder, read_jsonl
from harness.types import Prediction

LogRow = Mapping[str, Any]
"""Numbers by name; `part` is a text."""


@dataclass(frozen=True)
class Probed:
    """What a model said to the general probe, and to which version of it."""

    of: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Perturbed:
    """Answers to perturbed test queries."""

    sample: tuple[str, ...]
    """Ids of the rows that were perturbed."""
    answers: Mapping[str, Mapping[str, Prediction]]
    """[perturbation][id]; of the rows that it changes."""


@dataclass(frozen=True)
class DiagnosticFiles:
    """What lies beside an arm's answers; every tuple has one entry a seed."""

    train_logs: tuple[tuple[LogRow, ...], ...] = ()
    probed: tuple[Probed | None, ...] = ()
    perturbed: tuple[Perturbed | None, ...] = ()
    untuned: Probed | None = None
    """What the arm's model said before tuning."""
    untuned_dtype: str | None = None
    """How its weights were held then, as the model itself said."""
    untuned_problem: str | None = None


def read_diagnostic_files(
    folder: RunFolder, header: RunHeader, plan: PlannedTrial, records: Sequence[TrialRecord]
) -> DiagnosticFiles:
    """Return what a run left of an arm; what is missing is None or empty."""
    fits = [folder.fit_folder(r.arm, r.fit_id) for r in records]
    trials = [folder.trial_folder(r.arm, r.fit_id, r.trial_id) for r in records]
    found = DiagnosticFiles(
        train_logs=tuple(_log(fit / "train_log.jsonl") for fit in fits),
        probed=tuple(_probed(fit / "probe") for fit in fits),
        perturbed=tuple(_perturbed(trial / "robustness") for trial in trials),
    )
    model = header.models.get(plan.model or "")
    if model is None or not any(found.probed):
        return found
    before = folder.untuned_folder(model, header.dtype, header.device)
    measured = _measured(before)
    if measured is None:
        return found
    loaded = measured.result.loaded_models
    return replace(
        found,
        untuned=_probed(before),
        untuned_dtype=loaded[0].dtype if loaded else None,
        untuned_problem=measured.result.error,
    )


def _measured(folder: Path) -> Measured | None:
    try:
        return Measured.model_validate_json((folder / "measured.json").read_text())
    except (OSError, ValueError):
        return None


def _probed(folder: Path) -> Probed | None:
    measured = _measured(folder)
    if measured is None or measured.result.status != "ok":
        return None
    rows = _rows(folder / "likelihoods.jsonl")
    return Probed(measured.of, tuple(rows)) if rows else None


def read_likelihoods(folder: Path, of: str) -> dict[str, float]:
    """Return the likelihood of each test row's answer; nothing where they are of other answers."""
    measured = _measured(folder)
    if measured is None or measured.result.status != "ok" or measured.of != of:
        return {}
    return {row["id"]: float(row["log_likelihood"]) for row in _rows(folder / "likelihoods.jsonl")}


def _perturbed(folder: Path) -> Perturbed | None:
    measured = _measured(folder)
    if measured is None or measured.result.status != "ok":
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
