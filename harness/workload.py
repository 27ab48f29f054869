"""What an arm is going to do, as its strategy declares it before anything runs.

A strategy names its work (which prompts are answered, which rows are trained on, which texts are
embedded), and the harness turns that into memory, time and money on any machine. Knows nothing of
machines, tokens or models' sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from harness.types import Document, Prompt, PromptForm, Query, Split, TaskInfo, model_name

if TYPE_CHECKING:
    from harness.lm import AdapterSpec

TextPair = tuple[str, str]
"""Prompt and answer, as texts."""


@dataclass(frozen=True)
class Answering:
    """The task's model answers prompts."""

    prompts: Sequence[Prompt]
    task: TaskInfo
    """Kind and length of an answer."""
    weights: Literal["given", "four_bits", "adapter"] = "given"
    """adapter: beside the model's own weights, as soft prompts are."""
    soft_tokens: int = 0
    """Virtual tokens before every prompt."""
    by: str | None = None
    """Name of the model that answers, where it is another than the arm's (`model_name`)."""


@dataclass(frozen=True)
class Tuning:
    """The task's model is tuned."""

    adapter: AdapterSpec
    """What is trained of it."""
    training_pairs: Sequence[TextPair]
    """Without a prompt: running text."""
    validation: Sequence[TextPair]
    epochs: int
    batch_size: int
    evaluations_per_epoch: int
    patience: int | None
    checkpointing: bool | None
    seed: int
    labels: Sequence[str] = ()
    """Of a choice: all are scored for each validation row."""
    objective: Literal["label_text", "label_softmax", "head"] = "label_text"
    averaged: int = 0
    """Evaluations whose weights are averaged; the sum is one more copy of them."""
    four_bits: bool = False
    of: str | None = None
    """Name of the model that is tuned, where it is another than the arm's."""


@dataclass(frozen=True)
class Embedding:
    """An embedding model reads texts; with `epochs` it is tuned on them first."""

    texts: Sequence[str]
    embedder: str
    epochs: int = 0
    batch_size: int = 0
    patience: int = 0
    held_out: Sequence[str] = ()
    """What tuning is stopped by; read once an epoch."""


@dataclass(frozen=True)
class Indexing:
    """Texts are kept for search: their vectors, and their words if `words`."""

    texts: Sequence[str]
    embedder: str
    words: bool = False
    made: bool = True
    """Or read from where it was saved."""


@dataclass(frozen=True)
class Computing:
    """Anything else, in figures."""

    peak_bytes: int = 0
    """On top of what the process takes with its libraries."""
    wall_s: tuple[float, float] = (0.0, 0.0)
    """At the least and at the most, on two cores of today."""
    libraries: frozenset[str] = frozenset()
    """Of "sklearn", "torch", …: what importing them takes is added where it is known."""


Work = Answering | Tuning | Embedding | Indexing | Computing


@dataclass(frozen=True)
class Estimate:
    """A strategy's own forecast, made before any money is spent; None = cannot say."""

    fit: tuple[Work, ...] | None = None
    """What `fit` does; () is nothing worth counting."""
    serve: tuple[Work, ...] | None = None
    """What `load` and `predict` of all queries do."""
    fit_peak_bytes: int | None = None
    """Figures of the strategy's own, where it knows better; these three stand before `fit` and
    `serve`."""
    predict_peak_bytes: int | None = None
    fit_wall_s: float | None = None


@dataclass(frozen=True)
class Prospect:
    """What a strategy may know when it is asked for an estimate: no test targets."""

    task: TaskInfo
    train: Split
    validation: Split
    queries: Sequence[Query]
    """Those of the test split."""
    documents: Sequence[Document]
    seed: int
    part: Callable[[str, Mapping[str, Any], Prospect], Estimate]
    """`part("tfidf", {}, prospect)` is the estimate of another strategy, for combinations."""
    unlabelled: Mapping[str, Sequence[Query]] = field(default_factory=dict)
    """As `Context.unlabelled`."""
    form: PromptForm = "turns"
    """How demonstrations are written for the arm's model, unless its user says otherwise."""
    scores_labels: bool = True
    """Whether the arm's model tells how probable labels are: a hosted one does not."""


def by_model(estimate: Estimate, model: str | Mapping[str, Any] | None) -> Estimate:
    """Return the same work done with a part's own model, where it has one.

    Args:
        estimate: of the part.
        model: as `Strategy.parts` names it.
    """
    if model is None:
        return estimate
    name = model_name(model)
    fit, serve = (
        None if half is None else tuple(_by(work, name) for work in half)
        for half in (estimate.fit, estimate.serve)
    )
    return replace(estimate, fit=fit, serve=serve)


def _by(work: Work, name: str) -> Work:
    if isinstance(work, Tuning):
        return work if work.of else replace(work, of=name)
    return replace(work, by=work.by or name) if isinstance(work, Answering) else work


def in_four_bits(estimate: Estimate) -> Estimate:
    """Return the same work over weights in NF4, tuned and served."""
    fit, serve = (
        None if half is None else tuple(_packed(work) for work in half)
        for half in (estimate.fit, estimate.serve)
    )
    return replace(estimate, fit=fit, serve=serve)


def _packed(work: Work) -> Work:
    if isinstance(work, Tuning):
        return replace(work, four_bits=True)
    return replace(work, weights="four_bits") if isinstance(work, Answering) else work
