"""What every tuned arm does between adding its trainable weights and saving them.

Knows nothing of which weights those are.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from harness.lm.chat import answer_tokens, prompt_tokens
from harness.lm.loss import Pair
from harness.lm.model import LanguageModel
from harness.lm.tune import TuneResult, TuneSettings, tune
from harness.prompts import PromptStyle
from harness.strategy import Params
from harness.types import Context


class TuningParams(Params):
    """What all ways of tuning let their user set. Each has a learning rate of its own."""

    learning_rate: float = Field(gt=0)
    epochs: int = Field(6, gt=0)
    batch_size: int = Field(8, gt=0)
    warmup_share: float = Field(0.05, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    evaluations_per_epoch: int = Field(2, gt=0)
    patience: int = Field(3, gt=0)
    """Evaluations without a lower validation loss after which training stops."""
    checkpointing: bool | None = None
    """Compute activations again in the backward pass: less memory, a third more time. None: only
    if an example would not fit the memory otherwise."""
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

    Args:
        lm: the model, its trainable weights in place.
        context: gives the seed, the log and the folder for checkpoints.
        params: how long and how fast.
        train: prompt and answer of each example, as texts.
        validation: likewise; watched for early stopping.

    Raises:
        ModelError: as `tune` does.
    """
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
    result = tune(
        lm, _pairs(lm, train), _pairs(lm, validation), settings, context.log, context.scratch
    )
    stopped = "stopped early" if result.stopped_early else "ran to the end"
    context.note("training", f"{stopped}: step {result.best_step} of {result.steps} is kept")
    return result


def _pairs(lm: LanguageModel, lessons: Sequence[tuple[str, str]]) -> list[Pair]:
    return [(prompt_tokens(lm, prompt), answer_tokens(lm, answer)) for prompt, answer in lessons]
