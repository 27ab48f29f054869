"""Reranks passages by how likely a language model finds the question behind each.

Sachan et al. 2022 (arXiv 2204.07496, UPR): a passage that answers a question is one from which the
question could have been asked. No further model and no training are needed. Knows no corpus.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import StrategyError
from harness.lm.model import Model
from harness.types import Prompt, RunningText

ASKED = "Passage: {passage}\nA question that this passage answers:"


class QueryLikelihood:
    """A ranker over the arm's own model.

    Args:
        model: one that gives texts a likelihood.

    Raises:
        StrategyError: it gives none, as hosted models do.
    """

    reads = 10
    """A third of what a cross-encoder reads: a model that writes is larger."""

    def __init__(self, model: Model):
        if "log_likelihood" not in model.abilities:
            raise StrategyError(
                f"reranker: lm asks how likely '{model.ref.name}' finds a question, which its"
                " server does not say → name a cross-encoder, or leave reranker out"
            )
        self.model = model

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return log p(query | text) for each text; higher is better."""
        prompts = [self._prompt(text) for text in texts]
        return self.model.log_likelihood(prompts, [query] * len(texts))

    def _prompt(self, passage: str) -> Prompt:
        text = ASKED.format(passage=passage)
        return RunningText(text) if "running_text" in self.model.abilities else text
