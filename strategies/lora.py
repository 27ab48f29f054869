"""Tune low-rank adapters on every linear layer (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import training_pairs, tuned_prompt


class Lora(Strategy):
    """Low-rank adapters, trained on completions, merged into the weights for serving."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 4
    provides = frozenset({"offline"})

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's; the defaults make it a fair contestant."""

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the tuning and the answering."""
        return toolkit.tuned_estimate(params, "lora", prospect)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best adapter."""
        task, params = self.context.task, self.params
        model = lm.open_weights(self.context)
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        toolkit.learn_lora(model, self.context, params, *rows)
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model and merge the adapter into it."""
        self.model = lm.open_weights(self.context, adapter=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return toolkit.answer(self.model, prompts, task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
