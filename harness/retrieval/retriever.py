"""Finds the passages of a corpus that a question needs, by meaning and by words."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.errors import StrategyError
from harness.retrieval.bm25_index import BM25Index
from harness.retrieval.chunking import Passage, cut
from harness.retrieval.copies import first_of_each, numbered_by_content, without_copies
from harness.retrieval.embedder import Embedder, Vectors
from harness.retrieval.fusion import convex_combination, reciprocal_rank_fusion
from harness.retrieval.params import RetrievalParams
from harness.retrieval.rerank import Hit, Ranker, Reranker, reranked
from harness.retrieval.vector_index import VectorIndex, index_bytes
from harness.strategy import OWN_MODEL
from harness.types import Document, Query

Places = NDArray[np.int64]

BREADTH = 100
"""Passages that each search hands to the fusion (as many as in Cormack et al. 2009)."""


class Retriever:
    """An index over passages: vectors, and BM25 if it is hybrid."""

    reranker: Ranker | None
    """Has the last word on what is found. With `reranker: lm` whoever searches sets it."""

    def __init__(
        self,
        passages: Sequence[Passage],
        vectors: VectorIndex,
        words: BM25Index | None,
        params: RetrievalParams,
        embedder: Embedder,
        device: str,
    ):
        self.passages = passages
        self.vectors = vectors
        self.words = words
        self.embedder = embedder
        self.params = params
        self.meaning_weight = params.meaning_weight[0]
        named = None if params.reranker == OWN_MODEL else params.reranker
        self.reranker = Reranker(named, device) if named else None

    @classmethod
    def build(
        cls,
        documents: Sequence[Document],
        params: RetrievalParams,
        device: str,
        note: Callable[[str, str], None],
        log: Callable[..., None],
    ) -> Retriever:
        """Cut, embed and index documents.

        Args:
            documents: the corpus.
            params: how.
            device: "cpu" or "cuda", for the embedding model.
            note: receives what was built, and how many texts are too long for the embedding model.
            log: receives `embedded=` and `passages=` now and then.

        Raises:
            StrategyError: the documents hold no text.
        """
        whole = cut(documents, params.passage_words, params.overlap_words)
        passages = without_copies(whole)
        if not passages:
            raise StrategyError("the documents hold no text to search → check `data.corpus`")
        embedder = Embedder(params.embedder, device, note)
        texts = [passage.headed_text for passage in passages]
        vectors = VectorIndex.build(
            embedder.embed(texts, "document", lambda done, of: log(embedded=done, passages=of))
        )
        copies = len(whole) - len(passages)
        kib = index_bytes(vectors.n, embedder.dimensions, vectors.kind) / 2**10
        note(
            "index",
            f"{len(passages):,} passages of {len(documents):,} documents"
            + (f" ({copies:,} copies left out)" if copies else "")
            + f", {vectors.kind} vectors ({kib:,.0f} KiB)",
        )
        words = BM25Index.build(texts) if params.hybrid else None
        return cls(passages, vectors, words, params, embedder, device)

    def search(self, queries: Sequence[Query], k: int, *, rerank: bool = True) -> list[list[Hit]]:
        """Find the best passages for each query, by its text and its visible fields.

        Passages that the query's groups may not read are left out before the search, and of copies
        all but one. A row never retrieves itself: passages with exactly the query's text are left
        out, and so is a document with the query's id that begins with this text.

        Args:
            queries: one or many.
            k: how many passages at most.
            rerank: whether the reranker, if there is one, has the last word.
        """
        return self.search_embedded(queries, self.embedded(queries), k, rerank=rerank)

    def embedded(self, queries: Sequence[Query]) -> Vectors:
        """Return the queries' vectors, [queries, dimensions]."""
        texts = [query.full_text for query in queries]
        return self.embedder.embed(texts, "query") if texts else np.empty((0, 0), np.float32)

    def search_embedded(
        self, queries: Sequence[Query], vectors: Vectors, k: int, *, rerank: bool = True
    ) -> list[list[Hit]]:
        """Find as `search` does, for whoever searches for the same queries in several ways.

        Args:
            queries: one or many.
            vectors: as `embedded` gives them for these.
            k: how many passages at most.
            rerank: as for `search`.
        """
        found = [
            self._search(query, vector, k) for query, vector in zip(queries, vectors, strict=True)
        ]
        if rerank and self.reranker is not None:
            asked = zip(queries, found, strict=True)
            found = [reranked(self.reranker, query, hits, k) for query, hits in asked]
        return [hits[:k] for hits in found]

    def save(self, folder: Path) -> None:
        """Write the index into a folder; the embedding model is named, not copied."""
        folder.mkdir(exist_ok=True)
        self.vectors.save(folder / "vectors.faiss")
        (folder / "fusion.json").write_text(json.dumps({"meaning_weight": self.meaning_weight}))
        if self.words is not None:
            self.words.save(folder / "words")
        with (folder / "passages.jsonl").open("w", encoding="utf-8") as stream:
            for passage in self.passages:
                stream.write(json.dumps(asdict(passage), ensure_ascii=False) + "\n")

    @classmethod
    def load(
        cls,
        folder: Path,
        params: RetrievalParams,
        device: str,
        note: Callable[[str, str], None] | None = None,
    ) -> Retriever:
        """Read an index that was saved with the same parameters.

        Args:
            folder: what was saved.
            params: as it was built with.
            device: "cpu" or "cuda", for the embedding model.
            note: receives how many queries are too long for the embedding model.
        """
        with (folder / "passages.jsonl").open(encoding="utf-8") as stream:
            rows = map(json.loads, stream)
            passages = [
                Passage(**{**row, "allow": _groups(row["allow"]), "copies": tuple(row["copies"])})
                for row in rows
            ]
        words = BM25Index.load(folder / "words") if params.hybrid else None
        vectors = VectorIndex.load(folder / "vectors.faiss")
        embedder = Embedder(params.embedder, device, note)
        loaded = cls(passages, vectors, words, params, embedder, device)
        loaded.meaning_weight = json.loads((folder / "fusion.json").read_text())["meaning_weight"]
        return loaded

    def _search(self, query: Query, vector: Vectors, k: int) -> list[Hit]:
        allowed = self._allowed(query)
        places, cosines = self.vectors.search(vector[None], max(BREADTH, k), allowed)
        by_meaning = places[0][places[0] >= 0]
        found = list(zip(by_meaning.tolist(), cosines[0].tolist(), strict=False))
        if self.words is not None:
            scores = self.words.scores(query.full_text)
            if allowed is not None:
                scores = np.where(allowed, scores, 0)
            ranked = np.argsort(-scores, kind="stable")[: max(BREADTH, k)]
            by_words = ranked[scores[ranked] > 0]
            found = self._fused(vector, by_meaning, by_words, scores)
        return [Hit(self.passages[place], score) for place, score in found]

    def _fused(
        self, vector: Vectors, by_meaning: Places, by_words: Places, word_scores: Vectors
    ) -> list[tuple[int, float]]:
        """Fuse two rankings into (place, score), the best first."""
        if self.params.fusion == "ranks":
            return reciprocal_rank_fusion([by_words.tolist(), by_meaning.tolist()])
        union = np.union1d(by_meaning, by_words)
        cosines = self.vectors.cosines(vector, union)
        scores = convex_combination(word_scores[union], cosines, self.meaning_weight)
        order = np.argsort(-scores, kind="stable")
        return [(int(union[place]), float(scores[place])) for place in order]

    def _allowed(self, query: Query) -> NDArray[np.bool_] | None:
        """Return which passages the query may be shown, [passages] of bool; None: all.

        Copies that are left in the index are for different groups: where any group's passages are
        shown, one of each content is.
        """
        own = self._places_of_row(query) + self._places_of_words(query.text)
        if self._open.all() and not own:
            return None
        allowed = self._open.copy()
        for group in query.groups:
            allowed[self._places_by_group.get(group, [])] = True
        allowed[own] = False
        return first_of_each(allowed, self._contents) if query.groups else allowed

    def _places_of_row(self, query: Query) -> list[int]:
        """Return the places of the document that has the query's id, if it begins with the query.

        An equal id alone proves nothing: documents and questions may both be numbered from 1. For
        a query of several passages, all but the last must stand there: the last one may continue
        with text of the document. Their order is not asked: a passage may be another's copy.
        """
        places, parts = self._places_by_id.get(query.id, []), self._parts(query.text)
        if not parts or len(parts) > len(places):
            return []
        *whole, last = parts
        texts = {_folded(self.passages[place].text) for place in places}
        begins = texts.issuperset(whole) and (
            bool(whole) or any(text.startswith(last) for text in texts)
        )
        return places if begins else []

    def _places_of_words(self, text: str) -> list[int]:
        return [
            place for part in self._parts(text) for place in self._places_by_words.get(part, [])
        ]

    def _parts(self, text: str) -> list[str]:
        """Return the passages of a text, folded, as the index would hold them."""
        row = Document("", "", text)
        parts = cut([row], self.params.passage_words, self.params.overlap_words)
        return [_folded(part.text) for part in parts]

    @cached_property
    def _open(self) -> NDArray[np.bool_]:
        """Which passages everybody may read, [passages]."""
        return np.array([passage.allow is None for passage in self.passages])

    @cached_property
    def _contents(self) -> NDArray[np.int64]:
        """A number for what each passage says, [passages]."""
        return numbered_by_content(self.passages)

    @cached_property
    def _places_by_group(self) -> dict[str, list[int]]:
        return _places(
            (group, place)
            for place, passage in enumerate(self.passages)
            for group in passage.allow or ()
        )

    @cached_property
    def _places_by_id(self) -> dict[str, list[int]]:
        return _places(
            (name, place)
            for place, passage in enumerate(self.passages)
            for name in (passage.document_id, *passage.copies)
        )

    @cached_property
    def _places_by_words(self) -> dict[str, list[int]]:
        return _places((_folded(p.text), place) for place, p in enumerate(self.passages))


def _groups(value: list[str] | None) -> tuple[str, ...] | None:
    return None if value is None else tuple(value)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _places(pairs: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    places: dict[str, list[int]] = defaultdict(list)
    for key, place in pairs:
        places[key].append(place)
    return dict(places)
