"""Ask the model as it is: instruction, list of labels, input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import Estimate, Prediction, Prompt, Prospect, Query, Strategy, lm, toolkit
from harness.toolkit.prompts import full_prompt
from harness.workload import Answering


class ZeroShot(Strategy):
    """Prompt with the instruction and, for a choice, the labels and what they mean."""

    answers = frozenset({"choice", "text", "json"})
    needs_model = True
    complexity = 1
    provides = frozenset({"per_user_data", "offline"})

    @classmethod
    def estimate(cls, params: Any, prospect: Prospect) -> Estimate:
        """Declare the prompts."""
        task = prospect.task
        prompts = [full_prompt(task, query) for query in prospect.queries]
        return Estimate(fit=(), serve=(Answering(prompts, task),))

    def load(self, artifact: Path) -> None:
        """Load the model."""
        self.model = lm.open_model(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the instruction alone."""
        task = self.context.task
        return toolkit.answer(self.model, [full_prompt(task, query) for query in queries], task)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)
