"""Tune low-rank adapters on every linear layer (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness import Prediction, Query, Split, Strategy, lm
from harness.prompts import lessons, tuned_prompt


class Lora(Strategy):
    """Low-rank adapters, trained on completions, merged into the weights for serving."""

    answers = frozenset({"choice", "text"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 4
    provides = frozenset({"offline"})

    class Params(lm.TuningParams):
        """Defaults that make LoRA a fair contestant."""

        rank: int = Field(16, gt=0)
        alpha: float = Field(32.0, gt=0)
        dropout: float = Field(0.0, ge=0, lt=1)
        rank_stabilised: bool = False
        """Scale by alpha/√rank instead of alpha/rank (Kalajdzievski 2023, arXiv 2312.03732)."""
        decomposed: bool = False
        """Learn direction and magnitude apart: DoRA (Liu et al. 2024, arXiv 2402.09353)."""
        learning_rate: float = Field(1e-3, gt=0)
        """About ten times what full fine-tuning takes (Schulman 2025, "LoRA Without Regret")."""

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best adapter."""
        facts, params = self.context.facts, self.params
        model = lm.open_weights(self.context)
        lm.add_lora(
            model,
            params.rank,
            params.alpha,
            params.dropout,
            params.rank_stabilised,
            params.decomposed,
        )
        rows = [lessons(facts, split, params.prompt) for split in (train, validation)]
        lm.learn(model, self.context, params, *rows)
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model and merge the adapter into it."""
        self.model = lm.open_model(self.context, adapter=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        facts = self.context.facts
        prompts = [tuned_prompt(facts, query, self.params.prompt) for query in queries]
        return lm.answer(self.model, prompts, facts)
