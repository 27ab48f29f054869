"""One invocation of `run`: plan the trials, reuse what is done, run the rest, record everything.

Knows nothing of scores and prices; leaves facts in the run folder for the judge.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Literal, Protocol

from harness.errors import ModelError, RunFolderError, UnknownNameError
from harness.run import identity, machine
from harness.run.job import Job
from harness.run.spawn import run_worker
from harness.runfolder import RunFolder, folder_bytes, write_jsonl
from harness.task import Task
from harness.types import (
    ModelRef,
    PlannedTrial,
    RunHeader,
    TrialRecord,
    WorkerResult,
    sha256_of,
    sha256_of_file,
)

LARGE_ARTIFACT_BYTES = 256 * 2**20
"""Artifacts above this are kept for the chosen arm only; of the rest the size is on record."""


class Audience(Protocol):
    """Whoever is told how the run goes."""

    def start(self, trial: PlannedTrial, number: int, total: int, doing: str) -> None:
        """A half of a trial begins."""

    def tick(self) -> None:
        """About half a second has passed."""

    def end(self, record: TrialRecord, reused: bool) -> None:
        """A trial is over."""


class Invocation:
    """A task, a folder and what was asked for.

    Raises:
        UnknownNameError: `only` names an arm that the task does not have.
    """

    def __init__(
        self,
        task: Task,
        folder: RunFolder,
        audience: Audience,
        only: Sequence[str] = (),
    ):
        self.task = task
        self.folder = folder
        self.audience = audience
        self.only = frozenset(only)
        self.model: ModelRef | None = None
        self.model_problem: str | None = None
        self.device, self.dtype = "cpu", "float32"
        self._check_only()

    def run(self) -> RunHeader:
        """Run every selected trial that is not done yet.

        Returns:
            The header that was recorded for this invocation.

        Raises:
            RunFolderError: the folder's records are damaged.
        """
        self._resolve_model()
        header = self._header()
        self.folder.append(header)
        done = self.folder.trials()
        # No worker may find the answers in the run folder: they are laid down when all is over.
        self.folder.truth.unlink(missing_ok=True)
        try:
            for number, trial in enumerate(header.trials, start=1):
                if trial.refused or not trial.selected:
                    continue
                earlier = done.get(trial.trial_id)
                if earlier is not None and self._is_reusable(trial, earlier):
                    self.audience.end(earlier, reused=True)
                    continue
                record = self._run_trial(trial, number, len(header.trials))
                self.folder.append(record)
                self.audience.end(record, reused=False)
        finally:
            write_jsonl(self.folder.truth, (asdict(row) for row in self.task.truth))
        return header

    def _check_only(self) -> None:
        names = [arm.name for arm in self.task.spec.strategies]
        for name in sorted(self.only):
            if name not in names:
                raise UnknownNameError("arm", name, names)

    def _resolve_model(self) -> None:
        wanted = any(
            strategy.needs_model and (not self.only or arm in self.only)
            for arm, strategy in self.task.strategies.items()
        )
        anyone = any(strategy.needs_model for strategy in self.task.strategies.values())
        if not anyone:
            return
        from harness.lm.hardware import device_and_dtype
        from harness.lm.models import resolve

        self.device, self.dtype = device_and_dtype(self.task.spec.dtype)
        try:
            # Arms that are left out need the model for their identity alone: not worth a fetch.
            self.model = resolve(self.task.spec.model, self.task.folder, fetch=wanted)
        except ModelError as problem:
            if wanted:
                self.model_problem = str(problem)

    def _header(self) -> RunHeader:
        spec = self.task.spec.model_dump(mode="json")
        spec["answer"]["labels"] = dict(self.task.labels)
        criteria = {
            key: spec[key] for key in ("metric", "also", "limits", "needs", "traffic", "margin")
        }
        return RunHeader(
            started_at=_now(),
            task=spec,
            criteria_sha256=sha256_of(criteria),
            data=self.task.data,
            model=self.model,
            device=self.device,
            dtype=self.dtype,
            trials=tuple(self._plan()),
            prices=self.task.prices.model_dump(mode="json") if self.task.prices else None,
            git_commit=machine.git_commit(self.task.folder),
            packages=machine.package_versions(self._distributions()),
            machine=machine.this_machine(self.device),
            command=shlex.join(["python", "-m", "harness", *sys.argv[1:]]),
        )

    def _distributions(self) -> set[str]:
        owners = metadata.packages_distributions()
        modules = {s.__module__.split(".")[0] for s in self.task.strategies.values()}
        return {owner for module in modules for owner in owners.get(module, [])}

    def _plan(self) -> Iterator[PlannedTrial]:
        """Yield every arm with every seed, interleaved by seed."""
        for seed in self.task.spec.seeds:
            for arm in self.task.spec.strategies:
                strategy = self.task.strategies[arm.name]
                fit = identity.fit_id(self.task, arm.name, seed, self.model, self.dtype)
                yield PlannedTrial(
                    arm=arm.name,
                    strategy=arm.use,
                    params=self.task.params[arm.name],
                    seed=seed,
                    fit_id=fit,
                    trial_id=identity.trial_id(fit, arm.name, self.task.test),
                    selected=not self.only or arm.name in self.only,
                    refused=self._refusal(arm.name),
                    answers=tuple(sorted(strategy.answers)),
                    needs_train=strategy.needs_train,
                    needs_model=strategy.needs_model,
                    learns=strategy.learns,
                    complexity=strategy.complexity,
                    provides=tuple(sorted(strategy.provides)),
                )

    def _refusal(self, arm: str) -> str | None:
        strategy, task = self.task.strategies[arm], self.task
        if task.spec.answer.kind not in strategy.answers:
            return f"does not give answers of kind {task.spec.answer.kind}"
        if strategy.needs_train and not len(task.train):
            return "needs training rows, and the task has none (data.train)"
        if strategy.needs_corpus and not task.documents:
            return "needs documents, and the task has none (data.corpus)"
        return None

    def _is_reusable(self, trial: PlannedTrial, earlier: TrialRecord) -> bool:
        if earlier.status != "ok" or earlier.serve is None:
            return False
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        predictions = folder / "predictions.jsonl"
        return (
            predictions.is_file()
            and sha256_of_file(predictions) == earlier.serve.predictions_sha256
        )

    def _run_trial(self, trial: PlannedTrial, number: int, total: int) -> TrialRecord:
        if trial.needs_model and self.model is None:
            result = WorkerResult(status="failed", error=self.model_problem)
            return self._record(trial, result, None, reused=False)
        self.audience.start(trial, number, total, "fit")
        fit, reused = self._fit(trial)
        serve = None
        if fit.status == "ok":
            self.audience.start(trial, number, total, "serve")
            serve = self._serve(trial)
        return self._record(trial, fit, serve, reused)

    def _fit(self, trial: PlannedTrial) -> tuple[WorkerResult, bool]:
        """Fit, or find the same fit done before; returns its account and whether it was found."""
        folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        facts = folder / "fit.json"
        artifact = folder / "artifact"
        if facts.is_file() and artifact.is_dir():
            known = json.loads(facts.read_text())
            if known["fit_id"] == trial.fit_id:
                return WorkerResult.model_validate(known["result"]), True
        shutil.rmtree(folder, ignore_errors=True)
        artifact.mkdir(parents=True)
        job = self._job(trial, "fit", folder)
        result = self._work(job, folder / "job.json")
        if result.status == "ok":
            known = {"fit_id": trial.fit_id, "result": result.model_dump(mode="json")}
            known["artifact_bytes"] = folder_bytes(artifact)
            part = facts.with_suffix(".part")
            part.write_text(json.dumps(known, indent=1))
            part.replace(facts)
        else:
            shutil.rmtree(artifact)
        return result, False

    def _serve(self, trial: PlannedTrial) -> WorkerResult:
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return self._work(self._job(trial, "serve", folder), folder / "job.json")

    def _job(self, trial: PlannedTrial, kind: Literal["fit", "serve"], folder: Path) -> Job:
        fit_folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        memory = self.task.spec.run.memory_gib
        return Job(
            kind=kind,
            strategy=trial.strategy,
            strategy_base=str(self.task.folder.resolve()),
            params=trial.params,
            facts=self.task.facts,
            metric=self.task.spec.metric,
            model=self.model if trial.needs_model else None,
            seed=trial.seed,
            device=self.device,
            dtype=self.dtype,
            budget_bytes=int(memory * 2**30) if memory else machine.available_bytes(),
            artifact=(fit_folder / "artifact").resolve(),
            inputs=Path(),
            result=(folder / "result.json").resolve(),
            predictions=(folder / "predictions.jsonl").resolve() if kind == "serve" else None,
            train_log=(fit_folder / "train_log.jsonl").resolve() if kind == "fit" else None,
        )

    def _work(self, job: Job, job_path: Path) -> WorkerResult:
        """Run a worker with just the rows that its half of the trial may see."""
        memory = self.task.spec.run.memory_gib
        with tempfile.TemporaryDirectory(prefix="harness-") as folder:
            inputs = Path(folder)
            rows = [asdict(document) for document in self.task.documents]
            write_jsonl(inputs / "documents.jsonl", rows)
            if job.kind == "fit":
                for split in (self.task.train, self.task.validation):
                    write_jsonl(inputs / f"{split.name}.jsonl", map(asdict, split))
            else:
                write_jsonl(inputs / "queries.jsonl", map(asdict, self.task.test.queries))
            result = run_worker(
                job.model_copy(update={"inputs": inputs}),
                job_path.resolve(),
                job_path.parent / "stderr.log",
                self.task.spec.run.timeout_min * 60,
                int(memory * 2**30) if memory else None,
                self.audience.tick,
            )
        job.result.unlink(missing_ok=True)
        return result

    def _record(
        self, trial: PlannedTrial, fit: WorkerResult, serve: WorkerResult | None, reused: bool
    ) -> TrialRecord:
        last = serve or fit
        half = "" if serve else "while fitting: "
        facts = self.folder.fit_folder(trial.arm, trial.fit_id) / "fit.json"
        known = json.loads(facts.read_text()) if facts.is_file() else {}
        return TrialRecord(
            fit_id=trial.fit_id,
            trial_id=trial.trial_id,
            arm=trial.arm,
            strategy=trial.strategy,
            params=trial.params,
            seed=trial.seed,
            status=last.status,
            error=f"{half}{last.error}" if last.error else None,
            fit=fit,
            serve=serve,
            fit_reused=reused,
            artifact_bytes=known.get("artifact_bytes"),
            finished_at=_now(),
        )


@contextmanager
def opened(path: Path, task_name: str, fresh: bool) -> Iterator[RunFolder]:
    """Hold a run folder for one task; nobody else can run in it meanwhile.

    Args:
        path: the folder; made if it does not exist.
        task_name: the task that runs.
        fresh: forget everything that was run there before.

    Raises:
        RunFolderError: another process runs there, or another task has.
    """
    folder = RunFolder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        what = f"{path} cannot be a run folder ({problem.strerror})"
        raise RunFolderError(f"{what} → choose another --out") from None
    with folder.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            fix = "wait for it, or choose another --out"
            raise RunFolderError(f"{path} is in use by {holder} → {fix}") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        _check_owner(folder, task_name)
        if fresh:
            shutil.rmtree(path / "trials", ignore_errors=True)
            results = (folder.truth, folder.comparison, folder.report_md, folder.report_html)
            for file in (*results, folder.records):  # last what tells whose folder it is
                file.unlink(missing_ok=True)
        yield folder


def drop_large_artifacts(folder: RunFolder, keep: str | None) -> list[str]:
    """Delete large artifacts of all arms but `keep`; returns the arms that lost theirs."""
    dropped = []
    for artifact in sorted(folder.path.glob("trials/*/*/artifact")):
        arm = artifact.parent.parent.name
        if arm != keep and folder_bytes(artifact) > LARGE_ARTIFACT_BYTES:
            shutil.rmtree(artifact)
            dropped.append(arm)
    return dropped


def _check_owner(folder: RunFolder, task_name: str) -> None:
    strangers = [
        p for p in folder.path.iterdir() if p.name not in (".lock", "records.jsonl", "trials")
    ]
    if not folder.records.is_file():
        if strangers:
            raise RunFolderError(
                f"{folder.path} holds other files ({strangers[0].name}, …) → choose another --out"
            )
        return
    try:
        owner = json.loads(folder.records.read_bytes().split(b"\n", 1)[0])["task"]["name"]
    except (ValueError, KeyError, TypeError):
        return  # damaged: reading it says so, unless --fresh does away with it
    if owner != task_name:
        raise RunFolderError(
            f"{folder.path} holds runs of the task '{owner}', not '{task_name}'"
            " → choose another --out"
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
