"""Finds the training rows nearest to a query, by embedding."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import StrategyError
from harness.retrieval.embedder import Embedder, Vectors
from harness.retrieval.vector_index import VectorIndex
from harness.types import Example, Query


@dataclass(frozen=True)
class NearestNeighbours:
    """Rows, indexed by the embeddings of their inputs."""

    rows: tuple[Example, ...]
    vectors: VectorIndex
    embedder: Embedder

    @classmethod
    def build(
        cls, rows: Sequence[Example], embedder: Embedder, vectors: Vectors | None = None
    ) -> NearestNeighbours:
        """Index rows.

        Args:
            rows: at least one.
            embedder: what embeds them, and later queries.
            vectors: [rows, dimensions] of the same embedder, where they are there already.

        Raises:
            StrategyError: there are none.
        """
        if not rows:
            raise StrategyError("there is no training row that every asker may be shown")
        if vectors is None:
            vectors = embedder.embed([row.query.full_text for row in rows])
        return cls(tuple(rows), VectorIndex.build(vectors), embedder)

    def search(self, queries: Sequence[Query], k: int) -> list[list[tuple[Example, float]]]:
        """Find the rows nearest to each query.

        A row never finds itself: a row with the query's id and text is left out. An equal id alone
        proves nothing: rows and later questions may both be numbered from 1.

        Args:
            queries: one or many.
            k: how many rows at most.

        Returns:
            (row, cosine) for each query, the nearest first.
        """
        if not queries:
            return []
        vectors = self.embedder.embed([query.full_text for query in queries])
        places, cosines = self.vectors.search(vectors, k + 1)
        return [
            [
                (self.rows[place], cosine)
                for place, cosine in zip(found, row, strict=True)
                if place >= 0 and not _same(self.rows[place].query, query)
            ][:k]
            for query, found, row in zip(queries, places.tolist(), cosines.tolist(), strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write rows and vectors into a folder; the embedding model is named, not copied."""
        folder.mkdir(exist_ok=True)
        self.vectors.save(folder / "vectors.faiss")
        with (folder / "rows.jsonl").open("w", encoding="utf-8") as stream:
            for row in self.rows:
                stream.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> NearestNeighbours:
        """Read rows and vectors that were embedded with the same model."""
        with (folder / "rows.jsonl").open(encoding="utf-8") as stream:
            rows = [json.loads(line) for line in stream]
        examples = (Example(Query.from_row(r["query"]), tuple(r["targets"])) for r in rows)
        return cls(tuple(examples), VectorIndex.load(folder / "vectors.faiss"), embedder)


def _same(row: Query, query: Query) -> bool:
    return row.id == query.id and row.text == query.text
