"""Tune low-rank adapters on every linear layer (Hu et al. 2021, arXiv 2106.09685).

The tuned model is asked with the input alone: what the instruction says, it has learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

import harness
from harness import Prediction, Query, Split, Strategy, lm
from harness.prompts import full_prompt, query_text


class Lora(Strategy):
    """Low-rank adapters, trained on completions, merged into the weights for serving."""

    answers = frozenset({"choice", "text"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 4
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """Defaults that make LoRA a fair contestant."""

        rank: int = Field(16, gt=0)
        alpha: float = Field(32.0, gt=0)
        dropout: float = Field(0.0, ge=0, lt=1)
        learning_rate: float = Field(1e-3, gt=0)
        """About ten times what full fine-tuning takes (Schulman 2025, "LoRA Without Regret")."""
        epochs: int = Field(6, gt=0)
        batch_size: int = Field(8, gt=0)
        warmup_share: float = Field(0.05, ge=0, lt=1)
        weight_decay: float = Field(0.0, ge=0)
        evaluations_per_epoch: int = Field(2, gt=0)
        patience: int = Field(3, gt=0)
        """Evaluations without a lower validation loss after which training stops."""
        checkpointing: bool | None = None
        """Compute activations again in the backward pass: less memory, a third more time.
        None: only if an example would not fit the memory otherwise."""
        prompt: Literal["short", "full"] = "short"
        """short: the input alone; full: zero-shot's whole prompt."""

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best adapter."""
        context, params = self.context, self.params
        model = lm.open_model(context)
        lm.add_lora(model, params.rank, params.alpha, params.dropout)
        settings = lm.TuneSettings(
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
        pairs, validation_pairs = self._pairs(model, train), self._pairs(model, validation)
        result = lm.tune(model, pairs, validation_pairs, settings, context.log, context.scratch)
        stopped = "stopped early" if result.stopped_early else "ran to the end"
        context.note("training", f"{stopped}: step {result.best_step} of {result.steps} is kept")
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model and merge the adapter into it."""
        self.model = lm.open_model(self.context, adapter=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        prompts = [self._prompt(query) for query in queries]
        return lm.answer(self.model, prompts, self.context.facts)

    def _prompt(self, query: Query) -> str:
        if self.params.prompt == "full":
            return full_prompt(self.context.facts, query)
        return query_text(query)

    def _pairs(self, model: lm.LanguageModel, split: Split) -> list[tuple[list[int], list[int]]]:
        return [
            (
                lm.prompt_tokens(model, self._prompt(example.query)),
                lm.answer_tokens(model, example.targets[0]),
            )
            for example in split
        ]
