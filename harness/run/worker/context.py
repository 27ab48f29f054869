"""What a strategy is given in a worker: its context, and with it parts of its own to build.

Keeps what it says and takes over, for the record. Knows nothing of phases and rulers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import inf, isnan
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.errors import StrategyError, shortened
from harness.machine.memory import available_bytes
from harness.metrics import Items, Metric
from harness.metrics.custom import find_metric
from harness.metrics.items import items_of
from harness.run.job import FinishedFit, Workspace
from harness.run.worker.documents import Documents
from harness.store.records import Note
from harness.store.run_folder import read_jsonl
from harness.strategy import Strategy
from harness.types import Context, Example, ModelRef, Prediction, Query, Split, model_name

LEARNS = ("fit", "floor")
"""Kinds of jobs in which a strategy learns: in others the harness alone may look at evidence."""
Fit = Callable[[Split, Split, Path], None]
"""`Strategy.fit` of an instance."""
MOST_NOTES = 50
"""Of one job."""


class Whole(NamedTuple):
    """What the parts of a strategy share with it, or lie in."""

    artifact: Path
    scratch: Path | None
    model: ModelRef | None


class Outfit:
    """The strategy of one job, with what it notes and whose fits it takes over."""

    def __init__(self, workspace: Workspace):
        self.workspace = workspace
        self.job = workspace.job
        self.notes: list[Note] = []
        self._more_notes = 1
        self.adopted: list[FinishedFit] = []
        """Other arms' fits that this one took over."""
        self.rows: tuple[str, str] | None = None
        """Hashes of the task's training and validation rows, on which those were fitted."""

    def strategy(self) -> Strategy:
        """Return a fresh instance of the job's strategy."""
        strategy = registry.find(self.job.strategy, Path(self.job.strategy_base))
        held_out = self.job.holds_out_validation
        context = self._context(
            self.workspace.artifact, self.workspace.scratch, holds_out_validation=held_out
        )
        return strategy(strategy.Params(**self.job.params), context)

    @property
    def base(self) -> Path:
        """The folder that references to files start from."""
        return Path(self.job.strategy_base)

    def statistics(
        self, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> NDArray[Any]:
        """Return the task's metric's additive statistics of answers to validation rows, [n, k]."""
        metric = find_metric(self.job.metric, self.base)
        return np.asarray(metric.statistics(self._items(metric, predictions, examples)))

    @cached_property
    def replays(self) -> bool:
        """Whether the strategy or a part of it gives answers that were made elsewhere."""
        base = Path(self.job.strategy_base)
        strategy = registry.find(self.job.strategy, base)
        params = strategy.Params(**self.job.params)
        built = registry.with_parts(strategy, params, base)
        return any(part.strategy.replays for part in built if part.serves)

    def note(self, kind: str, text: str) -> None:
        """Keep a note, once; of very many the first ones, and the others are counted."""
        note = Note(kind=shortened(str(kind), 200), text=shortened(str(text)))
        if note in self.notes:
            return
        if len(self.notes) < MOST_NOTES:
            self.notes.append(note)
            return
        self._more_notes += 1
        self.notes[-1] = Note(kind="notes", text=f"{self._more_notes} more notes are not kept")

    @cached_property
    def documents(self) -> Documents:
        """The task's documents, read at the first look."""
        return Documents(self.workspace.inputs / "documents.jsonl")

    @cached_property
    def _budget_bytes(self) -> int:
        """Main memory to count on: what it is told, or what was free before it took any."""
        return self.job.budget_bytes or available_bytes()

    @cached_property
    def _unlabelled(self) -> dict[str, list[Query]]:
        """Inputs without answers, by the files that the task names."""
        file = self.workspace.inputs / "unlabelled.jsonl"
        found: dict[str, list[Query]] = {}
        for row in read_jsonl(file) if file.is_file() else []:
            found.setdefault(row["file"], []).append(Query.from_row(row["query"]))
        return found

    @cached_property
    def _evidence(self) -> dict[str, tuple[str, ...]]:
        """Ids of labelled rows to those of the documents that hold their answers."""
        file = self.workspace.inputs / "evidence.jsonl"
        rows = read_jsonl(file) if file.is_file() else []
        return {row["id"]: tuple(row["evidence"]) for row in rows}

    def _context(
        self,
        artifact: Path,
        scratch: Path | None,
        model: ModelRef | None = None,
        holds_out_validation: bool = False,
    ) -> Context:
        """Return what a strategy is told.

        Args:
            artifact: its folder.
            scratch: see `Context.scratch`.
            model: that of a part with its own; None: the arm's.
            holds_out_validation: see `Context.holds_out_validation`.
        """
        job, model = self.job, model or self.job.model
        return Context(
            task=job.task,
            documents=self.documents,
            model=model,
            seed=job.seed,
            device=job.device,
            dtype=job.dtype,
            budget_bytes=self._budget_bytes,
            metric=self.metric,
            lead_error=self.lead_error,
            log=_logger(
                self.workspace.train_log, artifact.relative_to(self.workspace.artifact).as_posix()
            ),
            note=self.note,
            build=partial(self._build, Whole(artifact, scratch, model)),
            scratch=scratch,
            holds_out_validation=holds_out_validation,
            evidence=self._evidence if job.kind in LEARNS else {},
            models=job.models,
            unlabelled=self._unlabelled,
        )

    def _build(
        self,
        whole: Whole,
        name: str,
        params: Mapping[str, Any],
        sub_artifact: str,
        model: str | Mapping[str, Any] | None = None,
        **told: bool,
    ) -> Strategy:
        """Return a part, see `Build`, with its own model or that of the whole."""
        artifact = whole.artifact / sub_artifact
        artifact.mkdir(exist_ok=True)
        base = Path(self.job.strategy_base)
        strategy = registry.find(name, base)
        resolved = registry.resolved_params(strategy, params, base)
        below = whole.scratch / sub_artifact if whole.scratch else None
        used = whole.model if model is None else self._model(name, model)
        told = {"holds_out_validation": True, **told}
        context = replace(self._context(artifact, below, used), **told)  # type: ignore[arg-type]
        built = strategy(resolved, context)
        if context.holds_out_validation and registry.refits(strategy, resolved, base):
            return built  # as an arm it has learnt from the rows that are held out from the part
        for done in self.job.finished:
            alike = (done.strategy, done.params) == (name, resolved.model_dump(mode="json"))
            alike = alike and done.model in (None, used)
            if alike and (self.workspace.root / done.artifact).is_dir():
                # The same fit on the same rows: taken over, so that it is neither done nor
                # scored twice.
                vars(built)["fit"] = partial(self._adopt, done, built.fit)
        return built

    def _model(self, part: str, model: str | Mapping[str, Any]) -> ModelRef:
        """Return the model that a part has for itself.

        Raises:
            StrategyError: the strategy that builds it did not say so among its `parts`.
        """
        name = model_name(model)
        found = self.job.models.get(name)
        if found is None:
            raise StrategyError(
                f"the part '{part}' is built with the model '{name}', which `parts` does not name"
                " for a part that is asked now → name it there"
            )
        return found

    def _adopt(
        self, done: FinishedFit, fit: Fit, train: Split, validation: Split, artifact: Path
    ) -> None:
        """Take a fit over, if it was on the rows that a part is to be fitted on; else do it."""
        if self.rows not in (None, (train.sha256, validation.sha256)):
            fit(train, validation, artifact)
            return
        shutil.copytree(self.workspace.root / done.artifact, artifact, dirs_exist_ok=True)
        self.adopted.append(done)
        text = (
            f"taken from the arm '{done.arm}'; its {done.measurement.wall_s:.0f} s count here too"
        )
        self.note("shared fit", text)

    def metric(self, predictions: Sequence[Prediction], examples: Sequence[Example]) -> float:
        """Return what `Context.metric` gives."""
        metric = find_metric(self.job.metric, self.base)
        value = metric.value(self._items(metric, predictions, examples))
        return 0.0 if isnan(value) else value

    def lead_error(
        self,
        ahead: Sequence[Prediction],
        behind: Sequence[Prediction],
        examples: Sequence[Example],
    ) -> float:
        """Return what `Context.lead_error` gives: each answer is scored once."""
        from harness.stats.choosing import paired_lead

        metric = find_metric(self.job.metric, self.base)
        first, second = (
            metric.statistics(self._items(metric, answers, examples)) for answers in (ahead, behind)
        )
        error = paired_lead(metric, first, second).se
        return inf if isnan(error) else error

    def _items(
        self, metric: Metric, predictions: Sequence[Prediction], examples: Sequence[Example]
    ) -> Items:
        read = self.documents if metric.needs & {"documents", "evidence"} else ()
        return items_of(
            [example.query.id for example in examples],
            predictions,
            [example.targets for example in examples],
            self.job.task,
            {document.id: document for document in read},
            [self._evidence.get(example.query.id, ()) for example in examples],
        )


def _logger(path: Path | None, part: str) -> Callable[..., None]:
    """Return what writes rows to a log, each with the part that it is of unless that is ".".

    All parts of an arm write to one log, and their steps bear the same numbers. Rows are added as
    they come, and the file is not replaced as a whole: what was logged before a fit was interrupted
    stays. Whoever has the fit done takes the file's hash when it has ended.
    """
    of = {} if part == "." else {"part": part}

    def log(**numbers: float) -> None:
        if path is not None:
            with path.open("a") as stream:
                stream.write(json.dumps({**numbers, **of}) + "\n")

    return log
