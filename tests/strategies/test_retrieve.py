"""The search box: a sentence of the best passage, and as many sources as metrics look at."""

from __future__ import annotations

import numpy as np
from small_world import context

from harness import registry
from harness.metrics.sources import RECALL_DEPTHS
from harness.retrieval import Hit, Passage
from harness.types import Query


class Found:
    """A retriever that finds a passage of each of so many documents, and one of the best again."""

    def __init__(self, count):
        self.count = count
        self.embedder = self

    def search(self, queries, k):
        places = [0, *range(self.count)]
        hits = [Hit(Passage(f"d{n}", "", "", f"Line {n}. More."), -n) for n in places[:k]]
        return [hits for _ in queries]

    def embed(self, texts, role="text"):
        return np.eye(len(texts), 2, dtype=np.float32)


def test_as_many_documents_are_cited_as_the_deepest_recall_counts():
    retrieve = registry.find("retrieve")
    strategy = retrieve(retrieve.Params(), context())
    for count in (30, 3):
        strategy.retriever = Found(count)
        (answer,) = strategy.predict([Query("q", "What?")])
        assert answer.text == "Line 0."
        assert answer.sources == tuple(f"d{n}" for n in range(min(count, max(RECALL_DEPTHS))))
