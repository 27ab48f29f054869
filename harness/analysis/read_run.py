"""Reads the newest invocation of a run folder: records, gold rows, answers, diagnostic files.

Every file is held against its hash on record before anything is made of it; what an earlier version
left without one is read as it is. Gold rows and documents that were changed or cannot be read are
an error: every figure rests on them. A trial whose record or answers are lost leaves its arm out,
and the others stand. A diagnostic file that is damaged or gone is a diagnostic less, and is told:
the score stands without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.analysis.damage import AGAIN, ANSWERS, LOST, damage_of
from harness.analysis.read_diagnostics import diagnostic_files, floor_answers, likelihoods
from harness.analysis.run_data import (
    ArmData,
    GoldRows,
    RunData,
    VariantTrial,
)
from harness.errors import RunFolderError
from harness.files.hashing import sha256_of_file
from harness.store.merged import TwoAnswers, served_sha256
from harness.store.own_worths import read_worths
from harness.store.predictions_file import read_predictions
from harness.store.recorded_files import is_as_recorded
from harness.store.records import PlannedTrial, RunHeader, Status, TrialRecord
from harness.store.run_folder import RunFolder, each_row
from harness.types import Document, Prediction, Query


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
    variants = tuple(_variant(known, plan) for plan in header.curve)
    run = RunData(
        header,
        gold,
        found,
        documents,
        variants,
        damage=tuple(damage),
        worths=worths,
        two_answers=tuple(dict.fromkeys(_two_answers(known))),
        trusted=trust,
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


def _two_answers(known: Known) -> Iterator[TwoAnswers]:
    """Yield where merged runs disagreed, as long as the answers that count are those of then."""
    said = [
        told
        for header in known.folder.headers()
        for told in (header.merged.two_answers if header.merged else ())
    ]
    planned = {plan.trial_id for plan in (*known.header.trials, *known.header.curve)}
    for told in said:
        record = known.trials.get(told.trial_id) if told.trial_id in planned else None
        if record is not None and served_sha256(record.serve) == told.served_sha256:
            yield told


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
            _asked(row) if "input" in row else None,
        )
        for row in rows
    ]
    if not read:
        return GoldRows((), (), (), (), ())
    ids, targets, slices, clusters, evidence, asked = zip(*read, strict=True)
    return GoldRows(ids, targets, slices, clusters, evidence, None if None in asked else asked)


def _asked(row: Mapping[str, Any]) -> Query:
    return Query(row["id"], row["input"], row.get("fields") or {}, tuple(row.get("groups", ())))


def _documents(rows: Iterable[dict[str, Any]]) -> dict[str, Document]:
    return {row["id"]: Document.from_row(row) for row in rows}


def _arm(known: Known, plan: PlannedTrial, planned: list[PlannedTrial]) -> ArmData:
    folder, header, gold, trials = known.folder, known.header, known.gold, known.trials
    records = tuple(trials[t.trial_id] for t in planned if t.trial_id in trials)
    records = tuple(record for record in records if record.arm == plan.arm)
    status, error = _ending(plan, planned, records, header.quick)
    if lost := [known.lost[t.trial_id] for t in planned if t.trial_id in known.lost]:
        status, error = "skipped", f"{LOST}{lost[0]} → {AGAIN}"
    if status != "ok":
        return ArmData(plan, status, error, records, predictions=())
    try:
        predictions = tuple(_predictions(folder, record, gold) for record in records)
    except RunFolderError as problem:
        return ArmData(plan, "skipped", f"{LOST}{problem} → {AGAIN}", records, predictions=())
    each = [likelihoods(folder, record, gold) for record in records]
    return ArmData(
        plan,
        status,
        error,
        records,
        predictions,
        log_likelihoods=tuple(each) if all(each) else (),
        files=replace(
            diagnostic_files(folder, header, plan, records),
            floors=tuple(floor_answers(folder, floor, gold) for floor in plan.floors),
        ),
    )


def _variant(known: Known, plan: PlannedTrial) -> VariantTrial:
    """Return a trial on other rows; what is lost or left out has no answers, and says why."""
    record = known.trials.get(plan.trial_id)
    if record is None:
        why = "the run was interrupted before it" if plan.selected else "left out by --only"
        return VariantTrial(plan, "skipped", known.lost.get(plan.trial_id, why))
    if record.status != "ok":
        return VariantTrial(plan, record.status, record.error)
    try:
        answers = _predictions(known.folder, record, known.gold)
    except RunFolderError as problem:
        return VariantTrial(plan, "skipped", f"{LOST}{problem} → {AGAIN}")
    return VariantTrial(plan, "ok", None, tuple(replace(a, label_logprobs=None) for a in answers))


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
    """Return what a trial answered, in the order of the gold rows.

    Raises:
        RunFolderError: its file is not what was recorded, or cannot be read.
    """
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / ANSWERS
    recorded = record.serve.predictions_sha256 if record.serve else None
    try:
        if recorded not in (None, sha256_of_file(path)):
            raise RunFolderError(f"{path} is not what was recorded: it was changed since")
        by_id = read_predictions(path, prompts=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise RunFolderError(f"{path} cannot be read ({problem})") from problem
    if set(by_id) != set(gold.ids):
        raise RunFolderError(f"{path} does not hold one prediction for each test row")
    return tuple(by_id[row_id] for row_id in gold.ids)
