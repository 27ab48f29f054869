"""What whoever searches documents may set."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

import harness
from harness.retrieval.embedder import DEFAULT_EMBEDDER
from harness.strategy import MODEL_NAME

Weight = Annotated[float, Field(ge=0, le=1)]
WEIGHTS = [0.5, 0.3, 0.7, 1.0]
"""Candidates for `meaning_weight`, the default first: from mostly words to meaning alone."""


class RetrievalParams(harness.Params):
    """Parameters of strategies that search documents."""

    embedder: harness.ModelName = DEFAULT_EMBEDDER
    """A sentence-transformers model: the built-in one, a folder or a hub id."""
    passage_words: int = Field(80, gt=0)
    """About 110 tokens of English: well within the 256 that all-MiniLM-L6-v2 reads at once."""
    overlap_words: int = Field(20, ge=0)
    hybrid: bool = True
    """Search by words (BM25) as well as by meaning."""
    fusion: Literal["scores", "ranks"] = "scores"
    """How a hybrid search fuses the two: the weighted mean of both scores, each as a share of its
    largest, or reciprocal ranks. On the SQuAD set of the benchmarks, scores found more."""
    meaning_weight: harness.Candidates[Weight] = Field([0.5])
    """Weight of meaning in that mean; words have the rest. Of several the first is kept unless
    another finds more of what labelled rows need, by more than a standard error (Bruch et al. 2023,
    arXiv 2210.11934: a few rows are enough). No model answers anything for that."""
    reranker: Annotated[str | None, Field(min_length=1), MODEL_NAME] = None
    """A cross-encoder (a folder or a hub id) that reranks the best passages; or `lm`: the arm's own
    model, by how likely each passage makes the question."""

    @property
    def weighs(self) -> bool:
        """Whether meaning and words are weighed at all."""
        return self.hybrid and self.fusion == "scores"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.overlap_words >= self.passage_words:
            raise ValueError(
                f"overlap_words ({self.overlap_words}) is not below passage_words"
                f" ({self.passage_words}), so a passage would hold nothing but the one before it"
                f" → write overlap_words: {self.passage_words // 4} or more passage_words"
            )
        if not self.hybrid:
            why = "hybrid: false, where nothing is fused"
            self.refuse_idle("fusion", "meaning_weight", why=why)
        if self.fusion == "ranks":
            why = "fusion: ranks, which knows no weights"
            self.refuse_idle("meaning_weight", why=why)
        return self
