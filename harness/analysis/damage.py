"""Which files of a run are not what was recorded of them, and what to do about each.

Of what a score can do without: an artifact, the job that `predict` repeats, diagnostics and
training logs. What it cannot do without leaves the arm out where it is read (read_run.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.analysis.run_data import ArmData
from harness.store.fit_account import ARTIFACT, TRAIN_LOG
from harness.store.measured import MEASURED, read_measured
from harness.store.recorded_files import is_as_recorded, is_sound
from harness.store.records import PlannedTrial, RunHeader, TrialRecord, WorkerResult
from harness.store.run_folder import RunFolder
from harness.store.search_record import SEARCH

ANSWERS = "predictions.jsonl"
CHANGED = "is not what was recorded, or gone"
AGAIN = "run the task again"
LOST = "not on record: "
"""Begins why an arm is left out whose record or answers are lost."""
LEFT_OUT = "is left out of the verdict: "


def damage_of(folder: RunFolder, header: RunHeader, arm: ArmData) -> Iterator[str]:
    """Yield a sentence for each such file of an arm that finished, or that it is left out."""
    if (arm.error or "").startswith(LOST):
        yield f"{arm.name} {LEFT_OUT}{arm.error}"
    for record in arm.trials if arm.finished else ():
        fit = folder.fit_folder(record.arm, record.fit_id)
        if not is_sound(fit / ARTIFACT, record.artifact_sha256):
            yield (
                f"{arm.name}: {fit / ARTIFACT} {CHANGED}; its score is of answers that were given"
                f" before → {AGAIN}, and {arm.name} is prepared again"
            )
        yield from _trial(folder, record)
        if record.fit and not _stands(fit, TRAIN_LOG, record.fit):
            yield (
                f"{arm.name}: {fit / TRAIN_LOG} {CHANGED}, so this report lacks what it held → take"
                f" {fit} away and {AGAIN}, and {arm.name} is prepared again"
            )
        if record.fit and not _stands(fit, SEARCH, record.fit):
            yield (
                f"{arm.name}: {fit / SEARCH} {CHANGED}, so how its parameters were chosen is not"
                f" known → {AGAIN}, and {arm.name} is prepared again"
            )
        yield from _diagnostics(folder, record)
    if arm.finished and any(trial.probe for trial in arm.trials):
        yield from _untuned(folder, header, arm)


def _trial(folder: RunFolder, record: TrialRecord) -> Iterator[str]:
    trial = folder.trial_folder(record.arm, record.fit_id, record.trial_id)
    for name in record.serve.files if record.serve else ():
        if name != ANSWERS and record.serve and not _stands(trial, name, record.serve):
            yield (
                f"{record.arm}: {trial / name} {CHANGED}: `predict` cannot use it → {AGAIN}, and"
                f" {record.arm} answers anew"
            )


def _diagnostics(folder: RunFolder, record: TrialRecord) -> Iterator[str]:
    fit = folder.fit_folder(record.arm, record.fit_id)
    trial = folder.trial_folder(record.arm, record.fit_id, record.trial_id)
    kept = (fit / ARTIFACT).is_dir()
    again = AGAIN if kept else f"{AGAIN} with --only {record.arm}"
    for result, place, name in (
        (record.likelihood, trial / "likelihood", "likelihoods.jsonl"),
        (record.probe, fit / "probe", "likelihoods.jsonl"),
        (record.robustness, trial / "robustness", "answers.jsonl"),
    ):
        if result is None or result.status != "ok" or name not in result.files:
            continue  # nothing was found, or an earlier version found it
        gone = [MEASURED] if read_measured(place) is None else []
        gone += [] if _stands(place, name, result) else [name]
        for each in gone:
            yield (
                f"{record.arm}: {place / each} {CHANGED}, so this report lacks what it held →"
                f" {again}, and it is measured again"
            )


def untuned_folder(
    folder: RunFolder, header: RunHeader, plan: PlannedTrial, records: Sequence[TrialRecord]
) -> Path | None:
    """Return where the probe of an arm's model before tuning lies: on what the arm was probed on.

    Of runs of early versions the header alone says what that was. None: the arm has no model.
    """
    model = header.models.get(plan.model or "")
    if model is None:
        return None
    probed = (record.probe.hardware for record in records if record.probe)
    on = next(filter(None, probed), None) or header.hardware
    return folder.untuned_folder(model, on.dtype, on.device)


def _untuned(folder: RunFolder, header: RunHeader, arm: ArmData) -> Iterator[str]:
    place = untuned_folder(folder, header, arm.plan, arm.trials)
    if place is None:
        return
    measured = read_measured(place)
    gone: list[Path] = [place / MEASURED] if measured is None and place.exists() else []
    if measured is not None and not _stands(place, "likelihoods.jsonl", measured.result):
        gone = [place / "likelihoods.jsonl"]
    for each in gone:
        yield (
            f"{arm.name}: {each} {CHANGED}, so what tuning made it forget is not known → {AGAIN},"
            " and it is measured again"
        )


def _stands(folder: Path, name: str, result: WorkerResult) -> bool:
    """Tell whether a file is what was recorded of it; one of which nothing was, is."""
    recorded = result.files.get(name)
    return recorded is None or is_as_recorded(folder / name, recorded)
