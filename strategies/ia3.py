"""Tune factors on keys, values and feed-forward inputs: IA³ (Liu et al. 2022, arXiv 2205.05638)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import training_pairs, tuned_prompt


class Ia3(Strategy):
    """A few thousand factors, trained on completions, merged into the weights for serving."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 3
    provides = frozenset({"offline"})

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make IA³ a fair contestant."""

        learning_rate: float = Field(3e-3, gt=0)
        """T-Few's (Liu et al. 2022)."""
        epochs: int = Field(20, gt=0)
        """At the most: T-Few's thousand steps of 8 are 20 epochs of 400 rows."""

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the tuning and the answering."""
        return toolkit.tuned_estimate(params, "ia3", prospect)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best factors."""
        task, params = self.context.task, self.params
        model = lm.open_weights(self.context)
        lm.add_ia3(model)
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        toolkit.learn(model, self.context, params, *rows)
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model and merge the factors into it."""
        self.model = lm.open_weights(self.context, adapter=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return toolkit.answer(self.model, prompts, task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
