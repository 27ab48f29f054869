"""Lexical search: BM25 (the library bm25s)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯฀-๿]|[^\W_぀-ヿ㐀-䶿一-鿿가-힯฀-๿]+")


class BM25Index:
    """Texts, searched by the words that they share with a query; rare words count most.

    BM25 as in Lucene, with k1 = 1.5 and b = 0.75 (Lù 2024, arXiv 2407.03618). Without stop words
    and stemming, which depend on the language.
    """

    def __init__(self, bm25: Any):
        self.bm25 = bm25

    @classmethod
    def build(cls, texts: Sequence[str]) -> BM25Index:
        """Index texts."""
        from bm25s import BM25

        bm25 = BM25()
        # bm25s cannot index a list of empty texts, e.g. of emoji alone; no query has the word "".
        bm25.index([words_of(text) or [""] for text in texts], show_progress=False)
        return cls(bm25)

    def scores(self, query: str) -> NDArray[np.float32]:
        """Return the score of every text, [n]; 0 for one that shares no word with the query."""
        known = [word for word in words_of(query) if word in self.bm25.vocab_dict]
        if not known:
            return np.zeros(self.bm25.scores["num_docs"], dtype=np.float32)
        return np.asarray(self.bm25.get_scores(known), dtype=np.float32)

    def save(self, folder: Path) -> None:
        """Write the index into a folder of its own."""
        self.bm25.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> BM25Index:
        """Read an index."""
        from bm25s import BM25

        return cls(BM25.load(str(folder), show_progress=False, allow_pickle=False))


def words_of(text: str) -> list[str]:
    """Return the words of a text in lower case; in scripts without spaces, the characters."""
    return [found.group() for found in _TOKEN.finditer(text.lower())]
