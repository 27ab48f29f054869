"""Training on texts: what every tuned arm does once its trainable weights are in place.

Turns texts into tokens, leaves out what is too long, and says how it went. Knows nothing of which
weights are trained.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from harness.errors import ModelError
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.local_model import LanguageModel
from harness.lm.training.adapter_spec import AdapterSpec
from harness.lm.training.loop import tune
from harness.lm.training.loss import Pair
from harness.lm.training.settings import TuneResult, TuneSettings
from harness.search_space import search
from harness.strategy import Params
from harness.toolkit.prompts import PromptStyle
from harness.toolkit.tuning_choice import Objective, choice_options, objective_named, objective_of
from harness.toolkit.tuning_defaults import averaged_of, epochs_of, rate_of
from harness.types import Context
from harness.workload import Prospect, TextPair, Tuning


class TuningParams(Params):
    """What all ways of tuning let their user set."""

    learning_rate: float | None = Field(None, gt=0)
    """The highest one. None: by the model's size and the batch, see tuning_defaults.py."""
    epochs: int | None = Field(None, gt=0)
    """None: by the number of rows: 8 below 1,000, 4 below 10,000, 2 above. The schedule runs to
    its end, since a rate that has not come down leaves the noisiest weights (Mosbach et al. 2021,
    arXiv 2006.04884)."""
    batch_size: int = Field(16, gt=0)
    """LoRA bears large batches badly, and smaller ones cost time (Schulman 2025)."""
    warmup_share: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.01, ge=0)
    evaluations_per_epoch: int = Field(1, gt=0)
    patience: int | None = Field(None, gt=0)
    """Evaluations without a lower validation loss after which training stops. None: only a loss
    above twice the best stops it."""
    averaged: int = Field(3, ge=0)
    """Last evaluations whose weights are averaged; the mean is kept if the validation rows find it
    no worse than the best step. Whole models are not averaged: it takes one more copy of them."""
    checkpointing: bool | None = None
    """Compute activations again in the backward pass: less memory, a third more time. None: only
    if an example would not fit the memory otherwise."""


class ChoiceParams(Params):
    """For what is tuned to choose labels. Texts and JSON are learnt token by token."""

    objective: Objective = "auto"
    """label_softmax: the labels' scores against each other; head: a linear layer in place of
    labels' text; label_text: token by token. auto: softmax up to 32 labels, a head above."""
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """Share of each row's target that is spread over all labels; label text has none."""
    class_weight: Literal["none", "balanced"] = "none"
    """balanced: rows of rare labels count more, so that all labels count alike; not for label
    text."""
    calibrate: Literal["off", "vector"] = "vector"
    """vector: a bias for each label and a temperature, fitted on validation rows where there are
    three a label; not beside weights of labels, which would be corrected twice."""


class PromptedParams(ChoiceParams):
    """For what is tuned to answer the task's own questions."""

    prompt: PromptStyle = Field("short", json_schema_extra=search(["short", "full"]))
    """short: the input alone; full: zero-shot's whole prompt."""


def learn(
    lm: LanguageModel,
    context: Context,
    params: TuningParams,
    train: Sequence[tuple[str, str]],
    validation: Sequence[tuple[str, str]],
) -> TuneResult:
    """Tune the model's trainable weights on prompts and answers, and note how it went.

    Rows that are longer than the model's context are left out, and the record says how many.

    Args:
        lm: the model, its trainable weights in place.
        context: gives the seed, the log and the folder for checkpoints.
        params: how long and how fast.
        train: prompt and answer of each example, as texts.
        validation: likewise; they decide which weights are kept.

    Raises:
        ModelError: as `tune` does; or no training row fits.
    """
    chosen = isinstance(params, ChoiceParams)
    options = choice_options(lm, context.task) if chosen else []
    # All labels are scored behind a prompt, so the longest must have room.
    scored = options if objective_named(context.task, params) != "head" else []
    longest = max(map(len, scored), default=0)
    rows = [
        _fitting(lm, context, _pairs(lm, pairs), name, longest)
        for pairs, name in ((train, "training"), (validation, "validation"))
    ]
    if train and not rows[0]:
        raise ModelError(
            f"all {len(train)} training rows are longer than the model's {lm.context_tokens} tokens"
            " → shorten the inputs, or name a model with a longer context"
        )
    return _tuned(lm, context, params, rows, options)


def learn_texts(
    lm: LanguageModel,
    context: Context,
    params: TuningParams,
    texts: Sequence[str],
    validation: Sequence[tuple[str, str]],
) -> TuneResult:
    """Tune the model's trainable weights on running texts, as in pretraining.

    Args:
        lm: the model, its trainable weights in place.
        context: as for `learn`.
        params: how long and how fast.
        texts: to be continued from nothing, each to its end; one that is longer than the model's
            context is read in pieces.
        validation: prompts and answers; they decide which weights are kept.

    Raises:
        ModelError: as `tune` does.
    """
    begin = lm.tokenizer.bos_token_id
    start = [lm.ends[0] if begin is None else begin]
    longest = (lm.context_tokens or sys.maxsize) - len(start)
    pairs = []
    for text in texts:
        ids = [*lm.tokenizer(text, add_special_tokens=False).input_ids, lm.ends[0]]
        pairs += [(start, ids[at : at + longest]) for at in range(0, len(ids), longest)]
    kept = _fitting(lm, context, _pairs(lm, validation), "validation")
    return _tuned(lm, context, params, (pairs, kept), [])


def _tuned(
    lm: LanguageModel,
    context: Context,
    params: TuningParams,
    rows: Sequence[Sequence[Pair]],
    options: Sequence[list[int]],
) -> TuneResult:
    """Tune on two splits of rows, those to train on and those to choose on."""
    train, validation = rows
    settings = TuneSettings(
        learning_rate=rate_of(params, lm),
        epochs=epochs_of(params, len(train)),
        batch_size=params.batch_size,
        warmup_share=params.warmup_share,
        weight_decay=params.weight_decay,
        evaluations_per_epoch=params.evaluations_per_epoch,
        patience=params.patience,
        seed=context.seed,
        checkpointing=params.checkpointing,
        averaged=averaged_of(params, lm.adapter),
    )
    objective = objective_of(lm, context.task, params, train, options)
    context.note(
        "training",
        f"{objective.name}: {settings.epochs} epochs of {len(train)} rows,"
        f" learning rate {settings.learning_rate:.1e}",
    )
    result = tune(lm, train, validation, settings, context.log, context.scratch, objective)
    stopped = "stopped early" if result.stopped_early else "ran to the end"
    kept = f"step {result.best_step} of {result.steps} is kept"
    if result.averaged:
        kept = f"the mean of the last {result.averaged} evaluations' weights is kept"
    context.note("training", f"{stopped}: {kept}")
    return result


def _fitting(
    lm: LanguageModel, context: Context, pairs: Sequence[Pair], name: str, behind: int = 0
) -> Sequence[Pair]:
    """Return the pairs that fit the model's context, and note how many do not.

    Args:
        lm: the model.
        context: is told.
        pairs: prompts and answers.
        name: of the split.
        behind: tokens that each prompt must leave room for, whatever its own answer.
    """
    kept = [
        (prompt, text) for prompt, text in pairs if lm.has_room(len(prompt), max(len(text), behind))
    ]
    if len(kept) < len(pairs):
        context.note(
            "training",
            f"{len(pairs) - len(kept)} of {len(pairs)} {name} rows were left out:"
            f" longer than the model's {lm.context_tokens} tokens",
        )
    return kept


def _pairs(lm: LanguageModel, training_pairs: Sequence[tuple[str, str]]) -> list[Pair]:
    return [
        (prompt_tokens(lm, prompt), answer_tokens(lm, answer)) for prompt, answer in training_pairs
    ]


def tuning(
    params: TuningParams,
    adapter: AdapterSpec,
    train: Sequence[TextPair],
    validation: Sequence[TextPair],
    prospect: Prospect,
) -> Tuning:
    """Say for a forecast what `learn` does with the same parameters and rows."""
    # Running text is no answer to choose.
    chosen = isinstance(params, ChoiceParams) and prospect.task.answer_kind == "choice"
    labels = tuple(prospect.task.labels) if chosen else ()
    return Tuning(
        adapter=adapter,
        training_pairs=train,
        validation=validation,
        epochs=epochs_of(params, len(train)),
        batch_size=params.batch_size,
        evaluations_per_epoch=params.evaluations_per_epoch,
        patience=params.patience,
        checkpointing=params.checkpointing,
        seed=prospect.seed,
        labels=labels,
        objective=objective_named(prospect.task, params),
        averaged=averaged_of(params, adapter),
    )
