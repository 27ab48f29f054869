"""Tune low-rank adapters over weights of 4 bits (Dettmers et al. 2023, arXiv 2305.14314)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import training_pairs, tuned_prompt
from harness.workload import in_four_bits


class QLora(Strategy):
    """LoRA over a model in NF4 with double quantisation, served in 4 bits as well."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 5
    provides = frozenset({"offline"})

    class Params(toolkit.LoraParams, toolkit.PromptedParams):
        """LoRA's; the defaults make it a fair contestant."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Weights in 4 bits, made before anything is measured."""
        return super().needs(params) | {"four_bits"}

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare LoRA's work, over weights of 4 bits in both halves."""
        lora = toolkit.tuned_estimate(params, "lora", prospect)
        return in_four_bits(lora)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best adapter."""
        task, params = self.context.task, self.params
        model = lm.open_weights(self.context, four_bits=True)
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        toolkit.learn_lora(model, self.context, params, *rows)
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model in 4 bits and lay the adapter beside it.

        Merged, the adapter would be rounded to 4 bits with the weights.
        """
        self.model = lm.open_weights(self.context, adapter=artifact, four_bits=True)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query with the tuned model."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return toolkit.answer(self.model, prompts, task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
