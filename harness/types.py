"""The nouns that every room shares: what is asked, what is answered, what was measured.

Knows nothing of models, files or HTML. `None` always means "not measured", never 0 or NaN.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from harness.strategy import Strategy

AnswerKind = Literal["choice", "text", "json"]
Phase = Literal["start", "load", "fit", "latency", "predict", "log_likelihood"]
Status = Literal["ok", "failed", "timeout", "out_of_memory", "skipped"]


@dataclass(frozen=True)
class Query:
    """One input to answer. `fields` holds only the columns named in `data.visible`."""

    id: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Example:
    """A query with its accepted answers; any of `targets` is right."""

    query: Query
    targets: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """One document of the corpus."""

    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Split(Sequence[Example]):
    """A frozen list of examples: the same rows in the same order for every arm."""

    name: str
    examples: tuple[Example, ...]

    @property
    def queries(self) -> list[Query]:
        """The examples without their targets."""
        return [example.query for example in self.examples]

    @property
    def sha256(self) -> str:
        """Content hash over ids, inputs, visible fields and targets, in order."""
        return sha256_of([asdict(example) for example in self.examples])

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | Sequence[Example]:
        """Return one example, or a tuple of them for a slice."""
        return self.examples[index]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        """Iterate over the examples in their frozen order."""
        return iter(self.examples)


@dataclass(frozen=True)
class Prediction:
    """One answer. Only `text` is required; whatever else is unknown stays None."""

    text: str
    label_logprobs: Mapping[str, float] | None = None
    """Log-probability of each label, normalised over the labels (natural log)."""
    prompt: str | None = None
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    """Prompt tokens whose computation was kept from an earlier request."""
    output_tokens: int | None = None
    sources: tuple[str, ...] | None = None
    """Ids of the documents that the answer rests on."""
    error: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TaskFacts:
    """What a strategy may know of the task: no data, no paths, no targets."""

    name: str
    instruction: str
    answer_kind: AnswerKind
    labels: Mapping[str, str]
    """Label to description ("" where the task gives none); empty unless `answer_kind` is choice."""
    max_new_tokens: int = 64
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelRef:
    """Which model to load, as the parent resolved it."""

    name: str
    """As the task file names it."""
    location: str
    """A folder, a GGUF file or a hub id that transformers can open."""
    revision: str | None = None
    sha256: str | None = None
    """Hash of the weights on disk; None for a hub id, whose revision pins it."""
    origin: str = ""
    """In words, for the report: where the weights come from and what was done to them."""


@dataclass(frozen=True)
class Estimate:
    """A strategy's own forecast, made before any money is spent; None = cannot say."""

    fit_peak_bytes: int | None = None
    predict_peak_bytes: int | None = None
    fit_wall_s: float | None = None


@dataclass(frozen=True)
class Context:
    """All a strategy gets besides its parameters and the rows it may learn from."""

    facts: TaskFacts
    documents: tuple[Document, ...]
    model: ModelRef | None
    seed: int
    device: str
    dtype: str
    budget_bytes: int
    """Memory this process may use."""
    metric: Callable[[Sequence[Prediction], Sequence[Example]], float]
    """The task's primary metric, e.g. for choosing a setting on validation rows."""
    log: Callable[..., None]
    """`log(step=3, train_loss=1.2)` appends a row of numbers to train_log.jsonl."""
    note: Callable[[str, str], None]
    """`note("shots", "8 of 12 demonstrations fit")` adds a remark to the trial's record."""
    build: Callable[[str, Mapping[str, Any], str], Strategy]
    """`build("tfidf", {}, "cheap")` makes another strategy, for combinations."""


class Fact(BaseModel):
    """A record on disk: immutable, strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class Measurement(Fact):
    """What one phase of one process took."""

    phase: Phase
    wall_s: float
    cpu_s: float
    """User and system time of the process and its finished children."""
    peak_rss_bytes: int | None = None
    """Peak resident memory of the process tree during this phase."""
    peak_anon_bytes: int | None = None
    """The anonymous part (heap, tensors), sampled 20 times a second."""
    peak_file_bytes: int | None = None
    """The file-backed part (libraries, mapped weights), sampled likewise."""
    peak_gpu_bytes: int | None = None
    """Peak of the GPU memory that torch reserved."""
    energy_j: float | None = None


class Note(Fact):
    """A remark made while a trial ran."""

    kind: str
    text: str


class LoadedModel(Fact):
    """What was really loaded, read off the model itself."""

    name: str
    dtype: str
    device: str
    parameters: int
    scoring: str
    """"packed" or "plain": how option scoring ran (see harness/lm/engine.py)."""


class WorkerResult(Fact):
    """What one worker process reports when it ends, whatever happened."""

    status: Status
    error: str | None = None
    measurements: tuple[Measurement, ...] = ()
    warm_walls_s: tuple[float, ...] = ()
    cold_walls_s: tuple[float, ...] = ()
    predictions_sha256: str | None = None
    notes: tuple[Note, ...] = ()
    loaded_models: tuple[LoadedModel, ...] = ()
    threads: int | None = None
    load_average: float | None = None
    """1-minute load average when the worker began."""


class TrialRecord(Fact):
    """One arm with one seed: the line that `records.jsonl` keeps for it."""

    kind: Literal["trial"] = "trial"
    fit_id: str
    trial_id: str
    arm: str
    strategy: str
    params: dict[str, Any]
    """Every parameter as resolved, defaults included."""
    seed: int
    status: Status
    error: str | None = None
    fit: WorkerResult | None = None
    serve: WorkerResult | None = None
    fit_reused: bool = False
    artifact_bytes: int | None = None
    finished_at: str
    """UTC, ISO 8601."""
    forecast: dict[str, Any] | None = None


class PlannedTrial(Fact):
    """An arm as the invocation saw it, whether or not it was run this time."""

    arm: str
    strategy: str
    params: dict[str, Any]
    seed: int
    fit_id: str
    trial_id: str
    selected: bool
    """False where --only left it out."""
    refused: str | None = None
    """Why the arm cannot run on this task at all."""
    answers: tuple[str, ...]
    needs_train: bool
    needs_model: bool
    learns: str
    complexity: int
    provides: tuple[str, ...]


class Machine(Fact):
    """The machine that ran the trials."""

    cpu_model: str
    cores: int
    memory_bytes: int
    gpu: str | None = None
    os: str
    python: str


class DataFacts(Fact):
    """Sizes, hashes and findings of the splits as they were used."""

    train_n: int
    validation_n: int
    test_n: int
    test_total_n: int
    """Before --limit."""
    sha256: dict[str, str]
    leaked_ids: tuple[str, ...] = ()
    """Test rows whose input also stands in train or validation."""
    findings: tuple[str, ...] = ()


class RunHeader(Fact):
    """One invocation: everything that the trials below it share."""

    kind: Literal["header"] = "header"
    schema_version: int = 1
    started_at: str
    task: dict[str, Any]
    """The task file, resolved."""
    criteria_sha256: str
    """Hash of metric, limits, needs, traffic and margin as they stood before anything ran."""
    data: DataFacts
    model: ModelRef | None
    device: str
    dtype: str
    trials: tuple[PlannedTrial, ...]
    prices: dict[str, Any] | None
    """The price rows that stood when this was run."""
    git_commit: str | None
    packages: dict[str, str]
    machine: Machine
    command: str


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no spaces, the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a JSON-able value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
