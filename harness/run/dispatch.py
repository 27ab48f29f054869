"""Makes the jobs of a task's trials, each with just the rows that it may see, and has them done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path, PurePosixPath

from harness.machine.memory import available_bytes
from harness.machine.secrets import HUB_TOKENS, PROXIES
from harness.run.answer_room import asked
from harness.run.environment import Setting
from harness.run.fingerprints import reads_documents
from harness.run.job import JOB, WRITTEN, FinishedFit, Inputs, Job, Kind
from harness.run.launchers.base import Launcher
from harness.run.outcome import examined
from harness.store.fit_account import TRAIN_LOG
from harness.store.machine import Hardware
from harness.store.recorded_files import sha256_now
from harness.store.records import PlannedTrial, WorkerResult
from harness.store.run_folder import RunFolder
from harness.task import Task

OF_TEST_ROWS = ("serve", "floor", "likelihood")
"""Kinds of jobs that leave one line for each test row."""


class Dispatcher:
    """One task, one run folder, one setting, and the launcher that does their jobs."""

    def __init__(self, task: Task, folder: RunFolder, setting: Setting, launcher: Launcher) -> None:
        self.task = task
        self.folder = folder
        self.setting = setting
        self.launcher = launcher

    def job(
        self, trial: PlannedTrial, kind: Kind, folder: Path, finished: Iterable[FinishedFit] = ()
    ) -> Job:
        """Return the job of one part of a trial, to be done in a folder of the run folder."""
        fit_folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        limits = self.task.spec.run
        memory = int(limits.memory_gib * 2**30) if limits.memory_gib else None
        return Job(
            kind=kind,
            strategy=trial.strategy,
            strategy_base=str(self.task.folder.resolve()),
            params=trial.params,
            task=asked(self.task, trial.arm, self.setting.answer_room).info,
            metric=self.task.spec.metric,
            model=self.setting.models.get(trial.model or ""),
            seed=trial.seed,
            device=self.setting.device,
            dtype=self.setting.dtype,
            budget_bytes=memory or available_bytes(),
            folder=self.inside(folder),
            artifact=self.inside(fit_folder / "artifact"),
            documents=reads_documents(self.task, self.task.profiles[trial.arm]),
            finished=tuple(finished),
            own_secrets=self._secrets(trial),
            other_secrets=tuple(
                ref.hosted.key_env
                for ref in self.setting.models.values()
                if ref.hosted is not None and ref.hosted.key_env
            ),
            timeout_s=limits.timeout_min * 60,
            memory_bytes=memory,
        )

    def _secrets(self, trial: PlannedTrial) -> tuple[str, ...]:
        """Name the variables with secrets that a trial needs: a key, and what leads to a server."""
        ref = self.setting.models.get(trial.model or "")
        hosted = ref.hosted if ref is not None else None
        names = [hosted.key_env] if hosted is not None and hosted.key_env else []
        # Embedders and rerankers are fetched where they are used; other models by this process.
        beside = self.task.profiles[trial.arm].models
        fetches = any("/" in name and not Path(name).expanduser().is_dir() for name in beside)
        if fetches:
            names += HUB_TOKENS
        if fetches or hosted is not None:
            names += PROXIES
        return tuple(names)

    def inside(self, path: Path) -> PurePosixPath:
        """Return a path below the run folder as jobs hold it."""
        return PurePosixPath(path.relative_to(self.folder.path))

    def work(self, job: Job, inputs: Inputs) -> WorkerResult:
        """Have a job done with these inputs, and the task's documents if it is to have them.

        Returns:
            How it went, with the machine that did it; "ok" only if what it left can be used.
        """
        if job.documents:
            inputs = {"documents": map(asdict, self.task.documents), **inputs}
        result = self.launcher.run(job, inputs)
        asked = [row.query.id for row in self.task.test] if job.kind in OF_TEST_ROWS else []
        result = examined(job, self.folder.path, result, asked)
        machine = self.launcher.machine(job.device)
        hardware = Hardware(machine=machine, device=job.device, dtype=job.dtype)
        return result.model_copy(update={"hardware": hardware, "files": self._left(job)})

    def _left(self, job: Job) -> dict[str, str]:
        """Return the hashes of what a job left in its folder and somebody reads, by name.

        The job itself is read by whoever serves an arm later on.
        """
        names = {"fit": (TRAIN_LOG,), "serve": (JOB, WRITTEN["serve"])}
        folder = self.folder.path / job.folder
        found = {
            name: sha256_now(folder / name) for name in names.get(job.kind) or (WRITTEN[job.kind],)
        }
        return {name: sha256 for name, sha256 in found.items() if sha256 is not None}
