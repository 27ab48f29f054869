"""Where workers get their jobs and just the rows that their part of a trial may see."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from harness.machine.describe import this_machine
from harness.machine.memory import available_bytes
from harness.run.environment import Setting
from harness.run.fingerprints import reads_documents
from harness.run.job import INPUTS_PREFIX, FinishedFit, Job
from harness.run.launchers.local import run_worker
from harness.store.machine import Hardware
from harness.store.records import PlannedTrial, WorkerResult
from harness.store.run_folder import RunFolder, write_jsonl
from harness.task import Task

Kind = Literal["fit", "serve", "likelihood", "probe", "robustness"]
WRITTEN = {
    "serve": "predictions.jsonl",
    "likelihood": "likelihoods.jsonl",
    "probe": "likelihoods.jsonl",
    "robustness": "answers.jsonl",
}
"""What a part of a trial leaves beside its job."""
Inputs = Mapping[str, Iterable[Mapping[str, Any]]]
"""Rows of JSON by the name of the file that they are handed over in, without its ending."""


class Workshop:
    """One task, one folder, one setting: makes jobs for their trials and has workers do them."""

    def __init__(
        self, task: Task, folder: RunFolder, setting: Setting, tick: Callable[[], None]
    ) -> None:
        self.task = task
        self.folder = folder
        self.setting = setting
        self.tick = tick

    def job(
        self, trial: PlannedTrial, kind: Kind, folder: Path, finished: Iterable[FinishedFit] = ()
    ) -> Job:
        """Return the job of one part of a trial, to be done in `folder`."""
        fit_folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        memory = self.task.spec.run.memory_gib
        fits = kind == "fit"
        return Job(
            kind=kind,
            strategy=trial.strategy,
            strategy_base=str(self.task.folder.resolve()),
            params=trial.params,
            task=self.task.info,
            metric=self.task.spec.metric,
            model=self.setting.models.get(trial.model or ""),
            seed=trial.seed,
            device=self.setting.device,
            dtype=self.setting.dtype,
            budget_bytes=int(memory * 2**30) if memory else available_bytes(),
            artifact=(fit_folder / "artifact").resolve(),
            inputs=Path(),
            documents=reads_documents(self.task, trial.arm),
            result=(folder / "result.json").resolve(),
            predictions=None if fits else (folder / WRITTEN[kind]).resolve(),
            train_log=(fit_folder / "train_log.jsonl").resolve() if fits else None,
            scratch=(fit_folder / "scratch").resolve() if fits else None,
            finished=tuple(finished),
        )

    def work(self, job: Job, job_path: Path, inputs: Inputs) -> WorkerResult:
        """Run a worker with these inputs, and with the task's documents if it is to have them.

        Args:
            job: what to do.
            job_path: where to write it down.
            inputs: what it may see; it is gone when the worker has ended.
        """
        memory = self.task.spec.run.memory_gib
        with tempfile.TemporaryDirectory(prefix=INPUTS_PREFIX) as folder:
            place = Path(folder)
            if job.documents:
                write_jsonl(place / "documents.jsonl", map(asdict, self.task.documents))
            for name, rows in inputs.items():
                write_jsonl(place / f"{name}.jsonl", rows)
            result = run_worker(
                job.model_copy(update={"inputs": place}),
                job_path.resolve(),
                job_path.parent / "stderr.log",
                self.task.spec.run.timeout_min * 60,
                int(memory * 2**30) if memory else None,
                self.tick,
            )
        job.result.unlink(missing_ok=True)
        machine = this_machine(job.device)
        hardware = Hardware(machine=machine, device=job.device, dtype=job.dtype)
        return result.model_copy(update={"hardware": hardware})
