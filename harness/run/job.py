"""What a worker is told: everything it may know, and nothing about test targets.

A job's paths are relative to one root, the run folder, so that a launcher can do it on a machine
where that folder lies elsewhere. Knows nothing of processes.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from harness.search_space import Dimension
from harness.store.base import Record
from harness.store.fit_account import TRAIN_LOG
from harness.store.records import LoadedModel, Measurement
from harness.types import ModelRef, Query, TaskInfo

WARM_UPS = 3
LATENCY_QUERIES = 50
JOB, RESULT, PRINTED = "job.json", "result.json", "stderr.log"
"""Files of a job's folder: what it is, how it ended (while a launcher waits) and all it printed."""
WRITTEN = {
    "serve": "predictions.jsonl",
    "likelihood": "likelihoods.jsonl",
    "probe": "likelihoods.jsonl",
    "robustness": "answers.jsonl",
    "floor": "predictions.jsonl",
}
"""What each kind of job leaves in its folder, besides; a fit leaves its artifact."""
Kind = Literal["fit", "serve", "likelihood", "probe", "robustness", "floor"]
Inputs = Mapping[str, Iterable[Mapping[str, Any]]]
"""The rows that a job may see, by the name of the file that hands them over, without its ending:
train, validation and, where an arm or its metric wants them, unlabelled and evidence (fit); queries
(serve; with `validates` also those of a fit but train); those of a fit and of serving (floor);
answers (likelihood); probe (probe); perturbed and listed (robustness); documents, for an arm that
needs them."""


def _inside(path: PurePosixPath) -> PurePosixPath:
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"{path} leaves the root")
    return path


Inside = Annotated[PurePosixPath, AfterValidator(_inside)]
"""A path below the root, written relative to it."""


class FinishedFit(Record):
    """A fit of another arm of the same run, on the same rows with the same model and seed."""

    arm: str
    strategy: str
    params: dict[str, Any]
    artifact: Inside
    measurement: Measurement
    """Of the fit."""
    model: ModelRef | None = None
    """Its model; None: it uses none, or the one that whoever takes it over is handed."""
    hosted: tuple[LoadedModel, ...] = ()
    """Hosted models that it asked, and how much: whoever takes it over is charged for that too."""


class SearchPlan(Record):
    """What a fit may spend on choosing parameters before it keeps one of the fits it tried."""

    family: str
    sharing: int
    effort: dict[str, float]
    """The family's, as the task file gives it."""
    space: tuple[Dimension, ...]
    trials: int
    seconds: float | None = None
    usd: float | None = None
    races: bool = True
    """Whether candidates that are behind on a few rows are given up: of arms that train none."""
    most_rows: int
    """Validation rows that candidates are compared on."""


class Job(Record):
    """One piece of work. Written to its folder, so that a trial can be repeated by hand.

    Absolute paths in it are those that the user named and nothing else: `strategy_base`, the folder
    of local weights (`model.location`) and input files among `params`. The source of a strategy
    and such files are read in place; a launcher to another machine needs them under the same path
    there, on a shared disk or copied before.
    """

    kind: Kind
    strategy: str
    strategy_base: str
    """Folder that a `file.py:Class` reference starts from."""
    params: dict[str, Any]
    task: TaskInfo
    metric: str
    model: ModelRef | None
    models: dict[str, ModelRef] = Field({})
    """Those that it uses beside, by `model_name`: in a fit all of them, else those of parts that
    serve."""
    seed: int
    device: str
    dtype: str
    budget_bytes: int | None
    """Main memory that it may count on; None: what is free where it is done."""
    expected_bytes: int | None = None
    """Peak memory that is forecast, in main memory or on the GPU; None: not known."""
    folder: Inside
    """Where it finds `JOB` and leaves what it writes."""
    artifact: Inside
    documents: bool = True
    """Whether it is handed the documents: an arm that needs none sees none."""
    validates: bool = False
    """Of serving: it answers its validation rows too, when all else is done and written."""
    finished: tuple[FinishedFit, ...] = ()
    """What a strategy that builds others need not fit again."""
    search: SearchPlan | None = None
    """Of a fit that chooses its parameters; None: it has those above."""
    holds_out_validation: bool = False
    """See `Context.holds_out_validation`: of a candidate that is scored on these rows."""
    own_secrets: tuple[str, ...] = ()
    """Environment variables with secrets that it is to have: its hosted model's key."""
    other_secrets: tuple[str, ...] = ()
    """Environment variables with secrets of other arms, which it has not."""
    timeout_s: float | None = None
    """Wall-clock limit; None: none."""
    memory_bytes: int | None = None
    """Limit on the resident memory of its process tree; None: none."""

    @property
    def alone(self) -> bool:
        """Whether it is measured as a product would run it, so nothing else may run beside it."""
        return self.kind == "serve"


@dataclass(frozen=True)
class Workspace:
    """A job with its paths as they are on the machine that does it."""

    job: Job
    root: Path
    inputs: Path
    """Folder of `Inputs` as JSON lines; it exists only while the job is done."""

    @property
    def folder(self) -> Path:
        """Where the job leaves what it writes."""
        return self.root / self.job.folder

    @property
    def artifact(self) -> Path:
        """What a fit fills and all others load."""
        return self.root / self.job.artifact

    @property
    def written(self) -> Path:
        """Where predictions, likelihoods or answers to perturbed queries are written."""
        return self.folder / WRITTEN[self.job.kind]

    @property
    def train_log(self) -> Path | None:
        """Where a fit logs its steps."""
        return self.folder / TRAIN_LOG if self.job.kind == "fit" else None

    @property
    def scratch(self) -> Path | None:
        """See `Context.scratch`."""
        return self.folder / "scratch" if self.job.kind == "fit" else None


def latency_sample(queries: Sequence[Query]) -> list[Query]:
    """Return the queries that are timed one at a time: of the same ones always the same."""
    return random.Random(0).sample(queries, min(LATENCY_QUERIES, len(queries)))
