"""Tune a few vectors that stand before every input (Lester et al. 2021, arXiv 2104.08691)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import instruction_block, training_pairs, tuned_prompt


class PromptTuning(Strategy):
    """Vectors before the first layer are trained; the model itself stays as it is."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 3
    provides = frozenset({"offline"})

    class Params(toolkit.TuningParams, toolkit.PromptedParams):
        """Defaults that make prompt tuning a fair contestant."""

        tokens: int = Field(20, gt=0)
        """Virtual tokens: more gain little (Lester et al. 2021, arXiv 2104.08691, section 3.2)."""
        learning_rate: float = Field(1e-2, gt=0)
        """Rates of full fine-tuning teach a soft prompt nothing (PEFT issues 710 and 869)."""
        epochs: int = Field(20, gt=0)
        """At the most. Vectors learn slower than weights: 30,000 steps of 32 in the paper, a
        thousand of 8 (20 epochs of 400 rows) for IA³ (Liu et al. 2022)."""

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the tuning and the answering."""
        return toolkit.tuned_estimate(params, "prompt", prospect)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Train with early stopping on validation loss and keep the best vectors."""
        task, params = self.context.task, self.params
        model = lm.open_weights(self.context)
        lm.add_soft_prompt(model, "prompt", params.tokens, instruction_block(task))
        rows = [training_pairs(task, split, params.prompt) for split in (train, validation)]
        toolkit.learn(model, self.context, params, *rows)
        lm.save_adapter(model, artifact)

    def load(self, artifact: Path) -> None:
        """Load the model with the vectors before it."""
        self.model = lm.open_weights(self.context, adapter=artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query behind the same vectors."""
        task = self.context.task
        prompts = [tuned_prompt(task, query, self.params.prompt) for query in queries]
        return toolkit.answer(self.model, prompts, task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
