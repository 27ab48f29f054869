"""Finding things: passages of documents by meaning and by words, and rows like a given one.

Knows nothing of tasks' data, metrics, models that write, or reports.
"""

from harness.retrieval.embedder import DEFAULT_EMBEDDER, Embedder
from harness.retrieval.passages import Passage, cut, sentences
from harness.retrieval.retriever import Hit, RetrievalParams, Retriever
from harness.retrieval.vectors import VectorIndex

__all__ = [
    "DEFAULT_EMBEDDER",
    "Embedder",
    "Hit",
    "Passage",
    "RetrievalParams",
    "Retriever",
    "VectorIndex",
    "cut",
    "sentences",
]
