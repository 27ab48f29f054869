"""What a strategy is given in a worker: its context, and with it parts of its own to build.

Keeps what it says and takes over, for the record. Knows nothing of phases and rulers.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness import registry
from harness.errors import shortened
from harness.metrics import Items, Metric
from harness.metrics.custom import find_metric
from harness.metrics.items import items_of
from harness.run.job import FinishedFit, Workspace
from harness.run.worker.documents import Documents
from harness.store.records import Note
from harness.store.run_folder import read_jsonl
from harness.strategy import Strategy
from harness.types import Context, Example, Prediction, Split

LEARNS = ("fit", "floor")
"""Kinds of jobs in which a strategy learns: in others the harness alone may look at evidence."""
MOST_NOTES = 50
"""Of one job."""


class Outfit:
    """The strategy of one job, with what it notes and whose fits it takes over."""

    def __init__(self, workspace: Workspace):
        self.workspace = workspace
        self.job = workspace.job
        self.notes: list[Note] = []
        self._more_notes = 1
        self.adopted: list[FinishedFit] = []
        """Other arms' fits that this one took over."""

    def strategy(self) -> Strategy:
        """Return a fresh instance of the job's strategy."""
        strategy = registry.find(self.job.strategy, Path(self.job.strategy_base))
        held_out = self.job.holds_out_validation
        context = self._context(self.workspace.artifact, self.workspace.scratch, held_out)
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
        return any(part.replays for part, _ in registry.with_parts(strategy, params, base))

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
    def _evidence(self) -> dict[str, tuple[str, ...]]:
        """Ids of labelled rows to those of the documents that hold their answers."""
        file = self.workspace.inputs / "evidence.jsonl"
        rows = read_jsonl(file) if file.is_file() else []
        return {row["id"]: tuple(row["evidence"]) for row in rows}

    def _context(
        self, artifact: Path, scratch: Path | None, holds_out_validation: bool = False
    ) -> Context:
        job = self.job
        return Context(
            task=job.task,
            documents=self.documents,
            model=job.model,
            seed=job.seed,
            device=job.device,
            dtype=job.dtype,
            budget_bytes=job.budget_bytes,
            metric=self.metric,
            log=_logger(
                self.workspace.train_log, artifact.relative_to(self.workspace.artifact).as_posix()
            ),
            note=self.note,
            build=partial(self._build, artifact, scratch),
            scratch=scratch,
            holds_out_validation=holds_out_validation,
            evidence=self._evidence if job.kind in LEARNS else {},
        )

    def _build(
        self,
        artifact: Path,
        scratch: Path | None,
        name: str,
        params: Mapping[str, Any],
        sub_artifact: str,
    ) -> Strategy:
        """Return a part of whatever has this artifact and this scratch folder."""
        (artifact / sub_artifact).mkdir(exist_ok=True)
        base = Path(self.job.strategy_base)
        strategy = registry.find(name, base)
        resolved = registry.resolved_params(strategy, params, base)
        below = scratch / sub_artifact if scratch else None
        held_out = self._context(artifact / sub_artifact, below, holds_out_validation=True)
        built = strategy(resolved, held_out)
        if strategy.refits(resolved):
            return built  # as an arm it has learnt from the rows that are held out from the part
        for done in self.job.finished:
            alike = (done.strategy, done.params) == (name, resolved.model_dump(mode="json"))
            if alike and (self.workspace.root / done.artifact).is_dir():
                # The same fit on the same rows: taken over, so that it is neither done nor
                # scored twice.
                vars(built)["fit"] = partial(self._adopt, done)
        return built

    def _adopt(self, done: FinishedFit, train: Split, validation: Split, artifact: Path) -> None:
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
