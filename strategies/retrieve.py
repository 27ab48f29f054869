"""Answer with the best passage's best sentence: what a search box does."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Self

from pydantic import model_validator

from harness import Estimate, Prediction, Prospect, Query, Split, Strategy, retrieval
from harness.strategy import OWN_MODEL
from harness.toolkit.selection import some
from harness.workload import Embedding

CITED = 10
"""Documents named as sources, the best first: as many as `recall_at_10` looks at."""


class Retrieve(Strategy):
    """Search the documents and answer with a sentence of theirs, word for word."""

    answers = frozenset({"text"})
    needs_corpus = True
    learns = "index"
    complexity = 1
    provides = frozenset({"citations", "per_user_data", "offline"})

    class Params(retrieval.RetrievalParams):
        """How passages are found."""

        @model_validator(mode="after")
        def _has_no_model(self) -> Self:
            if self.reranker == OWN_MODEL:
                raise ValueError("reranker: lm is the arm's own model, and it has none → leave out")
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows only where a weight is chosen."""
        return super().needs(params) | ({"validation"} if cls._chooses(params) else set())

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the index, the searches and the sentences of the passages found."""
        if params.reranker is not None:
            return Estimate()  # of a cross-encoder nothing is known before it is loaded
        passages, built, searched = retrieval.search_work(params, prospect)
        of_queries = zip(prospect.queries, cycle(passages), strict=False)
        read = [said for _, passage in of_queries for said in retrieval.sentences(passage)]
        return Estimate(fit=built, serve=(*searched, Embedding(read, params.embedder)))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index the documents, and weigh meaning and words if there are several weights."""
        context = self.context
        retriever = retrieval.Retriever.build(
            context.documents, self.params, context.device, context.note, context.log
        )
        rows = some(validation, retrieval.MOST_ROWS, context.seed)
        retrieval.choose_meaning_weight(retriever, rows, context.evidence, [1], context.note)
        retriever.save(artifact / "index")

    def load(self, artifact: Path) -> None:
        """Read the index and load the embedding model."""
        folder, context = artifact / "index", self.context
        self.retriever = retrieval.Retriever.load(folder, self.params, context.device, context.note)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer with the sentence nearest to the question in the passage that was found first."""
        found = self.retriever.search(queries, 4 * CITED)
        return [self._answer(query, hits) for query, hits in zip(queries, found, strict=True)]

    @classmethod
    def _chooses(cls, params: Params) -> bool:
        return params.weighs and len(params.meaning_weight) > 1

    def _answer(self, query: Query, hits: Sequence[retrieval.Hit]) -> Prediction:
        if not hits:
            return Prediction("", sources=())
        said = retrieval.sentences(hits[0].passage.text)
        embedder = self.retriever.embedder
        asked = embedder.embed([query.full_text], "query")[0]
        best = int((embedder.embed(said, "document") @ asked).argmax())
        cited = dict.fromkeys(hit.passage.document_id for hit in hits)
        return Prediction(said[best], sources=tuple(cited)[:CITED])
