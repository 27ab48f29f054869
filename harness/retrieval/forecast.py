"""Says for a forecast what indexing and searching a corpus are going to do."""

from __future__ import annotations

import random
from dataclasses import replace

from harness.retrieval.chunking import cut
from harness.retrieval.retriever import RetrievalParams
from harness.workload import Embedding, Indexing, Prospect, Work


def search_work(
    params: RetrievalParams, prospect: Prospect
) -> tuple[list[str], tuple[Work, ...], tuple[Work, ...]]:
    """Say for a forecast what building an index and searching it do.

    Args:
        params: how.
        prospect: as `Strategy.estimate` has it.

    Returns:
        The passages, the work of building, and that of searching for every query.
    """
    passages = cut(prospect.documents, params.passage_words, params.overlap_words)
    texts = [passage.headed_text for passage in passages]
    index = Indexing(texts, params.embedder, params.hybrid)
    asked = Embedding([query.full_text for query in prospect.queries], params.embedder)
    return texts, (Embedding(texts, params.embedder), index), (replace(index, made=False), asked)


def any_passages(texts: list[str], count: int, seed: int) -> list[str]:
    """Return passages that stand for those a search will find: of the same lengths on average."""
    return random.Random(seed).sample(texts, min(count, len(texts)))
