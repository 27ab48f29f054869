"""All that a strategy gets besides its parameters and rows, parts of its own among it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.types.model_ref import ModelRef
from harness.types.prediction import Prediction
from harness.types.rows import Document, Example, Query
from harness.types.task_info import TaskInfo

if TYPE_CHECKING:
    from harness.strategy import Strategy

RESUMED_S = "resumed_s"
"""File in `Context.scratch`: seconds of an interrupted fit that the present one went on from."""


class Build(Protocol):
    """Makes a part of a strategy."""

    def __call__(
        self,
        name: str,
        params: Mapping[str, Any],
        sub_artifact: str,
        model: str | Mapping[str, Any] | None = None,
        *,
        logprobs: bool = False,
        holds_out_validation: bool = True,
    ) -> Strategy:
        """Return the strategy of this name.

        Args:
            name: as a task file writes it.
            params: its parameters.
            sub_artifact: name of its folder within the artifact, and of its part in the log.
            model: its own, as `Strategy.parts` names it.
            logprobs: see `Context.logprobs`.
            holds_out_validation: see `Context.holds_out_validation`.
        """


LeadError = Callable[[Sequence[Prediction], Sequence[Prediction], Sequence[Example]], float]


def _unknown(*_: Any) -> float:
    return inf


@dataclass(frozen=True)
class Context:
    """All a strategy gets besides its parameters and the rows it may learn from."""

    task: TaskInfo
    documents: Sequence[Document]
    """Those of the task, for a strategy that needs a corpus (`Strategy.needs`); none for others.
    They are read where they are first looked at, so an arm pays for them only if it uses them."""
    model: ModelRef | None
    seed: int
    device: str
    dtype: str
    budget_bytes: int
    """Memory this process may use."""
    metric: Callable[[Sequence[Prediction], Sequence[Example]], float]
    """The task's primary metric, e.g. for choosing a setting on validation rows. 0 where it is not
    defined on these."""
    log: Callable[..., None]
    """`log(step=3, train_loss=1.2)` appends a row of numbers to train_log.jsonl. A fit that goes on
    after an interruption may log a step again: the later row counts."""
    note: Callable[[str, str], None]
    """`note("shots", "8 of 12 demonstrations fit")` adds a remark to the trial's record, once."""
    build: Build
    """`build("tfidf", {}, "cheap")` makes another strategy, for combinations; with `model=` one
    whose model is another than the arm's. What it logs is marked as of the part "cheap"."""
    logprobs: bool = False
    """Whether a hosted model is asked how likely its tokens are: for `Prediction.mean_logprob`.
    Servers that do not say so leave that unknown."""
    models: Mapping[str, ModelRef] = field(default_factory=dict)
    """Models that it and its parts use beside `model`, by `model_name`: while it serves, those of
    parts that serve."""
    scratch: Path | None = None
    """A folder that outlives an interrupted `fit` and is gone after a finished one: for what lets
    the same fit go on when it is tried again. It may not exist yet. What goes on from there writes
    the seconds that it need not repeat into the file `RESUMED_S` in it, a line each: they count
    as fitted."""
    lead_error: LeadError = _unknown
    """The standard error of how far the first answers are ahead of the second by `metric`, paired;
    inf: not known. A lead that is no larger is mostly luck."""
    unlabelled: Mapping[str, Sequence[Query]] = field(default_factory=dict)
    """Inputs without answers to learn from in `fit`, by the paths that parameters of the type
    `RowsFile` hold."""
    holds_out_validation: bool = False
    """Whoever built it asks it for the validation rows, to set something on the answers. So it
    chooses its settings on them and learns nothing else from them. Of all that `build` makes,
    unless told otherwise."""
    evidence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For a fit that searches: id of a training or validation row to those of the documents that
    hold its answer (`data.evidence`), where the row names any."""
