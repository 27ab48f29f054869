"""Questions of SQuAD 2.0 (Rajpurkar et al. 2018, arXiv 1806.03822) and the documents they are on.

The data lie beside the project and are not part of it. Knows nothing of how anything is found.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.public_sets import rows
from harness.types import Document, Query

SET = "squad"
SEED = 0


@dataclass(frozen=True)
class Search:
    """Questions, for each the id of the document that answers it, and all documents."""

    queries: list[Query]
    right: list[str]
    documents: list[Document]


def search(questions: int, documents: int) -> Search:
    """Return questions, drawn at random, and their documents with others up to a number.

    Args:
        questions: how many; all where there are fewer.
        documents: how many at least; those of the questions are always among them.
    """
    draw = random.Random(SEED)
    asked = rows(SET, "test.jsonl")
    asked = draw.sample(asked, min(questions, len(asked)))
    right = [row["doc_id"] for row in asked]
    corpus = [Document(row["id"], row["title"], row["text"]) for row in rows(SET, "corpus.jsonl")]
    needed = set(right)
    others = [document.id for document in corpus if document.id not in needed]
    kept = needed | set(draw.sample(others, min(max(documents - len(needed), 0), len(others))))
    return Search(
        [Query(row["id"], row["input"]) for row in asked],
        right,
        [document for document in corpus if document.id in kept],
    )


def document_recall(found: Sequence[Sequence[str]], right: Sequence[str], k: int) -> float:
    """Return the share of questions whose document is among the first k that were found.

    Args:
        found: for each question the documents of the passages found, the best first, with repeats.
        right: for each question its document.
        k: how many different documents count.
    """
    hits = [own in list(dict.fromkeys(ids))[:k] for ids, own in zip(found, right, strict=True)]
    return sum(hits) / len(hits)
