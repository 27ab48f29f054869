"""One trial: an arm with a seed, fitted in one process and served in another, and its record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from harness.hashing import sha256_of, sha256_of_file
from harness.own_metric import find_metric
from harness.records import Measurement, PlannedTrial, TrialRecord, WorkerResult
from harness.run.job import FinishedFit
from harness.run.workshop import Workshop
from harness.runfolder import folder_bytes, read_predictions
from harness.types import RESUMED_S


class TrialRunner:
    """Runs trials of one task into one folder."""

    def __init__(self, workshop: Workshop, plan: Sequence[PlannedTrial]):
        self.workshop = workshop
        self.task = workshop.task
        self.folder = workshop.folder
        self.plan = plan

    def run(self, trial: PlannedTrial, doing: Callable[[str], None]) -> TrialRecord:
        """Fit, unless the same fit was done before, and serve.

        Args:
            trial: what to run.
            doing: told "fit" and "serve" when these begin.
        """
        if problem := self.workshop.setting.problems.get(trial.model or ""):
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
        job = self.workshop.job(trial, "fit", folder, self._finished(trial))
        rows = {split.name: map(asdict, split) for split in (self.task.train, self.task.validation)}
        result = self.workshop.work(job, folder / "job.json", rows)
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
        job = self.workshop.job(trial, "serve", folder)
        rows = {"queries": map(asdict, self.task.test.queries)}
        return self.workshop.work(job, folder / "job.json", rows)

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
        rows = [
            {"id": query.id, "prompt": given[query.id].prompt, "answer": targets[0]}
            for query, targets in ((row.query, row.targets) for row in self.task.test)
        ]
        job = self.workshop.job(trial, "likelihood", here)
        return self.workshop.work(job, here / "job.json", {"answers": rows})

    def _likelihoods_stand(self, trial: PlannedTrial, earlier: TrialRecord) -> bool:
        if earlier.likelihood is None:
            return False
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        of = folder / "likelihood" / "answers.sha256"
        return not of.is_file() or of.read_text() == self._answers_sha256

    @cached_property
    def _answers_sha256(self) -> str:
        return sha256_of([[example.query.id, example.targets[0]] for example in self.task.test])

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
                    measurement=Measurement.model_validate(took),
                )

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
            forecast=trial.forecast,
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
