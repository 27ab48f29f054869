"""Retrieval: passages of documents by meaning and by words, and rows similar to a given one.

Knows nothing of tasks' data, metrics, language models or reports.
"""

from harness.retrieval.chunking import Passage, cut, sentences
from harness.retrieval.embedder import DEFAULT_EMBEDDER, Embedder, Vectors
from harness.retrieval.nearest_rows import NearestNeighbours
from harness.retrieval.retriever import (
    Hit,
    RetrievalParams,
    Retriever,
    any_passages,
    search_work,
)
from harness.retrieval.tune_embedder import EncoderSettings, tune_encoder
from harness.retrieval.vector_index import VectorIndex

__all__ = [
    "DEFAULT_EMBEDDER",
    "Embedder",
    "EncoderSettings",
    "Hit",
    "NearestNeighbours",
    "Passage",
    "RetrievalParams",
    "Retriever",
    "VectorIndex",
    "Vectors",
    "any_passages",
    "cut",
    "search_work",
    "sentences",
    "tune_encoder",
]
