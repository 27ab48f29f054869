"""One trial: an arm with a seed, fitted in one process and served in another, and its record."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Literal

from harness.hashing import sha256_of, sha256_of_file
from harness.own_metric import find_metric
from harness.records import PlannedTrial, TrialRecord, WorkerResult
from harness.run import machine
from harness.run.job import INPUTS_PREFIX, FinishedFit, Job
from harness.run.planning import Setting
from harness.run.spawn import run_worker
from harness.runfolder import RunFolder, folder_bytes, read_predictions, write_jsonl
from harness.task import Task
from harness.types import RESUMED_S, Prediction

Kind = Literal["fit", "serve", "likelihood"]
WRITTEN = {"serve": "predictions.jsonl", "likelihood": "likelihoods.jsonl"}
"""What a part of a trial leaves beside its job."""


class TrialRunner:
    """Runs trials of one task into one folder."""

    def __init__(
        self,
        task: Task,
        folder: RunFolder,
        setting: Setting,
        plan: Sequence[PlannedTrial],
        tick: Callable[[], None],
    ):
        self.task = task
        self.plan = plan
        self.folder = folder
        self.setting = setting
        self.tick = tick

    def run(self, trial: PlannedTrial, doing: Callable[[str], None]) -> TrialRecord:
        """Fit, unless the same fit was done before, and serve.

        Args:
            trial: what to run.
            doing: told "fit" and "serve" when these begin.
        """
        if problem := self.setting.problems.get(trial.model or ""):
            result = WorkerResult(status="failed", error=problem)
            return self._record(trial, result, None, reused=False)
        doing("fit")
        fit, reused = self._fit(trial)
        serve = likelihood = None
        if fit.status == "ok":
            doing("serve")
            serve = self._serve(trial)
        if serve is not None and serve.status == "ok" and self._wants_likelihoods:
            likelihood = self._likelihood(trial)
        record = self._record(trial, fit, serve, reused)
        return record.model_copy(update={"likelihood": likelihood})

    def is_done(self, trial: PlannedTrial, earlier: TrialRecord) -> bool:
        """Tell whether an earlier record still stands: it ended ok and its answers are there."""
        if earlier.status != "ok" or earlier.serve is None:
            return False
        if self._wants_likelihoods and not self._likelihoods_stand(trial, earlier):
            return False
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        predictions = folder / "predictions.jsonl"
        return (
            predictions.is_file()
            and sha256_of_file(predictions) == earlier.serve.predictions_sha256
        )

    def _fit(self, trial: PlannedTrial) -> tuple[WorkerResult, bool]:
        """Fit, or find the same fit done before; returns its account and whether it was found."""
        folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        facts = folder / "fit.json"
        artifact = folder / "artifact"
        if facts.is_file() and artifact.is_dir():
            known = json.loads(facts.read_text())
            if known["fit_id"] == trial.fit_id:
                return WorkerResult.model_validate(known["result"]), True
        _clear(folder, {"scratch", "train_log.jsonl"} if (folder / "scratch").is_dir() else set())
        for said in (folder / "scratch").rglob(RESUMED_S):
            said.unlink()  # each attempt says its own
        artifact.mkdir(parents=True)
        job = self._job(trial, "fit", folder)
        result = self._work(job, folder / "job.json")
        if result.status == "ok":
            known = {"fit_id": trial.fit_id, "result": result.model_dump(mode="json")}
            known["artifact_bytes"] = folder_bytes(artifact)
            part = facts.with_suffix(".part")
            part.write_text(json.dumps(known, indent=1))
            part.replace(facts)
            shutil.rmtree(folder / "scratch", ignore_errors=True)
        else:
            shutil.rmtree(artifact)
        return result, False

    def _serve(self, trial: PlannedTrial) -> WorkerResult:
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return self._work(self._job(trial, "serve", folder), folder / "job.json")

    @cached_property
    def _wants_likelihoods(self) -> bool:
        spec = self.task.spec
        metrics = (find_metric(name, self.task.folder) for name in (spec.metric, *spec.also))
        return any("likelihoods" in metric.needs for metric in metrics)

    def _likelihood(self, trial: PlannedTrial) -> WorkerResult:
        """Let a third process say how likely the right answers are.

        Predictions are closed and hashed by then: nothing that it does can change one.
        """
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        given = read_predictions(folder / "predictions.jsonl")
        if any(prediction.prompt is None for prediction in given.values()):
            return WorkerResult(status="skipped", error="its answers name no prompts")
        here = folder / "likelihood"
        here.mkdir()
        # Which answers these are of: unlike predictions, they depend on the targets.
        (here / "answers.sha256").write_text(self._answers_sha256)
        return self._work(self._job(trial, "likelihood", here), here / "job.json", given)

    def _likelihoods_stand(self, trial: PlannedTrial, earlier: TrialRecord) -> bool:
        if earlier.likelihood is None:
            return False
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        of = folder / "likelihood" / "answers.sha256"
        return not of.is_file() or of.read_text() == self._answers_sha256

    @cached_property
    def _answers_sha256(self) -> str:
        return sha256_of([[example.query.id, example.targets[0]] for example in self.task.test])

    def _job(self, trial: PlannedTrial, kind: Kind, folder: Path) -> Job:
        fit_folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        memory = self.task.spec.run.memory_gib
        return Job(
            kind=kind,
            strategy=trial.strategy,
            strategy_base=str(self.task.folder.resolve()),
            params=trial.params,
            facts=self.task.facts,
            metric=self.task.spec.metric,
            model=self.setting.models.get(trial.model or ""),
            seed=trial.seed,
            device=self.setting.device,
            dtype=self.setting.dtype,
            budget_bytes=int(memory * 2**30) if memory else machine.available_bytes(),
            artifact=(fit_folder / "artifact").resolve(),
            inputs=Path(),
            result=(folder / "result.json").resolve(),
            predictions=None if kind == "fit" else (folder / WRITTEN[kind]).resolve(),
            train_log=(fit_folder / "train_log.jsonl").resolve() if kind == "fit" else None,
            scratch=(fit_folder / "scratch").resolve() if kind == "fit" else None,
            finished=tuple(self._finished(trial)) if kind == "fit" else (),
        )

    def _finished(self, trial: PlannedTrial) -> Iterator[FinishedFit]:
        """Yield the fits that a strategy which builds others can take over."""
        strategy = self.task.strategies[trial.arm]
        if not strategy.parts(strategy.Params(**trial.params)):
            return
        for other in self.plan:
            folder = self.folder.fit_folder(other.arm, other.fit_id)
            alike = other.seed == trial.seed and other.model in (None, trial.model)
            if alike and (folder / "fit.json").is_file():
                result = json.loads((folder / "fit.json").read_text())["result"]
                [took] = [m for m in result["measurements"] if m["phase"] == "fit"]
                yield FinishedFit(
                    arm=other.arm,
                    strategy=other.strategy,
                    params=other.params,
                    artifact=(folder / "artifact").resolve(),
                    wall_s=took["wall_s"],
                    peak_rss_bytes=took["peak_rss_bytes"],
                    peak_gpu_bytes=took["peak_gpu_bytes"],
                )

    def _work(
        self, job: Job, job_path: Path, given: Mapping[str, Prediction] | None = None
    ) -> WorkerResult:
        """Run a worker with just the rows that its part of the trial may see.

        Args:
            job: what to do.
            job_path: where to write it down.
            given: the predictions, for a job of likelihoods.
        """
        memory = self.task.spec.run.memory_gib
        with tempfile.TemporaryDirectory(prefix=INPUTS_PREFIX) as folder:
            inputs = Path(folder)
            rows = [asdict(document) for document in self.task.documents]
            write_jsonl(inputs / "documents.jsonl", rows)
            if job.kind == "fit":
                for split in (self.task.train, self.task.validation):
                    write_jsonl(inputs / f"{split.name}.jsonl", map(asdict, split))
            elif given is None:
                write_jsonl(inputs / "queries.jsonl", map(asdict, self.task.test.queries))
            else:
                rows = [
                    {
                        "id": example.query.id,
                        "prompt": given[example.query.id].prompt,
                        "answer": example.targets[0],
                    }
                    for example in self.task.test
                ]
                write_jsonl(inputs / "answers.jsonl", rows)
            result = run_worker(
                job.model_copy(update={"inputs": inputs}),
                job_path.resolve(),
                job_path.parent / "stderr.log",
                self.task.spec.run.timeout_min * 60,
                int(memory * 2**30) if memory else None,
                self.tick,
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
            finished_at=now(),
        )


def _clear(folder: Path, keep: set[str]) -> None:
    """Empty a folder but for the names to keep."""
    for entry in folder.glob("*"):
        if entry.name in keep:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def now() -> str:
    """Return the present moment as the records have it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
