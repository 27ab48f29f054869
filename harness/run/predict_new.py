"""Answers new inputs with an arm that a run has fitted."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import RunFolderError, UnknownNameError
from harness.run.job import INPUTS_PREFIX, Job
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
    job_path = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id) / "job.json"
    artifact = folder.fit_folder(trial.arm, trial.fit_id) / "artifact"
    if not job_path.is_file():
        raise RunFolderError(f"the arm '{arm}' has not finished in {folder.path} → run it first")
    if not artifact.is_dir():
        raise RunFolderError(
            f"the artifact of '{arm}' was not kept (large, and another arm was chosen)"
            f" → run the task again with --only {arm} --fresh"
        )
    job = Job.model_validate_json(job_path.read_text())
    with TemporaryDirectory(prefix=INPUTS_PREFIX) as inputs:
        if job.documents and folder.documents.is_file():
            shutil.copy(folder.documents, inputs)
        update = {"artifact": artifact.resolve(), "inputs": Path(inputs)}
        strategy = Outfit(job.model_copy(update=update)).strategy()
        with redirect_stdout(sys.stderr):  # what a strategy prints is none of the answers
            strategy.load(artifact)
            return predict_all(strategy, queries)
