"""Answers new inputs with an arm of a finished run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from harness.errors import RunFolderError, UnknownNameError
from harness.files.temporary_folder import temporary_folder
from harness.run.job import JOB, Job, Workspace
from harness.run.worker.context import Outfit
from harness.run.worker.predict import predict_all
from harness.store.fit_account import ARTIFACT
from harness.store.recorded_files import is_as_recorded, is_sound
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder
from harness.types import Prediction, Query


def answer_with(folder: RunFolder, arm: str, queries: Sequence[Query]) -> list[Prediction]:
    """Load a finished arm in this process and answer.

    Args:
        folder: a run folder.
        arm: the arm's name; of several seeds the first is used.
        queries: what to answer.

    Raises:
        UnknownNameError: the run has no such arm.
        RunFolderError: the arm did not finish, its artifact was not kept, or something that it
            needs is not what was recorded.
    """
    header = folder.last_header()
    planned = [trial for trial in header.trials if trial.arm == arm]
    if not planned:
        raise UnknownNameError("arm", arm, {trial.arm for trial in header.trials})
    trial = planned[0]
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    artifact = folder.fit_folder(trial.arm, trial.fit_id) / ARTIFACT
    record = folder.trials().get(trial.trial_id)
    if record is None or record.status != "ok" or record.serve is None:
        raise RunFolderError(f"the arm '{arm}' has not finished in {folder.path} → run it first")
    if not artifact.is_dir():
        raise RunFolderError(
            f"the artifact of '{arm}' was not kept (large, and another arm was chosen)"
            f" → run the task again with --only {arm}"
        )
    needed = [
        (artifact, is_sound(artifact, record.artifact_sha256)),
        (here / JOB, is_as_recorded(here / JOB, record.serve.files.get(JOB))),
    ]
    for path, sound in needed:
        if not sound:
            raise RunFolderError(
                f"{path} is not what was recorded: it was changed since → run the task again, and"
                f" '{arm}' is made anew"
            )
    told = json.loads((here / JOB).read_text(encoding="utf-8"))
    kept = {key: told[key] for key in Job.model_fields if key in told}
    # Earlier versions wrote down whole paths, of where the run folder was then.
    kept |= {
        name: place.relative_to(folder.path).as_posix()
        for name, place in (("folder", here), ("artifact", artifact))
    }
    kept["finished"] = ()
    job = Job.model_validate(kept)
    with temporary_folder() as inputs:
        if job.documents:
            _hand_over(folder, header, inputs)
        workspace = Workspace(job, folder.path.resolve(), inputs)
        strategy = Outfit(workspace).strategy()
        with redirect_stdout(sys.stderr):  # what a strategy prints is none of the answers
            strategy.load(workspace.artifact)
            return predict_all(strategy, queries)


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
