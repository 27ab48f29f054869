"""Tune all weights of the model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import training_pairs, tuned_prompt


class FullFinetune(Strategy):
    """Every weight is trained, in float32, and the whole model is the artifact."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 5
    provides = frozenset({"offline"})

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make full fine-tuning a fair contestant."""

        learning_rate: float = Field(1e-4, gt=0)
        """A tenth of LoRA's (Schulman 2025, "LoRA Without Regret")."""
        weight_decay: float = Field(0.01, ge=0)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the tuning and the answering."""
        return toolkit.tuned_estimate(params, "all", prospect)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best weights."""
        task, params = self.context.task, self.params
        # Steps in half precision would round off.
        model = lm.open_weights(self.context, dtype="float32")
        lm.train_all(model)
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        toolkit.learn(model, self.context, params, *rows)
        lm.save_model(model, artifact, self.context.dtype)

    def load(self, artifact: Path) -> None:
        """Load the tuned weights in place of the model's own."""
        self.model = lm.open_weights(self.context, weights=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return toolkit.answer(self.model, prompts, task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
