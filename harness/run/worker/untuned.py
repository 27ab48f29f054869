"""The model before any tuning, as a strategy: what a tuned arm is held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness import lm, toolkit
from harness.strategy import Strategy
from harness.types import Prediction, Prompt, Query


class Untuned(Strategy):
    """The task's model as it is, in the number format that the task asks for."""

    needs_model = True

    def load(self, artifact: Path) -> None:
        """Load the model; there is no artifact."""
        self.model = lm.open_weights(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer with the bare input as the prompt."""
        return toolkit.answer(self.model, [query.text for query in queries], self.context.task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
