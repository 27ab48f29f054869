"""What a worker is told: everything it may know, and nothing about test targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from harness.store.base import Record
from harness.store.records import LoadedModel, Measurement
from harness.types import ModelRef, TaskInfo

WARM_UPS = 3
LATENCY_QUERIES = 50
INPUTS_PREFIX = "harness-"
"""Begins the name of the temporary folder that holds a worker's rows."""


class FinishedFit(Record):
    """A fit of another arm of the same run, on the same rows with the same model and seed."""

    arm: str
    strategy: str
    params: dict[str, Any]
    artifact: Path
    measurement: Measurement
    """Of the fit."""
    hosted: tuple[LoadedModel, ...] = ()
    """Hosted models that it asked, and how much: whoever takes it over is charged for that too."""


class Job(Record):
    """One process's work. Written as job.json, so that a trial can be repeated by hand."""

    kind: Literal["fit", "serve", "likelihood", "probe", "robustness"]
    strategy: str
    strategy_base: str
    """Folder that a `file.py:Class` reference starts from."""
    params: dict[str, Any]
    task: TaskInfo
    metric: str
    model: ModelRef | None
    seed: int
    device: str
    dtype: str
    budget_bytes: int
    artifact: Path
    inputs: Path
    """Folder with documents.jsonl, train.jsonl and validation.jsonl and, where the metric is of
    evidence, that of the validation rows in evidence.jsonl (fit), queries.jsonl (serve),
    answers.jsonl (likelihood), probe.jsonl (probe) or perturbed.jsonl and listed.jsonl
    (robustness); it exists only while the worker runs."""
    documents: bool = True
    """Whether it is handed the documents: an arm that needs none sees none."""
    result: Path
    predictions: Path | None = None
    """Where predictions, likelihoods or answers to perturbed queries are written."""
    train_log: Path | None = None
    scratch: Path | None = None
    """See `Context.scratch`."""
    finished: tuple[FinishedFit, ...] = ()
    """What a strategy that builds others need not fit again."""
