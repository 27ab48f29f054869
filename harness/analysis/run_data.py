"""What a finished run holds for the analysis: the task, the gold rows, each arm's records.

Statistics per item are computed once for each arm and metric and kept here, so that slices, pairs
and diagnostics cost no scoring. Reads no file (read_run.py reads the run folder), but that of a
metric of the task's own where the user trusts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.recorded_task import RecordedTask
from harness.files.python_file import names_file
from harness.metrics import Items, Metric
from harness.metrics.apart import find_metric_apart
from harness.metrics.custom import recorded_metric
from harness.metrics.items import items_of
from harness.prices import Prices
from harness.stats.bootstrap import RESAMPLES, Resamples, effective_units
from harness.store.machine import Machine
from harness.store.merged import TwoAnswers
from harness.store.own_worths import Worths, answer_key
from harness.store.planned_floor import PlannedFloor
from harness.store.records import PlannedTrial, RunHeader, Status, TrialRecord
from harness.store.search_record import SearchRecord
from harness.types import Document, ModelRef, Prediction, Query

Array = NDArray[np.float64]
MOST_KEPT_BYTES = 400_000_000
"""Of resamples that are held in memory; what is beyond is drawn anew for each arm."""
NOT_ON_RECORD = (
    "its score by '{name}' is unknown: what that function found is not on record (an earlier"
    " version ran this, or own_worths.json was changed) → run the task again, or say `--trust` to"
    " have {file} run"
)
LogRow = Mapping[str, Any]
"""A line of a training log: numbers by name; `part` is a text."""


@dataclass(frozen=True)
class GoldRows:
    """The test rows and what is right of them, in their frozen order."""

    ids: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...]
    slices: tuple[Mapping[str, str], ...]
    clusters: tuple[str | None, ...]
    evidence: tuple[tuple[str, ...], ...]
    """Ids of the gold documents of each row."""
    asked: tuple[Query, ...] | None = None
    """What was asked; None: an earlier version ran this, and kept no inputs."""

    def units(self, rows: Sequence[int]) -> float:
        """Return how many independent items some rows are: of clusters the effective number."""
        return effective_units([self.clusters[row] for row in rows], len(rows))


@dataclass(frozen=True)
class Probed:
    """What a model said to the general probe, and to which version of it."""

    of: str
    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Perturbed:
    """Answers to perturbed test queries."""

    sample: tuple[str, ...]
    """Ids of the rows that were perturbed."""
    answers: Mapping[str, Mapping[str, Prediction]]
    """[perturbation][id]; of the rows that it changes."""


@dataclass(frozen=True)
class FloorAnswers:
    """What a floor of an arm answered to the test rows."""

    plan: PlannedFloor
    predictions: tuple[Prediction, ...] = ()
    """In the order of the gold rows; empty where `undefined` says why."""
    undefined: str | None = None


@dataclass(frozen=True)
class DiagnosticFiles:
    """What lies beside an arm's answers; every tuple has one entry a seed."""

    train_logs: tuple[tuple[LogRow, ...], ...] = ()
    probed: tuple[Probed | None, ...] = ()
    perturbed: tuple[Perturbed | None, ...] = ()
    untuned: Probed | None = None
    """What the arm's model said before tuning."""
    untuned_dtype: str | None = None
    """How its weights were held then, as the model itself said."""
    untuned_problem: str | None = None
    search: SearchRecord | None = None
    """How its parameters were chosen: of the first seed, whose choice the others have."""
    floors: tuple[FloorAnswers, ...] = ()
    """One a floor, whatever the seeds."""


@dataclass(frozen=True)
class ArmData:
    """One arm: its plan, its trials (one a seed) and what they answered."""

    plan: PlannedTrial
    status: Status
    error: str | None
    trials: tuple[TrialRecord, ...]
    predictions: tuple[tuple[Prediction, ...], ...]
    """[seed][item], in the order of the gold rows; empty unless every seed ended ok."""
    log_likelihoods: tuple[tuple[float, ...], ...] = ()
    """[seed][item] of the first targets; empty unless every seed gave them."""
    files: DiagnosticFiles = field(default_factory=DiagnosticFiles)
    """What lies beside its answers; empty unless every seed ended ok."""
    known: dict[Any, Array] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Statistics that were computed, by the metric's function for them: several metrics share one.
    Other answers (`replace`) begin with none."""
    part_of: tuple[ArmData, int] | None = field(default=None, repr=False, compare=False)
    """The arm of which this is one training, and the training's place among its seeds."""

    @cached_property
    def trainings(self) -> tuple[ArmData, ...]:
        """The arm as each of its seeds alone has it, in their order; none unless it finished."""
        return tuple(
            replace(
                self,
                trials=(trial,),
                predictions=(answers,),
                log_likelihoods=self.log_likelihoods[place : place + 1],
                part_of=(self, place),
            )
            for place, (trial, answers) in enumerate(
                zip(self.trials, self.predictions, strict=True) if self.finished else ()
            )
        )

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.plan.arm

    @property
    def finished(self) -> bool:
        """Whether every seed ended ok."""
        return self.status == "ok"

    @property
    def cites(self) -> bool:
        """Whether any of its answers names its sources."""
        return any(p.sources is not None for seed in self.predictions for p in seed)


@dataclass(frozen=True)
class VariantTrial:
    """One trial that learnt from other rows than the task's own, and what it answered."""

    plan: PlannedTrial
    status: Status
    error: str | None = None
    predictions: tuple[Prediction, ...] = ()
    """In the order of the gold rows, without their labels' probabilities; empty unless it ended
    ok."""


@dataclass(frozen=True)
class RunData:
    """All records of the newest invocation of a run folder."""

    header: RunHeader
    gold: GoldRows
    arms: tuple[ArmData, ...]
    documents: Mapping[str, Document]
    """By id, of the corpus as it was when the task ran."""
    variants: tuple[VariantTrial, ...] = ()
    """Trials on other rows, which no verdict rests on."""
    prices: Prices = field(default_factory=Prices)
    """The rows that apply to it."""
    damage: tuple[str, ...] = ()
    """Which of its files are not what was recorded, or gone, with what to do; each a sentence."""
    worths: Mapping[str, Worths] = field(default_factory=dict)
    """What metrics of the task's own found when the run ended, by name."""
    two_answers: tuple[TwoAnswers, ...] = ()
    """Trials that two of the runs did that it was merged of, with different answers."""
    trusted: bool = False
    """Whether the files of such metrics may be run instead."""
    metrics: dict[str, Metric] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Metrics that were found, by name."""
    drawn: dict[tuple[int, ...] | None, Resamples] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Resamples of the test rows (None), or of some of them."""

    @cached_property
    def task(self) -> RecordedTask:
        """The task as it was resolved when it ran."""
        return RecordedTask.of(self.header.task)

    @property
    def metric(self) -> Metric:
        """The primary metric."""
        return self.find_metric(self.task.metric)

    @property
    def machines(self) -> list[Machine]:
        """The run's own machine, then each that measured a trial of it."""
        trials = [trial for arm in self.arms for trial in arm.trials]
        return [self.header.machine, *(on.machine for trial in trials for on in trial.hardware)]

    @property
    def finished(self) -> list[ArmData]:
        """The arms of which every seed ended ok."""
        return [arm for arm in self.arms if arm.finished]

    def find_metric(self, name: str) -> Metric:
        """Return a metric of the task; of a function of its own, what it found when the run ended.

        Raises:
            UserError: its file is to be run (`trusted`), and is gone or cannot be used.
        """
        if name not in self.metrics:
            folder = self.header.task_folder
            if names_file(name) and not self.trusted:
                self.metrics[name] = recorded_metric(name, partial(self._worth, name))
            else:
                self.metrics[name] = find_metric_apart(name, Path(folder) if folder else None)
        return self.metrics[name]

    def _worth(self, name: str, text: str, targets: tuple[str, ...]) -> float | None:
        known = self.worths.get(name)
        return None if known is None else known.worths.get(answer_key(text, targets))

    def why_unscored(self, arm: ArmData, name: str) -> str | None:
        """Return why an arm has no score by a metric of the task's own; None: it has one."""
        if not names_file(name) or self.trusted:
            return None
        file, known = name.rsplit(":", 1)[0], self.worths.get(name)
        if known is None:
            return NOT_ON_RECORD.format(name=name, file=file)
        for answers in arm.predictions:
            items = self.items(answers, range(len(answers)))
            for text, targets in zip(items.texts, items.targets, strict=True):
                key = None if text is None else answer_key(text, targets)
                if key is not None and key not in known.worths:
                    return known.problems.get(key, NOT_ON_RECORD.format(name=name, file=file))
        return None

    def model_of(self, arm: ArmData) -> ModelRef | None:
        """Return the base model that an arm uses, if it uses one."""
        if not arm.plan.needs_model:
            return None
        return self.header.models.get(arm.plan.model or "")

    def models_of(self, arm: ArmData) -> tuple[ModelRef, ...]:
        """Return every model that an arm uses: its base model, and an embedder or a reranker."""
        base = self.model_of(arm)
        beside = arm.plan.licences.items()
        others = [self.header.models[n] for n in arm.plan.models if n in self.header.models]
        others += [ModelRef(name, name, licence=licence) for name, licence in beside]
        return tuple(others) if base is None else (base, *others)

    def hosted_of(self, arm: ArmData) -> list[ModelRef]:
        """Return the hosted models that an arm may ask, its own first."""
        names = (arm.plan.model or "", *arm.plan.models)
        found = (self.header.models[name] for name in names if name in self.header.models)
        return [model for model in found if model.hosted is not None]

    def priced(self, prices: Prices) -> RunData:
        """Return the same with prices: also of hosted models that the task gives none for."""
        models = self.header.models.items()
        endpoints = {name: replace(model, hosted=prices.priced(model)) for name, model in models}
        header = self.header.model_copy(update={"models": endpoints})
        return replace(self, header=header, prices=prices)

    def statistics(self, arm: ArmData, metric: Metric) -> Array:
        """Return [seeds, items, k]: the metric's additive statistics of one arm, computed once."""
        if metric.statistics not in arm.known and arm.part_of is not None:
            whole, place = arm.part_of
            # The same view in every call: what is resampled of it is kept by what it is.
            arm.known[metric.statistics] = self.statistics(whole, metric)[place : place + 1]
        if metric.statistics not in arm.known:
            likelihoods = arm.log_likelihoods or [()] * len(arm.predictions)
            rows = range(len(self.gold.ids))
            seeds = zip(arm.predictions, likelihoods, strict=True)
            of_seeds = [
                metric.statistics(replace(self.items(answers, rows), log_likelihoods=known))
                for answers, known in seeds
            ]
            found = np.stack(of_seeds)
            found.setflags(write=False)  # everybody who asks is given the same array
            arm.known[metric.statistics] = found
        return arm.known[metric.statistics]

    def resamples(self, rows: Sequence[int] | None = None) -> Resamples:
        """Return the resamples of all test rows, or of some: the same for every arm."""
        key = None if rows is None else tuple(rows)
        if key not in self.drawn:
            clusters = self.gold.clusters
            chosen = clusters if key is None else [clusters[row] for row in key]
            kept_bytes = sum(of.n * RESAMPLES for of in self.drawn.values() if of.keeps)
            keep = kept_bytes + len(chosen) * RESAMPLES <= MOST_KEPT_BYTES
            self.drawn[key] = Resamples(len(chosen), chosen, keep)
        return self.drawn[key]

    def statistics_of(
        self, metric: Metric, answers: Sequence[Prediction], rows: Sequence[int]
    ) -> Array:
        """Return [rows, k]: the same of other answers to some test rows, one a row; not kept."""
        return metric.statistics(self.items(answers, rows))

    def items(self, answers: Sequence[Prediction], rows: Sequence[int]) -> Items:
        """Return answers, as they are read, beside what is right of their test rows."""
        gold = self.gold
        return items_of(
            [gold.ids[row] for row in rows],
            answers,
            [gold.targets[row] for row in rows],
            self.task.info,
            self.documents,
            [gold.evidence[row] for row in rows],
        )
