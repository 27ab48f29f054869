"""Reranks passages with what reads question and passage together: a cross-encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.errors import ModelError, is_out_of_memory
from harness.files.hub import hub_failure
from harness.files.user_path import user_path
from harness.retrieval.chunking import Passage
from harness.types import Query

SCORING = "ForSequenceClassification"
"""The names of architectures that have a head for scores end like this."""


@dataclass(frozen=True)
class Hit:
    """A passage that was found."""

    passage: Passage
    score: float
    """Comparable only within one search."""


class Ranker(Protocol):
    """Whatever tells how well texts answer a question."""

    reads: int
    """Passages that it is worth having read for each question, or more if more are wanted."""

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return how well each text answers the query; higher is better."""


def reranked(ranker: Ranker, query: Query, hits: Sequence[Hit], k: int) -> list[Hit]:
    """Return the first hits in the order of the ranker, the best first.

    Args:
        ranker: has the last word.
        query: what they were found for.
        hits: the best first.
        k: how many are wanted; more may be returned.
    """
    read = [hit.passage for hit in hits[: max(ranker.reads, k)]]
    scores = ranker.scores(query.full_text, [passage.headed_text for passage in read])
    return sorted(map(Hit, read, scores), key=lambda hit: -hit.score)


class Reranker:
    """A sentence-transformers cross-encoder.

    Args:
        name: a folder or a hub id.
        device: "cpu" or "cuda".

    Raises:
        ModelError: it cannot be loaded, or was not trained to give a single score.
    """

    reads = 30

    def __init__(self, name: str, device: str = "cpu"):
        from sentence_transformers import CrossEncoder

        folder = user_path(name)
        try:
            self.model: Any = CrossEncoder(
                str(folder) if folder.is_dir() else name, device=device, trust_remote_code=False
            )
        except Exception as problem:  # its parts raise all sorts: no home, a proxy that is none
            if is_out_of_memory(problem):
                raise
            why = hub_failure(problem, "use a local folder")
            raise ModelError(f"reranking model '{name}' cannot be loaded: {why}") from problem

        if self._headless() or self.model.num_labels != 1:
            raise ModelError(
                f"reranking model '{name}' is no cross-encoder that gives one score"
                " → name one, e.g. cross-encoder/ms-marco-MiniLM-L6-v2"
            )

    def _headless(self) -> bool:
        """Tell whether the model came without a head, so that a random one was added."""
        if len(self.model) > 1:
            return False  # it came with modules of its own
        kinds = self.model.model.config.architectures or ()
        return not any(kind.endswith(SCORING) for kind in kinds)

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Return how well each text answers the query; higher is better."""
        pairs = [(query, text) for text in texts]
        return [float(score) for score in self.model.predict(pairs, show_progress_bar=False)]
