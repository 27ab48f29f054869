"""How much retrieval finds, and what an index of many vectors costs.

Texts: the documents of SQuAD questions by words alone, by meaning alone, and by both together.
Vectors: a million of 384 dimensions in the index that the retriever takes for so many, and fewer in
each index that is not exact; in clusters, as texts lie. No peer.
"""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.measure import Measurement, measured, peak_rss_bytes
from benchmarks.sides import Sides
from benchmarks.squad import document_recall, search
from harness.retrieval import DEFAULT_EMBEDDER, RetrievalParams, Retriever, VectorIndex
from harness.retrieval.embedder import Vectors
from harness.retrieval.vector_index import Kind, building_bytes, index_bytes, kind_for
from harness.types import Query

PACKAGES = ()
MODEL = DEFAULT_EMBEDDER
QUESTIONS, DOCUMENTS = 10_000, 10_000  # all there are
QUICK_QUESTIONS, QUICK_DOCUMENTS = 150, 250
PASSAGES = 20
"""Passages that are looked at for the first five documents."""
DIMENSIONS = 384
MANY, FEWER = 1_000_000, 100_000
QUICK_MANY, QUICK_FEWER = 100_000, 20_000
CLUSTER = 100
"""Vectors around one centre; as far from it, in each direction, as centres are from each other."""
NEAREST = 10
QUERIES = 500
ROWS_AT_ONCE = 10_000


def run(sides: Sides) -> dict[str, Any]:
    """Measure texts, then vectors; there is no other side."""
    quick = sides.quick
    texts = sides.run(
        ours,
        questions=QUICK_QUESTIONS if quick else QUESTIONS,
        documents=QUICK_DOCUMENTS if quick else DOCUMENTS,
        device=sides.device,
    )
    for way, recall in texts.values["document_recall"].items():
        sides.say(f"{way}: recall@1 {recall['at_1']:.3f}, recall@5 {recall['at_5']:.3f}")
    many, fewer = (QUICK_MANY, QUICK_FEWER) if quick else (MANY, FEWER)
    indexes = []
    for n, kind in ((many, kind_for(many)), (fewer, "hnsw"), (fewer, "ivf")):
        side = sides.run(indexed, n=n, kind=kind)
        indexes.append({**side.values, "peak_rss_bytes": side.peak_rss_bytes})
        sides.say(
            f"{n:,} vectors, {kind}: recall@{NEAREST} {side.values['recall']:.3f},"
            f" {side.values['queries_per_s']:,.0f} queries/s, index"
            f" {side.values['index_bytes'] / 2**20:,.0f} MiB; grew by"
            f" {side.values['grown_bytes'] / 2**20:,.0f} MiB, predicted"
            f" {side.values['predicted_bytes'] / 2**20:,.0f}"
        )
    return {
        "ours_s": None,
        "peer_s": None,
        "ratio": None,
        "ours_peak_rss_bytes": max(texts.peak_rss_bytes, *(i["peak_rss_bytes"] for i in indexes)),
        "peer_peak_rss_bytes": None,
        "peer_settings": None,
        **texts.values,
        "indexes": indexes,
    }


def ours(questions: int, documents: int, device: str) -> tuple[Measurement, dict[str, Any]]:
    """Index documents and search them in four ways; the index's building is timed."""
    work = search(questions, documents)
    params = RetrievalParams()
    retriever, measurement = measured(
        lambda: Retriever.build(work.documents, params, device, lambda *_: None, lambda **_: None)
    )
    found = {"words": by_words(retriever, work.queries)}
    for way, changes in {
        "meaning": {"hybrid": False},
        "hybrid by scores": {"fusion": "scores"},
        "hybrid by ranks": {"fusion": "ranks"},
    }.items():
        found[way] = by_retriever(
            retriever, params.model_copy(update=changes), work.queries, device
        )
    return measurement, {
        "questions": len(work.queries),
        "documents": len(work.documents),
        "passages": len(retriever.passages),
        "build_s": measurement["wall_s"],
        "document_recall": {
            way: {f"at_{k}": document_recall(ids, work.right, k) for k in (1, 5)}
            for way, ids in found.items()
        },
    }


def by_words(retriever: Retriever, queries: list[Query]) -> list[list[str]]:
    """Return the documents of the best passages by words alone."""
    assert retriever.words is not None
    best = (
        np.argsort(-retriever.words.scores(query.text), kind="stable")[:PASSAGES]
        for query in queries
    )
    return [[retriever.passages[place].document_id for place in places] for places in best]


def by_retriever(
    built: Retriever, params: RetrievalParams, queries: list[Query], device: str
) -> list[list[str]]:
    """Return the documents of the best passages as a retriever with these parameters finds them."""
    words = built.words if params.hybrid else None
    retriever = Retriever(built.passages, built.vectors, words, params, built.embedder, device)
    return [
        [hit.passage.document_id for hit in hits] for hits in retriever.search(queries, PASSAGES)
    ]


def indexed(n: int, kind: Kind) -> tuple[Measurement, dict[str, Any]]:
    """Index random vectors and search them one query at a time; both are timed together."""
    import faiss

    vectors, queries = drawn(n, QUERIES)
    before_bytes = peak_rss_bytes()

    def work() -> tuple[VectorIndex, float, list[Any]]:
        start = perf_counter()
        index = VectorIndex.build(vectors, kind)
        build_s = perf_counter() - start
        return index, build_s, [index.search(query[None], NEAREST)[0][0] for query in queries]

    (_, build_s, found), measurement = measured(work)
    _, right = faiss.knn(queries, vectors, NEAREST, faiss.METRIC_INNER_PRODUCT)
    shared = [len(set(a) & set(b)) for a, b in zip(found, right, strict=True)]
    return measurement, {
        "n": n,
        "kind": kind,
        "build_s": build_s,
        "queries_per_s": QUERIES / (measurement["wall_s"] - build_s),
        "recall": sum(shared) / (NEAREST * QUERIES),
        "index_bytes": index_bytes(n, DIMENSIONS, kind),
        "predicted_bytes": index_bytes(n, DIMENSIONS, kind)
        + building_bytes(n, DIMENSIONS, kind)
        - vectors.nbytes,
        "grown_bytes": measurement["peak_rss_bytes"] - before_bytes,
        "vectors_bytes": vectors.nbytes,
    }


def drawn(n: int, queries: int) -> tuple[Vectors, Vectors]:
    """Draw vectors of length one in clusters, and queries like them.

    With no more memory than they take.
    """
    draw = np.random.default_rng(0)
    centres = draw.standard_normal((n // CLUSTER + 1, DIMENSIONS), dtype=np.float32)
    vectors = np.empty((n + queries, DIMENSIONS), dtype=np.float32)
    for start in range(0, len(vectors), ROWS_AT_ONCE):
        rows = vectors[start : start + ROWS_AT_ONCE]
        draw.standard_normal(out=rows, dtype=np.float32)
        rows += centres[draw.integers(len(centres), size=len(rows))]
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return vectors[:n], vectors[n:]
