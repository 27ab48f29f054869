"""TF-IDF of words and characters: learnt from texts, computed of texts, kept as arrays and JSON.

Words and word pairs, and character n-grams that survive typos. Knows nothing of labels.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import numpy as np

from harness.errors import StrategyError

VECTORISERS: dict[str, dict[str, Any]] = {
    "words": {"ngram_range": (1, 2), "sublinear_tf": True},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
}
"""Settings of scikit-learn's TfidfVectorizer for each kind of feature."""
CHARACTERS_TOO = "write character_ngrams: true"


class WordFeatures:
    """What TfidfVectorizers have learnt, by the kind of feature."""

    def __init__(self, vectorisers: dict[str, Any]):
        self.vectorisers = vectorisers

    @classmethod
    def learnt(
        cls,
        texts: Sequence[str],
        character_ngrams: bool = True,
        note: Callable[[str, str], None] = lambda kind, text: None,
    ) -> Self:
        """Learn each kind of feature that the texts have: some hold no word of two letters.

        Args:
            texts: of the training rows.
            character_ngrams: whether characters count beside words.
            note: is told where there are no words.

        Raises:
            StrategyError: they have none.
        """
        found = {}
        for name in ("words", "characters") if character_ngrams else ("words",):
            kind = _vectoriser(name)
            analyse = kind.build_analyzer()
            if any(analyse(text) for text in texts):
                found[name] = kind.fit(texts)
        if not found:
            remedy = "give the rows text" if character_ngrams else CHARACTERS_TOO
            raise StrategyError(f"no training row has a word of two letters → {remedy}")
        if "words" not in found:
            note("features", "no training row has a word of two letters")
        return cls(found)

    def of(self, texts: Sequence[str]) -> Any:
        """Return the features of each text, sparse, [texts, terms]."""
        from scipy.sparse import csr_array, hstack

        if not texts:
            return csr_array((0, 0))
        return hstack([kind.transform(texts) for kind in self.vectorisers.values()], format="csr")

    def save(self, folder: Path) -> None:
        """Write what was learnt: terms to `.json`, their weights to `.npz`, a pair a kind."""
        for name, kind in self.vectorisers.items():
            terms = sorted(kind.vocabulary_, key=kind.vocabulary_.__getitem__)
            (folder / f"{name}.json").write_text(json.dumps(terms, ensure_ascii=False))
            np.savez(folder / f"{name}.npz", idf=kind.idf_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        found = {}
        for name in VECTORISERS:
            if (folder / f"{name}.json").is_file():
                terms = json.loads((folder / f"{name}.json").read_text())
                places = {term: place for place, term in enumerate(terms)}
                found[name] = _vectoriser(name, vocabulary=places)
                with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
                    found[name].idf_ = arrays["idf"]
        return cls(found)


def _vectoriser(name: str, **learnt: Any) -> Any:
    """Return scikit-learn's TfidfVectorizer for one kind of feature."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(**VECTORISERS[name], **learnt)


def terms(text: str, character_ngrams: bool = True) -> set[str]:
    """Return about the words, word pairs and character n-grams that the vectorisers find."""
    words = text.split()
    found = {*words, *map(" ".join, pairwise(words))}
    if character_ngrams:
        padded = [f" {word} " for word in words]
        found |= {
            word[i : i + n] for word in padded for n in (2, 3, 4, 5) for i in range(len(word) - 1)
        }
    return found
