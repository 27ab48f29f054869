"""From a run folder to what the judge weighs: per arm its records and per item its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.analysis.read_run import (
    DiagnosticFiles,
    read_diagnostic_files,
    read_likelihoods,
)
from harness.errors import RunFolderError
from harness.files.hashing import sha256_of, sha256_of_file
from harness.metrics import Items, Metric
from harness.metrics.custom import find_metric
from harness.metrics.items import items_of
from harness.prices import Prices
from harness.stats.bootstrap import effective_units
from harness.store.records import PlannedTrial, RunHeader, Status, TrialRecord
from harness.store.run_folder import RunFolder, read_jsonl, read_predictions
from harness.types import ModelRef, Prediction, TaskInfo


@dataclass(frozen=True)
class Truth:
    """The test rows as the judge knows them, in their frozen order."""

    ids: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]
    slices: tuple[Mapping[str, str], ...]
    clusters: tuple[str | None, ...]
    evidence: tuple[tuple[str, ...], ...]

    def units(self, rows: Sequence[int]) -> float:
        """Return how many independent items some rows are: of clusters the effective number."""
        return effective_units([self.clusters[row] for row in rows], len(rows))


@dataclass(frozen=True)
class ArmEvidence:
    """One arm: its plan, its trials (one a seed) and what they answered."""

    plan: PlannedTrial
    status: Status
    error: str | None
    trials: tuple[TrialRecord, ...]
    predictions: tuple[tuple[Prediction, ...], ...]
    """[seed][item], in the order of the truth; empty unless every seed ended ok."""
    log_likelihoods: tuple[tuple[float, ...], ...] = ()
    """[seed][item] of the first targets; empty unless every seed gave them."""
    files: DiagnosticFiles = field(default_factory=DiagnosticFiles)
    """What lies beside its answers; empty unless every seed ended ok."""

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.plan.arm

    @property
    def cites(self) -> bool:
        """Whether any of its answers names its sources."""
        return any(p.sources is not None for seed in self.predictions for p in seed)


@dataclass(frozen=True)
class Evidence:
    """All facts of the newest invocation of a run folder."""

    header: RunHeader
    truth: Truth
    arms: tuple[ArmEvidence, ...]
    documents: Mapping[str, str]
    """Id to text, of the corpus as it was when the task ran."""

    @property
    def task(self) -> dict[str, Any]:
        """The task as it was resolved when it ran."""
        return self.header.task

    @property
    def info(self) -> TaskInfo:
        """What decides how an answer is read."""
        answer = self.task["answer"]
        return TaskInfo(
            self.task["name"],
            self.task["instruction"],
            answer["kind"],
            answer["labels"] or {},
            schema=answer.get("schema"),
            no_answer=answer.get("no_answer"),
        )

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return self.find_metric(self.task["metric"])

    def find_metric(self, name: str) -> Metric:
        """Return a metric of the task, a function of its own too.

        Raises:
            UserError: the file of that function is gone or cannot be used.
        """
        folder = self.header.task_folder
        return find_metric(name, Path(folder) if folder else None)

    def model_of(self, arm: ArmEvidence) -> ModelRef | None:
        """Return the base model that an arm uses, if it uses one."""
        if not arm.plan.needs_model:
            return None
        return self.header.models.get(arm.plan.model or "")

    def models_of(self, arm: ArmEvidence) -> tuple[ModelRef, ...]:
        """Return every model that an arm uses: its base model, and an embedder or a reranker."""
        base = self.model_of(arm)
        beside = arm.plan.licences.items()
        others = [ModelRef(name, name, licence=licence) for name, licence in beside]
        return tuple(others) if base is None else (base, *others)

    def priced(self, prices: Prices) -> Evidence:
        """Return the same, with what prices say of hosted models that the task gives none for."""
        models = self.header.models.items()
        endpoints = {name: replace(model, hosted=prices.priced(model)) for name, model in models}
        header = self.header.model_copy(update={"models": endpoints})
        return replace(self, header=header)

    def items(self, arm: ArmEvidence, seed: int) -> Items:
        """Return an arm's answers under one seed (by position) beside the truth."""
        truth = self.truth
        items = items_of(
            truth.ids,
            arm.predictions[seed],
            truth.targets,
            self.info,
            self.documents,
            truth.evidence,
        )
        known = arm.log_likelihoods[seed] if arm.log_likelihoods else ()
        return replace(items, log_likelihoods=known)


def gather(folder: RunFolder) -> Evidence:
    """Read the facts of the newest invocation.

    Raises:
        RunFolderError: there was no run, or it was killed before its end.
    """
    header = folder.last_header()
    if not folder.truth.is_file():
        raise RunFolderError(
            f"{folder.path}: the last run was killed before it ended → run it again;"
            " what finished is kept"
        )
    rows = read_jsonl(folder.truth)
    truth = Truth(
        ids=tuple(row["id"] for row in rows),
        targets=tuple(tuple(row["targets"]) for row in rows),
        slices=tuple(row["slices"] for row in rows),
        clusters=tuple(row["cluster"] for row in rows),
        evidence=tuple(tuple(row.get("evidence", ())) for row in rows),
    )
    documents = read_jsonl(folder.documents) if folder.documents.is_file() else []
    trials = folder.trials()
    known = header, truth, trials
    arms = {trial.arm: trial for trial in reversed(header.trials)}
    names = dict.fromkeys(trial.arm for trial in header.trials)
    planned = {name: [t for t in header.trials if t.arm == name] for name in names}
    return Evidence(
        header,
        truth,
        tuple(_arm(folder, known, arms[name], planned[name]) for name in names),
        {document["id"]: document["text"] for document in documents},
    )


def _arm(
    folder: RunFolder,
    known: tuple[RunHeader, Truth, Mapping[str, TrialRecord]],
    plan: PlannedTrial,
    planned: list[PlannedTrial],
) -> ArmEvidence:
    header, truth, trials = known
    records = tuple(trials[t.trial_id] for t in planned if t.trial_id in trials)
    records = tuple(record for record in records if record.arm == plan.arm)
    status: Status = "ok"
    error = None
    failed = [record for record in records if record.status != "ok"]
    if plan.refused:
        status, error = "skipped", plan.refused
    elif failed:
        status, error = failed[0].status, failed[0].error
        if len(planned) > 1:
            error = f"with seed {failed[0].seed}: {error}"
    elif len(records) < len(planned):
        why = "left out by --only" if not plan.selected else "the run was interrupted before it"
        status, error = "skipped", why
    predictions = tuple(_predictions(folder, r, truth) for r in records) if status == "ok" else ()
    files = (
        read_diagnostic_files(folder, header, plan, records) if predictions else DiagnosticFiles()
    )
    each = [_likelihoods(folder, record, truth) for record in records] if predictions else []
    likelihoods = tuple(each) if all(each) else ()
    return ArmEvidence(plan, status, error, records, predictions, likelihoods, files)


def _likelihoods(folder: RunFolder, record: TrialRecord, truth: Truth) -> tuple[float, ...]:
    """Return likelihoods of the first targets; nothing where there are none of these answers."""
    pairs = zip(truth.ids, truth.targets, strict=True)
    answers = [[row_id, accepted[0]] for row_id, accepted in pairs]
    trial = folder.trial_folder(record.arm, record.fit_id, record.trial_id)
    by_id = read_likelihoods(trial / "likelihood", of=sha256_of(answers))
    return tuple(by_id[row_id] for row_id in truth.ids) if by_id else ()


def _predictions(folder: RunFolder, record: TrialRecord, truth: Truth) -> tuple[Prediction, ...]:
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "predictions.jsonl"
    recorded = record.serve.predictions_sha256 if record.serve else None
    try:
        if recorded not in (None, sha256_of_file(path)):
            raise RunFolderError(
                f"{path} is not what was recorded: it was changed since → run the task again"
            )
        by_id = read_predictions(path)
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise RunFolderError(f"{path} cannot be read ({problem}) → run the task again") from problem
    if set(by_id) != set(truth.ids):
        raise RunFolderError(f"{path} does not hold one prediction for each test row → run again")
    return tuple(by_id[row_id] for row_id in truth.ids)
