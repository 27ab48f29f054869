"""Has an arm's diagnostics measured when its answers are closed and hashed, each by its own job.

How likely it finds the right answers, the general probe, perturbed test queries. None of it touches
what a trial has measured: records are only completed, and a job that fails is a reason, not a
failed arm. Knows nothing of scores.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path

from harness.files.hashing import sha256_of
from harness.files.removal import emptied
from harness.lm.chat import running_text
from harness.metrics.custom import find_metric
from harness.probes import general_knowledge as probe
from harness.probes import perturbations as perturb
from harness.run.dispatch import Dispatcher
from harness.run.fingerprints import engine_sha256
from harness.run.job import WRITTEN, Inputs, Job, Kind
from harness.run.launchers.base import Begun
from harness.run.progress import Doing
from harness.run.trial import refused_is_failed
from harness.store.measured import Measured, read_measured, write_measured
from harness.store.predictions_file import read_predictions
from harness.store.records import PlannedTrial, TrialRecord, WorkerResult
from harness.store.run_folder import RunFolder
from harness.strategy import Strategy
from harness.task import Task
from harness.types import Prediction, TaskInfo, prompt_value

NOT_KEPT = "its artifact was not kept (large, and another arm was chosen) → run with --only {arm}"
UNANSWERED = "its server failed to answer {n} of the requests → run again, and they are asked again"
UNTUNED = "harness.run.worker.untuned:Untuned"
"""By name: nothing but a worker that runs it needs the engine."""


@dataclass(frozen=True)
class Question:
    """What a diagnostic asks of an arm, and where it lays down what it finds."""

    kind: Kind
    folder: Path
    inputs: Inputs
    of: str
    """Hash of what the answer rests on besides the arm: while it is the same, an answer stands."""
    engine: str | None = None
    """Hash of the source that computes it, where it belongs to no fit, whose id would hold that."""
    sample: tuple[str, ...] = ()
    """Ids of the test rows that are perturbed, where it is about those."""

    def standing(self) -> WorkerResult | None:
        """Return what was measured in its folder, if it went well and the same is asked now."""
        measured = read_measured(self.folder)
        if measured is None or not measured.stands(self.folder / WRITTEN[self.kind]):
            return None
        same = (measured.of, measured.engine) == (self.of, self.engine)
        return measured.result if same and measured.result.status == "ok" else None


class DiagnosticsRunner:
    """Completes records of trials with the diagnostics that the task asks for."""

    def __init__(self, dispatcher: Dispatcher):
        self.dispatcher = dispatcher
        self.task = dispatcher.task
        self.folder = dispatcher.folder
        self._untuned_seen: set[Path] = set()
        """Models that this run has probed, or tried to."""
        self._looking = threading.Lock()

    def complete(self, trial: PlannedTrial, record: TrialRecord, doing: Doing) -> TrialRecord:
        """Return the record with the diagnostics that it lacked; the same one if it lacked none.

        Args:
            trial: the trial.
            record: of the trial, after it ended.
            doing: told "diagnostics" when a job begins.
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
        """Yield fields of the record that a trial is to have, each with who words the question.

        What tuning changed is asked of an arm's first seed alone: it is of the method, says little
        more of each seed, and takes a process each.
        """
        asked, trained = self.task.spec.diagnostics, trial.learns == "weights"
        if self._wants_likelihoods:
            yield "likelihood", likelihood_question
        if trial.seed != self.task.seeds_of(trial.arm)[0]:
            return
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
        doing: Doing,
    ) -> WorkerResult:
        """Return the answer that stands, or get one if the arm can still be asked."""
        standing = question.standing()
        if standing is not None:
            if earlier and standing == earlier.model_copy(update={"hardware": standing.hardware}):
                return earlier  # what an earlier version measured names no hardware but there
            return standing
        if not (self.folder.fit_folder(trial.arm, trial.fit_id) / "artifact").is_dir():
            return earlier or WorkerResult(status="skipped", error=NOT_KEPT.format(arm=trial.arm))
        job = self.dispatcher.job(trial, question.kind, question.folder)
        return put(self.dispatcher, question, job, partial(doing, "diagnostics"))

    def _probe_untuned(self, trial: PlannedTrial, doing: Doing) -> None:
        """Probe the model as it was before tuning: once for each model and run."""
        setting = self.dispatcher.setting
        model = setting.models[trial.model or ""]
        folder = self.folder.untuned_folder(model, setting.dtype, setting.device)
        engine = engine_sha256()
        question = Question("probe", folder, {"probe": probe.items()}, probe.sha256(), engine)
        with self._looking:
            if folder in self._untuned_seen or question.standing() is not None:
                return
            self._untuned_seen.add(folder)
        job = self.dispatcher.job(trial, "probe", folder)
        untuned = {"strategy": UNTUNED, "params": {}, "artifact": job.folder, "documents": False}
        job = job.model_copy(update=untuned)
        put(self.dispatcher, question, job, partial(doing, "diagnostics"))


def put(dispatcher: Dispatcher, question: Question, job: Job, begun: Begun) -> WorkerResult:
    """Have a job done in an empty folder and lay its account beside what it found."""
    ask = partial(_done, dispatcher, question, job, begun)
    return refused_is_failed(ask, lambda failed: failed)


def _done(dispatcher: Dispatcher, question: Question, job: Job, begun: Begun) -> WorkerResult:
    emptied(question.folder, dispatcher.folder.path)
    result = dispatcher.work(job, question.inputs, begun)
    if result.status == "ok" and (failed := result.unanswered):
        lost = {"status": "failed", "error": UNANSWERED.format(n=failed)}
        result = result.model_copy(update=lost)
    write_down(question, result)
    return result


def write_down(question: Question, result: WorkerResult) -> None:
    """Lay the account of what was asked into its folder."""
    measured = Measured(
        of=question.of, engine=question.engine, result=result, sample=question.sample
    )
    write_measured(question.folder, measured)


def likelihood_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask how likely the right answers are, after the very prompts that were put; or say why not.

    The only question that holds targets. Predictions are hashed by then: it can change none.
    """
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    given = read_predictions(here / WRITTEN["serve"])
    if any(prediction.prompt is None for prediction in given.values()):
        return "its answers name no prompts"
    answers = [(row.query.id, row.targets[0]) for row in task.test]
    prompts = {i: prompt_value(prediction.prompt) for i, prediction in given.items()}
    rows = [{"id": i, "prompt": prompts[i], "answer": answer} for i, answer in answers]
    return Question("likelihood", here / "likelihood", {"answers": rows}, sha256_of(answers))


def probe_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask the general probe, which is of the fit alone: with other test rows its figures hold."""
    if task.strategies[trial.arm].log_likelihood is Strategy.log_likelihood:
        return "gives no likelihoods"
    here = folder.fit_folder(trial.arm, trial.fit_id) / "probe"
    return Question("probe", here, {"probe": probe.items()}, probe.sha256())


def robustness_question(trial: PlannedTrial, task: Task, folder: RunFolder) -> Question | str:
    """Ask perturbed test queries, and where labels are listed, the same under another order."""
    here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    given = read_predictions(here / WRITTEN["serve"])
    chosen = perturb.sample(task.test.queries)
    asked = [{"perturbation": name, "query": asdict(q)} for name, q in perturb.perturbed(chosen)]
    listed = [
        {"query": asdict(query), "prompt": prompt_value(given[query.id].prompt)}
        for query in (chosen if _may_list(task.info, given[chosen[0].id]) else [])
    ]
    inputs: Inputs = {"perturbed": asked, "listed": listed}
    ids = tuple(query.id for query in chosen)
    return Question("robustness", here / "robustness", inputs, sha256_of(inputs), sample=ids)


def _may_list(task: TaskInfo, answer: Prediction) -> bool:
    """Tell whether an arm may have shown its labels: a prompt without one of them did not."""
    shown = "" if answer.prompt is None else running_text(answer.prompt)
    return len(task.labels) > 1 and all(label in shown for label in task.labels)
