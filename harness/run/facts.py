"""What tuning changed, measured by processes of their own when a trial's answers are closed.

A general probe before and after tuning, and perturbed test queries. Nothing here touches what a
trial has measured: records are only completed, and a process that fails is a reason, not a failed
arm. Knows nothing of targets and scores.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from harness import perturb, probe
from harness.hashing import sha256_of
from harness.prompts import running_text
from harness.records import Measured, PlannedTrial, TrialRecord, WorkerResult
from harness.run.identity import engine_sha256
from harness.run.job import Job
from harness.run.workshop import WRITTEN, Inputs, Kind, Workshop
from harness.runfolder import read_predictions
from harness.strategy import Strategy
from harness.types import Prediction

NOT_KEPT = "its artifact was not kept (large, and another arm was chosen) → run with --fresh"
MEASURED = "measured.json"
UNTUNED = "harness.run.untuned:Untuned"
"""By name: nothing but a worker that runs it needs the engine."""
NOTHING = WorkerResult(status="skipped", error="not measured yet")


class FactRunner:
    """Completes records of trials with the facts that the task asks for."""

    def __init__(self, workshop: Workshop):
        self.workshop = workshop
        self.task = workshop.task
        self.folder = workshop.folder
        self._untuned_seen: set[Path] = set()
        """Models that this invocation has probed, or tried to."""

    def complete(
        self, trial: PlannedTrial, record: TrialRecord, doing: Callable[[str], None]
    ) -> TrialRecord:
        """Return the record with what it lacked of its facts; the same one if that is nothing.

        Args:
            trial: the trial.
            record: of the trial, after it ended.
            doing: told "facts" when a process begins.
        """
        wanted = self.task.spec.facts
        if record.status != "ok" or not tunes(trial):
            return record
        found = {}
        if wanted.forgetting:
            found["probe"] = self._probe(trial, record.probe, doing)
        if wanted.robustness:
            found["robustness"] = self._robustness(trial, record.robustness, doing)
        changed = any(getattr(record, name) != result for name, result in found.items())
        return record.model_copy(update=found) if changed else record

    def _probe(
        self, trial: PlannedTrial, earlier: WorkerResult | None, doing: Callable[[str], None]
    ) -> WorkerResult:
        strategy = self.task.strategies[trial.arm]
        if strategy.log_likelihood is Strategy.log_likelihood:
            return WorkerResult(status="skipped", error="gives no likelihoods")
        self._probe_untuned(trial, doing)
        folder = self.folder.fit_folder(trial.arm, trial.fit_id) / "probe"
        # Of the fit alone: with other test rows the same figures hold.
        measured = Measured(of=probe.sha256(), result=NOTHING)
        standing = standing_result(folder, "probe", measured)
        if standing is not None:
            return standing
        if problem := self._unserved(trial, earlier):
            return problem
        doing("facts")
        job = self.workshop.job(trial, "probe", folder)
        return self._measured(job, folder, measured, {"probe": probe.items()})

    def _probe_untuned(self, trial: PlannedTrial, doing: Callable[[str], None]) -> None:
        """Probe the model as it was before tuning: once for each model and run."""
        setting = self.workshop.setting
        folder = self.folder.untuned_folder(
            setting.models[trial.model or ""], setting.dtype, setting.device
        )
        measured = Measured(of=probe.sha256(), result=NOTHING, engine=engine_sha256("harness.lm"))
        if folder in self._untuned_seen or standing_result(folder, "probe", measured) is not None:
            return
        self._untuned_seen.add(folder)
        doing("facts")
        job = self.workshop.job(trial, "probe", folder)
        job = job.model_copy(update={"strategy": UNTUNED, "params": {}, "artifact": folder})
        self._measured(job, folder, measured, {"probe": probe.items()})

    def _robustness(
        self, trial: PlannedTrial, earlier: WorkerResult | None, doing: Callable[[str], None]
    ) -> WorkerResult:
        trial_folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        given = read_predictions(trial_folder / WRITTEN["serve"])
        chosen = perturb.sample(self.task.test.queries)
        asked = [
            {"perturbation": name, "query": asdict(q)} for name, q in perturb.perturbed(chosen)
        ]
        listed = [
            {"query": asdict(query), "prompt": given[query.id].prompt}
            for query in (chosen if self._may_list(given[chosen[0].id]) else [])
        ]
        folder = trial_folder / "robustness"
        inputs: Inputs = {"perturbed": asked, "listed": listed}
        ids = tuple(query.id for query in chosen)
        measured = Measured(of=sha256_of(inputs), result=NOTHING, sample=ids)
        standing = standing_result(folder, "robustness", measured)
        if standing is not None:
            return standing
        if problem := self._unserved(trial, earlier):
            return problem
        doing("facts")
        job = self.workshop.job(trial, "robustness", folder)
        return self._measured(job, folder, measured, inputs)

    def _may_list(self, answer: Prediction) -> bool:
        """Tell whether an arm may have shown its labels: a prompt without one of them did not."""
        labels = self.task.facts.labels
        shown = "" if answer.prompt is None else running_text(answer.prompt)
        return len(labels) > 1 and all(label in shown for label in labels)

    def _unserved(self, trial: PlannedTrial, earlier: WorkerResult | None) -> WorkerResult | None:
        """Return why an arm cannot be asked any more; None where it can."""
        if (self.folder.fit_folder(trial.arm, trial.fit_id) / "artifact").is_dir():
            return None
        return earlier or WorkerResult(status="skipped", error=NOT_KEPT)

    def _measured(self, job: Job, folder: Path, measured: Measured, inputs: Inputs) -> WorkerResult:
        """Run a worker in an empty folder and lay its account beside what it found."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        result = self.workshop.work(job, folder / "job.json", inputs)
        text = measured.model_copy(update={"result": result}).model_dump_json(indent=1)
        part = folder / f"{MEASURED}.part"
        part.write_text(text)
        part.replace(folder / MEASURED)
        return result


def tunes(trial: PlannedTrial) -> bool:
    """Tell whether an arm learns weights of a language model."""
    return trial.needs_model and trial.learns == "weights"


def standing_result(folder: Path, kind: Kind, wanted: Measured) -> WorkerResult | None:
    """Return what was measured in a folder, if it went well and is what is wanted now."""
    path = folder / MEASURED
    if not path.is_file() or not (folder / WRITTEN[kind]).is_file():
        return None
    measured = Measured.model_validate_json(path.read_text())
    same = (measured.of, measured.engine) == (wanted.of, wanted.engine)
    return measured.result if same and measured.result.status == "ok" else None
