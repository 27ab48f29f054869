"""What building an index and searching it takes, for forecasts made before there is one."""

from __future__ import annotations

import random
from dataclasses import replace

from harness.retrieval.chunking import cut
from harness.retrieval.copies import without_copies
from harness.retrieval.params import RetrievalParams
from harness.workload import Embedding, Indexing, Prospect, Work


def search_work(
    params: RetrievalParams, prospect: Prospect
) -> tuple[list[str], tuple[Work, ...], tuple[Work, ...]]:
    """Declare, for a forecast, the work of building an index and of searching it.

    Args:
        params: how.
        prospect: as `Strategy.estimate` has it.

    Returns:
        The texts of the passages, the work of building, and the work of searching for all queries.
    """
    cuttings = cut(prospect.documents, params.passage_words, params.overlap_words)
    passages = without_copies(cuttings)
    texts = [passage.headed_text for passage in passages]
    index = Indexing(texts, params.embedder, params.hybrid)
    asked = Embedding([query.full_text for query in prospect.queries], params.embedder)
    return texts, (Embedding(texts, params.embedder), index), (replace(index, made=False), asked)


def any_passages(texts: list[str], count: int, seed: int) -> list[str]:
    """Return passages for a forecast, in place of those that a search will find."""
    return random.Random(seed).sample(texts, min(count, len(texts)))
