"""Training on texts: what every tuned arm does once its trainable weights are in place.

Turns texts into tokens, leaves out what is too long, and says how it went. Knows nothing of which
weights are trained.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pydantic import Field

from harness.errors import ModelError
from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.local_model import LanguageModel
from harness.lm.training.adapter_spec import AdapterSpec
from harness.lm.training.loop import TuneResult, TuneSettings, tune
from harness.lm.training.loss import Pair
from harness.strategy import Params
from harness.toolkit.prompts import PromptStyle
from harness.types import Context
from harness.workload import Prospect, TextPair, Tuning


class TuningParams(Params):
    """What all ways of tuning let their user set. Each has a learning rate of its own."""

    learning_rate: float = Field(gt=0)
    epochs: int = Field(6, gt=0)
    """At the most: early stopping ends it before. A choice of ours, as are the two below."""
    batch_size: int = Field(8, gt=0)
    warmup_share: float = Field(0.05, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    evaluations_per_epoch: int = Field(2, gt=0)
    patience: int = Field(3, gt=0)
    """Evaluations without a lower validation loss after which training stops: a choice of ours."""
    checkpointing: bool | None = None
    """Compute activations again in the backward pass: less memory, a third more time. None: only
    if an example would not fit the memory otherwise."""


class PromptedParams(Params):
    """For what is tuned to answer the task's own questions."""

    prompt: PromptStyle = "short"
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
        validation: likewise; watched for early stopping.

    Raises:
        ModelError: as `tune` does; or no training row fits.
    """
    rows = [
        _fitting(lm, context, _pairs(lm, pairs), name)
        for pairs, name in ((train, "training"), (validation, "validation"))
    ]
    if train and not rows[0]:
        raise ModelError(
            f"all {len(train)} training rows are longer than the model's {lm.context_tokens} tokens"
            " → shorten the inputs, or name a model with a longer context"
        )
    return _tuned(lm, context, params, *rows)


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
        validation: prompts and answers; watched for early stopping.

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
    return _tuned(lm, context, params, pairs, kept)


def _tuned(
    lm: LanguageModel,
    context: Context,
    params: TuningParams,
    train: Sequence[Pair],
    validation: Sequence[Pair],
) -> TuneResult:
    settings = TuneSettings(
        learning_rate=params.learning_rate,
        epochs=params.epochs,
        batch_size=params.batch_size,
        warmup_share=params.warmup_share,
        weight_decay=params.weight_decay,
        evaluations_per_epoch=params.evaluations_per_epoch,
        patience=params.patience,
        seed=context.seed,
        checkpointing=params.checkpointing,
    )
    result = tune(lm, train, validation, settings, context.log, context.scratch)
    stopped = "stopped early" if result.stopped_early else "ran to the end"
    context.note("training", f"{stopped}: step {result.best_step} of {result.steps} is kept")
    return result


def _fitting(
    lm: LanguageModel, context: Context, pairs: Sequence[Pair], name: str
) -> Sequence[Pair]:
    """Return the pairs that fit the model's context, and note how many do not."""
    kept = [pair for pair in pairs if lm.has_room(len(pair[0]), len(pair[1]))]
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
    return Tuning(
        adapter=adapter,
        training_pairs=train,
        validation=validation,
        epochs=params.epochs,
        batch_size=params.batch_size,
        evaluations_per_epoch=params.evaluations_per_epoch,
        patience=params.patience,
        checkpointing=params.checkpointing,
        seed=prospect.seed,
    )
