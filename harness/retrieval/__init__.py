"""Retrieval: passages of documents by meaning and by words, and rows similar to a given one.

Knows nothing of tasks' data, metrics, language models or reports.
"""

from harness.retrieval.chunking import Passage, count_words, cut, sentences
from harness.retrieval.contrastive import ContrastiveSettings, steps_of, tune_on_pairs
from harness.retrieval.embedder import DEFAULT_EMBEDDER, Embedder, Vectors
from harness.retrieval.fusion_weight import MOST_ROWS, choose_meaning_weight
from harness.retrieval.gold import gold_passage, is_gold
from harness.retrieval.nearest_rows import NearestNeighbours
from harness.retrieval.params import WEIGHTS, RetrievalParams
from harness.retrieval.rerank import Hit, Ranker
from harness.retrieval.retriever import Retriever
from harness.retrieval.search_work import any_passages, search_work
from harness.retrieval.tune_embedder import EncoderSettings, tune_encoder
from harness.retrieval.vector_index import VectorIndex

__all__ = [
    "DEFAULT_EMBEDDER",
    "MOST_ROWS",
    "WEIGHTS",
    "ContrastiveSettings",
    "Embedder",
    "EncoderSettings",
    "Hit",
    "NearestNeighbours",
    "Passage",
    "Ranker",
    "RetrievalParams",
    "Retriever",
    "VectorIndex",
    "Vectors",
    "any_passages",
    "choose_meaning_weight",
    "count_words",
    "cut",
    "gold_passage",
    "is_gold",
    "search_work",
    "sentences",
    "steps_of",
    "tune_encoder",
    "tune_on_pairs",
]
