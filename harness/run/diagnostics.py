"""Has what is asked of an arm after its answers answered, each question by a process of its own.

Nothing here touches what a trial has measured: records are only completed, and a process that
fails is a reason, not a failed arm. Knows nothing of targets and scores.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

from harness.files.atomic import atomic_write
from harness.metrics.custom import find_metric
from harness.probes import general_knowledge as probe
from harness.run.dispatch import WRITTEN, Workshop
from harness.run.fingerprints import engine_sha256
from harness.run.job import Job
from harness.run.questions import (
    Question,
    likelihood_question,
    probe_question,
    robustness_question,
)
from harness.store.records import Measured, PlannedTrial, TrialRecord, WorkerResult

NOT_KEPT = "its artifact was not kept (large, and another arm was chosen) → run with --fresh"
UNANSWERED = "its server failed to answer {n} of the requests → run again, and they are asked again"
MEASURED = "measured.json"
UNTUNED = "harness.run.worker.untuned:Untuned"
"""By name: nothing but a worker that runs it needs the engine."""


class DiagnosticsRunner:
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
        if record.status != "ok":
            return record
        found = {}
        for name, ask in self._wanted(trial):
            question = ask(trial, self.task, self.folder)
            if isinstance(question, str):
                found[name] = WorkerResult(status="skipped", error=question)
                continue
            if question.kind == "probe":
                self._probe_untuned(trial, doing)
            found[name] = self._answer(trial, question, getattr(record, name), doing)
        changed = any(getattr(record, name) != result for name, result in found.items())
        return record.model_copy(update=found) if changed else record

    def _wanted(self, trial: PlannedTrial) -> Iterator[tuple[str, Callable[..., Question | str]]]:
        """Yield fields of the record that a trial is to have, each with who words the question."""
        asked, trained = self.task.spec.diagnostics, trial.learns == "weights"
        if self._wants_likelihoods:
            yield "likelihood", likelihood_question
        if trial.tunes and trial.needs_model and asked.forgetting:
            yield "probe", probe_question
        if trained and asked.robustness:
            yield "robustness", robustness_question

    @cached_property
    def _wants_likelihoods(self) -> bool:
        spec = self.task.spec
        metrics = (find_metric(name, self.task.folder) for name in (spec.metric, *spec.also))
        return any("likelihoods" in metric.needs for metric in metrics)

    def _answer(
        self,
        trial: PlannedTrial,
        question: Question,
        earlier: WorkerResult | None,
        doing: Callable[[str], None],
    ) -> WorkerResult:
        """Return the answer that stands, or get one if the arm can still be asked."""
        standing = standing_result(question)
        if standing is not None:
            if earlier and standing == earlier.model_copy(update={"hardware": standing.hardware}):
                return earlier  # what an earlier version measured names no hardware but there
            return standing
        if not (self.folder.fit_folder(trial.arm, trial.fit_id) / "artifact").is_dir():
            return earlier or WorkerResult(status="skipped", error=NOT_KEPT)
        doing("facts")
        return self._put(question, self.workshop.job(trial, question.kind, question.folder))

    def _probe_untuned(self, trial: PlannedTrial, doing: Callable[[str], None]) -> None:
        """Probe the model as it was before tuning: once for each model and run."""
        setting = self.workshop.setting
        model = setting.models[trial.model or ""]
        folder = self.folder.untuned_folder(model, setting.dtype, setting.device)
        engine = engine_sha256()
        question = Question("probe", folder, {"probe": probe.items()}, probe.sha256(), engine)
        if folder in self._untuned_seen or standing_result(question) is not None:
            return
        self._untuned_seen.add(folder)
        doing("facts")
        job = self.workshop.job(trial, "probe", folder)
        untuned = {"strategy": UNTUNED, "params": {}, "artifact": folder, "documents": False}
        self._put(question, job.model_copy(update=untuned))

    def _put(self, question: Question, job: Job) -> WorkerResult:
        """Run a worker in an empty folder and lay its account beside what it found."""
        folder = question.folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        result = self.workshop.work(job, folder / "job.json", question.inputs)
        if result.status == "ok" and (failed := result.unanswered):
            lost = {"status": "failed", "error": UNANSWERED.format(n=failed)}
            result = result.model_copy(update=lost)
        measured = Measured(
            of=question.of, engine=question.engine, result=result, sample=question.sample
        )
        atomic_write(folder / MEASURED, measured.model_dump_json(indent=1))
        return result


def standing_result(question: Question) -> WorkerResult | None:
    """Return what was answered in a folder, if it went well and the same is asked now."""
    path = question.folder / MEASURED
    if not path.is_file() or not (question.folder / WRITTEN[question.kind]).is_file():
        return None
    measured = Measured.model_validate_json(path.read_text())
    same = (measured.of, measured.engine) == (question.of, question.engine)
    return measured.result if same and measured.result.status == "ok" else None
