"""Answers new inputs with an arm of a finished run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from harness.errors import HarnessError, RunFolderError, UnknownNameError
from harness.files.temporary_folder import temporary_folder
from harness.run.job import JOB, Job, Workspace
from harness.run.opening import Leave, allowed, hub_left_alone, inside
from harness.run.worker.context import Outfit
from harness.run.worker.predict import describe, predict_all
from harness.store.fit_account import ARTIFACT
from harness.store.recorded_files import is_as_recorded, is_sound
from harness.store.records import PlannedTrial, RunHeader, TrialRecord
from harness.store.run_folder import RunFolder
from harness.store.validation_score import shipped
from harness.strategy import Strategy
from harness.types import Prediction, Query

NOTHING = Leave()


def answer_with(
    folder: RunFolder,
    arm: str,
    queries: Sequence[Query],
    leave: Leave = NOTHING,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Prediction]:
    """Load a finished arm in this process and answer.

    Args:
        folder: a run folder.
        arm: the arm's name; of several trainings the one that is shipped is used
            (`harness/store/validation_score.py`).
        queries: what to answer.
        leave: what the user allows to do with a folder that others made.
        tell: told which code is run and which server is asked, before that.

    Raises:
        UnknownNameError: the run has no such arm.
        RunFolderError: the arm did not finish, its artifact was not kept, or something that it
            needs is not what was recorded; or the folder is somebody else's, and more is asked for
            than the user allows.
    """
    header = folder.last_header()
    planned = [trial for trial in header.trials if trial.arm == arm]
    if not planned:
        raise UnknownNameError("arm", arm, {trial.arm for trial in header.trials})
    trial = _shipped(folder, planned)
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    artifact = folder.fit_folder(trial.arm, trial.fit_id) / ARTIFACT
    record = folder.trials().get(trial.trial_id)
    if record is None or record.status != "ok" or record.serve is None:
        raise RunFolderError(f"the arm '{arm}' has not finished in {folder.path} → run it first")
    own = folder.is_own(trial.trial_id)
    if not own and not leave.trust:
        inside(folder.path, artifact, here / JOB, folder.documents)
    _check(arm, artifact, here / JOB, record)
    job = allowed(_job(folder, here / JOB, artifact), trial, own, leave, tell)
    guard = nullcontext() if own or leave.trust else hub_left_alone()
    with guard, temporary_folder() as inputs:
        if job.documents:
            _hand_over(folder, header, inputs)
        workspace = Workspace(job, folder.path.resolve(), inputs)
        strategy = Outfit(workspace).strategy()
        with redirect_stdout(sys.stderr):  # what a strategy prints is none of the answers
            _load(strategy, workspace.artifact, own)
            return predict_all(strategy, queries)


def _shipped(folder: RunFolder, planned: Sequence[PlannedTrial]) -> PlannedTrial:
    """Return which of an arm's trials answers; the first where not all of them ended ok."""
    known = folder.trials()
    records = [known[trial.trial_id] for trial in planned if trial.trial_id in known]
    if len(records) < len(planned) or any(record.status != "ok" for record in records):
        return planned[0]
    chosen = shipped(records).trial_id
    return next(trial for trial in planned if trial.trial_id == chosen)


def _check(arm: str, artifact: Path, job: Path, record: TrialRecord) -> None:
    """Check that what an arm needs is there and as it was recorded."""
    if not artifact.is_dir():
        raise RunFolderError(
            f"the artifact of '{arm}' was not kept (large, and another arm was chosen)"
            f" → run the task again with --only {arm}"
        )
    recorded = record.serve.files.get(JOB) if record.serve else None
    needed = [
        (artifact, is_sound(artifact, record.artifact_sha256)),
        (job, is_as_recorded(job, recorded)),
    ]
    for path, sound in needed:
        if not sound:
            raise RunFolderError(
                f"{path} is not what was recorded: it was changed since → run the task again, and"
                f" '{arm}' is made anew"
            )


def _job(folder: RunFolder, file: Path, artifact: Path) -> Job:
    """Read the job that served an arm.

    Raises:
        RunFolderError: it cannot be read, or leads out of the run folder.
    """
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        kept = {key: told[key] for key in Job.model_fields if key in told}
        # Earlier versions wrote down whole paths, of where the run folder was then.
        kept |= {
            name: place.relative_to(folder.path).as_posix()
            for name, place in (("folder", file.parent), ("artifact", artifact))
        }
        return Job.model_validate({**kept, "finished": ()})
    except (OSError, ValueError, TypeError, RecursionError) as problem:
        reason = "; ".join(str(problem).split("\n")[:3])
        raise RunFolderError(f"{file} cannot be read ({reason}) → run the task again") from None


def _load(strategy: Strategy, artifact: Path, own: bool) -> None:
    """Load an artifact; what a stranger's holds instead of one is the stranger's fault, not ours.

    Raises:
        RunFolderError: it is none.
    """
    try:
        strategy.load(artifact)
    except HarnessError:
        raise
    except Exception as problem:
        if own:
            raise
        why = describe(problem)
        raise RunFolderError(
            f"{artifact} is no artifact of this arm: {why} → run the task again"
        ) from None


def _hand_over(folder: RunFolder, header: RunHeader, inputs: Path) -> None:
    """Lay a run's documents into the folder of a job's inputs.

    Raises:
        RunFolderError: they are not what was recorded.
    """
    recorded = header.files.get(folder.documents.name)
    if recorded is not None and not is_as_recorded(folder.documents, recorded):
        raise RunFolderError(f"{folder.documents} is not what was recorded → run the task again")
    if folder.documents.is_file():
        shutil.copy(folder.documents, inputs)
