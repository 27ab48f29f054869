"""What a run leaves on disk: what was measured, planned and run, and on what.

Every record is immutable and strict about its keys. `None` means "not measured", never 0 or NaN.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.store.base import Record
from harness.store.finding import Finding
from harness.store.leaks import LeakSource
from harness.store.machine import Hardware, Machine
from harness.store.merged import Merged
from harness.store.order_check import OrderCheck
from harness.store.planned_floor import PlannedFloor
from harness.store.rows_variant import RowsVariant
from harness.store.validation_score import ValidationScore
from harness.types import ModelRef

SCHEMA_VERSION = 3
"""Of headers and trials; migrate.py reads earlier ones."""
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""Seconds, joules, dollars: finite, never negative; what says otherwise is refused where it is
read, as are counts below 0."""
Count = Annotated[int, Field(ge=0)]
Phase = Literal["start", "load", "fit", "latency", "predict", "log_likelihood"]
Status = Literal["ok", "failed", "timeout", "out_of_memory", "skipped"]


class Measurement(Record):
    """What one phase of one process took."""

    phase: Phase
    wall_s: Amount
    cpu_s: Amount
    """User and system time of the process and its finished children."""
    peak_rss_bytes: Count | None = None
    """Peak resident memory of the process tree during this phase."""
    peak_anon_bytes: Count | None = None
    """The anonymous part (heap, tensors), sampled 20 times a second."""
    peak_file_bytes: Count | None = None
    """The file-backed part (libraries, mapped weights), sampled likewise."""
    peak_gpu_bytes: Count | None = None
    """Peak of the GPU memory that torch reserved."""
    peak_gpu_allocated_bytes: Count | None = None
    """Peak of what tensors took of it."""
    energy_j: Amount | None = None
    """By the GPU's own counter, of the whole device; None where there is none, and where this
    process used no GPU."""
    cpu_wait_s: Amount | None = None
    """Time for which this process's threads were ready and waited for a core, summed over them."""


def joules_of(parts: Iterable[Measurement]) -> float | None:
    """Return the energy of several measurements; None where it is not known of all of them.

    One that used no GPU has no energy to add.
    """
    used = [part for part in parts if part.energy_j is not None or part.peak_gpu_bytes is not None]
    known = [part.energy_j for part in used if part.energy_j is not None]
    return sum(known) if known and len(known) == len(used) else None


class Note(Record):
    """A remark made while a trial ran."""

    kind: str
    text: str


class LoadedModel(Record):
    """What was really loaded, read off the model itself; of a hosted one, where it was asked."""

    name: str
    dtype: str | None = None
    device: str | None = None
    parameters: Count | None = None
    weights_bytes: Count | None = None
    """What parameters and buffers take in memory, counted on the loaded model."""
    scoring: str | None = None
    """How it computed: "packed" token trees, "plain" single sequences, or "encoder_decoder"."""
    opening: str | None = None
    """What its chat template, and we with a thought that it leaves open, put between a user's turn
    and the answer; None: it has no template, or none was recorded."""
    hosted_at: str | None = None
    requests: Count | None = None
    """Different ones that a hosted model answered in this process, in this run or an earlier."""
    prompt_tokens: Count | None = None
    """Of all those requests; so are the two below."""
    cached_tokens: Count | None = None
    output_tokens: Count | None = None
    unanswered: Count | None = None
    """Different requests that a hosted model's server failed to answer, after all retries: their
    answers are errors, and another run asks again. None in records of earlier versions."""


class WorkerResult(Record):
    """What one worker process reports when it ends, whatever happened."""

    status: Status
    error: str | None = None
    measurements: tuple[Measurement, ...] = ()
    warm_walls_s: tuple[Amount, ...] = ()
    cold_walls_s: tuple[Amount, ...] = ()
    predictions_sha256: str | None = None
    notes: tuple[Note, ...] = ()
    loaded_models: tuple[LoadedModel, ...] = ()
    threads: Count | None = None
    """That torch computes with, where it is used."""
    cores: Count | None = None
    """That the worker may use (its affinity)."""
    load_average: Amount | None = None
    """1-minute load average when the worker began."""
    files: dict[str, str] = Field({})
    """SHA-256 of what it left in its folder, by name, taken when it had ended; empty in records of
    earlier versions, whose files cannot be verified."""
    order: OrderCheck | None = None
    """Found when all was measured and the predictions were closed, so in no figure above; None: it
    served nothing, or an earlier version did."""
    validation: ValidationScore | None = None
    """Of serving: what the arm scores on validation rows, found when all above was; None: it was
    trained once, or an earlier version served it."""
    hardware: Hardware | None = None
    """What it ran on; None: not known, or it never started."""

    @property
    def unanswered(self) -> int:
        """Requests that a hosted model's server failed to answer: the result is not final."""
        return sum(model.unanswered or 0 for model in self.loaded_models)


class Forecast(Record):
    """What an arm was expected to take on one machine, before it ran."""

    machine: str
    """"this machine", or the name of a row of the price file."""
    fit_peak_bytes: int | None = None
    predict_peak_bytes: int | None = None
    """Peaks as they are measured: resident memory, or on a GPU what torch reserves."""
    fit_on_gpu: bool | None = None
    predict_on_gpu: bool | None = None
    """Which of the two they are; None: nothing is forecast, or it was by an earlier version."""
    fit_wall_s: float | None = None
    """At the most: all epochs."""
    fit_wall_low_s: float | None = None
    """At the least: the earliest stop there can be."""
    serve_wall_s: float | None = None
    serve_wall_low_s: float | None = None
    """Loading, single requests and all queries at once, at the most and at the least."""
    fit_usd: float | None = None
    """At the most."""
    serve_usd: float | None = None
    fits: bool | None = None
    """None: not known."""
    memory_share: float | None = None
    """Of the memory that is there, what the arm cannot do without: above 1 it does not fit. None:
    not known, or forecast by an earlier version."""
    why: str | None = None
    """Why it does not fit, or why something is not known."""
    would_fit: tuple[str, ...] = ()
    """What would make it fit, tried by forecasting it."""
    notes: tuple[str, ...] = ()


class TrialRecord(Record):
    """One arm with one seed: the line that `records.jsonl` keeps for it."""

    kind: Literal["trial"] = "trial"
    schema_version: int = SCHEMA_VERSION
    fit_id: str
    trial_id: str
    arm: str
    strategy: str
    params: dict[str, Any]
    """Every parameter as resolved, defaults included."""
    seed: int
    rows: RowsVariant | None = None
    """What it learnt from, if not from all rows as they are; None in earlier versions' records."""
    status: Status
    error: str | None = None
    fit: WorkerResult | None = None
    serve: WorkerResult | None = None
    likelihood: WorkerResult | None = None
    """The third process, where the task asks for a metric of likelihoods."""
    probe: WorkerResult | None = None
    """The process that scored the general probe with a tuned arm (`diagnostics.forgetting`)."""
    robustness: WorkerResult | None = None
    """The process in which a trained arm answered perturbed queries (`diagnostics.robustness`)."""
    fit_reused: bool = False
    artifact_bytes: Count | None = None
    artifact_sha256: str | None = None
    """Over all its files by their names; None in records of earlier versions."""
    finished_at: str
    """UTC, ISO 8601."""
    forecast: Forecast | None = None
    """As it was made before anything ran."""

    @property
    def hardware(self) -> tuple[Hardware, ...]:
        """What it was measured on: more than one where its two halves ran on different machines."""
        halves = (half.hardware for half in (self.fit, self.serve) if half and half.hardware)
        return tuple(dict.fromkeys(halves))


class PlannedTrial(Record):
    """An arm as the invocation saw it, whether or not it was run this time."""

    arm: str
    strategy: str
    params: dict[str, Any]
    seed: int
    rows: RowsVariant | None = None
    """What it learns from; None: all rows of its seed, as they are."""
    fit_id: str
    trial_id: str
    is_random: bool = False
    """Another seed trains it to something else. False in runs of earlier versions too."""
    rows_sha256: dict[str, str] = Field({})
    """Hash of the rows that a trial of this seed learns from, "train" and "validation": seed 0 has
    them as they are given, others cut the same rows anew. Runs of earlier versions name none: all
    their seeds had the given ones."""
    selected: bool
    """False where --only left it out."""
    refused: str | None = None
    """Why the arm cannot run on this task at all."""
    answers: tuple[str, ...]
    labels_n: int
    """Labelled rows that it uses, whose price burdens it."""
    needs_model: bool
    learns: str
    tunes: bool = False
    """A pretrained model's weights, which the verdict calls fine-tuning."""
    complexity: int
    provides: tuple[str, ...]
    model: str | None = None
    """Name of its model in the header's `models`."""
    models: tuple[str, ...] = ()
    """Names of further language models in the header's `models`, of its parts or asked while it is
    prepared. Runs of earlier versions name none."""
    serves_with: tuple[str, ...] = ()
    """Those of them that are asked while it serves."""
    licences: dict[str, str | None] = Field({})
    """Name to licence of the models that it uses beside that one, an embedder or a reranker; None:
    not known. Runs of earlier versions name none."""
    replays: bool = False
    """Its answers were made elsewhere."""
    fit_usd: Amount = 0.0
    """What making it cost elsewhere, as its parameters say; no charge of a model that is asked."""
    code: dict[str, str | None] = Field({})
    """Code of others that it runs: as the task names it, to the file's hash or the package's
    version. Empty in runs of earlier versions too."""
    reads: tuple[str, ...] | None = None
    """What it may use of what test rows may stand in, by the names of the header's `leaks`; None in
    runs of earlier versions, which do not say it."""
    floors: tuple[PlannedFloor, ...] = ()
    """Of those that its strategy names, the ones that can answer this task."""
    forecast: Forecast | None = None


class DataSummary(Record):
    """Sizes, hashes and findings of the splits as they were used."""

    train_n: int
    validation_n: int
    test_n: int
    test_total_n: int
    """Before --limit."""
    sha256: dict[str, str]
    leaked_ids: tuple[str, ...] = ()
    """Test rows whose input also stands in train or validation."""
    findings: tuple[Finding, ...] = ()
    expectations: tuple[Finding, ...] = ()
    """What the rows can be expected to show; a run's own figures take their place."""


class AnswerRoom(Record):
    """How many new tokens a model's answers may have."""

    max_new_tokens: int
    given: bool = False
    """The task says it."""
    needed: int | None = None
    """What 99% of the training targets need; None: nothing was counted."""
    estimated: bool = False
    """Counted by characters, because the model's tokenizer is not known here."""
    of: str | None = None
    """Hash of what it follows from: while that is the same, it stands."""


class RunHeader(Record):
    """One invocation: everything that the trials below it share."""

    kind: Literal["header"] = "header"
    schema_version: int = SCHEMA_VERSION
    started_at: str
    task: dict[str, Any]
    """The task file, resolved."""
    task_folder: str | None = None
    """Folder of the task file, where a metric of its own is found again."""
    criteria_sha256: str
    """Hash of metrics with their source, limits, needs, traffic, labour, price rows and margin, as
    they stood before anything ran; see `criteria_seal.py`."""
    sealed: tuple[str, ...] = ()
    """Keys of the task that the hash covers, besides itself, price rows and metrics' sources. Empty
    in runs of early versions, which sealed otherwise: theirs is not checked."""
    metric_sha256: dict[str, str] = Field({})
    """Hash of the file of each metric of the task's own, by the metric's name, as it was sealed."""
    files: dict[str, str] = Field({})
    """SHA-256 of `truth.jsonl` and `documents.jsonl` as this invocation writes them, by name. Runs
    of earlier versions name none: theirs cannot be verified."""
    data: DataSummary
    data_changes: tuple[str, ...] = ()
    """What of the rows differs from the folder's run before, in sentences."""
    leaks: tuple[LeakSource, ...] | None = None
    """Test rows that stand in what arms may use; None in runs of earlier versions."""
    leaks_of: str | None = None
    """Hash of what they follow from: while that is the same, they stand."""
    models: dict[str, ModelRef]
    """Those that arms need, by the name that the task file gives."""
    answer_room: dict[str, AnswerRoom] = Field({})
    """Of each of them; runs of earlier versions name none, and had what the task says."""
    device: str
    dtype: str
    trials: tuple[PlannedTrial, ...]
    curve: tuple[PlannedTrial, ...] = ()
    """Trials that learn from fewer rows, wrong labels or made rows. They are run after all others,
    and no conclusion rests on them but those about such rows."""
    prices: dict[str, Any] | None
    """The price rows that applied when this was run."""
    prompt_date: str | None = None
    """The day that chat templates print as today's, ISO 8601: that of the folder's first run. None
    in runs of earlier versions, which printed the day on which each prompt was rendered."""
    git_commit: str | None
    packages: dict[str, str]
    machine: Machine
    """What figures of this invocation's trials are compared on."""
    command: str
    quick: bool = False
    """Whether arms that are not selected were left out to be done within three minutes."""
    merged: Merged | None = None
    """Of which runs this was made (`merge`); None: it is a run's own."""

    @property
    def hardware(self) -> Hardware:
        """What this invocation's processes ran on."""
        return Hardware(machine=self.machine, device=self.device, dtype=self.dtype)
