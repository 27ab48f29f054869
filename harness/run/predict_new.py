"""Answers new inputs with an arm of a finished run."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout

from harness.errors import RunFolderError, UnknownNameError
from harness.files.temporary_folder import temporary_folder
from harness.run.job import JOB, Job, Workspace
from harness.run.worker.context import Outfit
from harness.run.worker.predict import predict_all
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
        RunFolderError: the arm did not finish, or its artifact was not kept.
    """
    header = folder.last_header()
    planned = [trial for trial in header.trials if trial.arm == arm]
    if not planned:
        raise UnknownNameError("arm", arm, {trial.arm for trial in header.trials})
    trial = planned[0]
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    artifact = folder.fit_folder(trial.arm, trial.fit_id) / "artifact"
    if not (here / JOB).is_file():
        raise RunFolderError(f"the arm '{arm}' has not finished in {folder.path} → run it first")
    if not artifact.is_dir():
        raise RunFolderError(
            f"the artifact of '{arm}' was not kept (large, and another arm was chosen)"
            f" → run the task again with --only {arm} --fresh"
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
        if job.documents and folder.documents.is_file():
            shutil.copy(folder.documents, inputs)
        workspace = Workspace(job, folder.path.resolve(), inputs)
        strategy = Outfit(workspace).strategy()
        with redirect_stdout(sys.stderr):  # what a strategy prints is none of the answers
            strategy.load(workspace.artifact)
            return predict_all(strategy, queries)
