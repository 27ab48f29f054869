"""TF-IDF and logistic regression: the cheap thing that fine-tuning has to beat.

Words and word pairs, and character n-grams that survive typos; the strength of regularisation is
chosen on validation rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field, PositiveFloat

import harness
from harness import Candidates, Estimate, Prediction, Prospect, Query, Split, Strategy, toolkit
from harness.errors import StrategyError
from harness.toolkit.selection import best_on_validation
from harness.workload import Computing

VECTORISERS: dict[str, dict[str, Any]] = {
    "words": {"ngram_range": (1, 2), "sublinear_tf": True},
    "characters": {"analyzer": "char_wb", "ngram_range": (2, 5), "sublinear_tf": True},
}
"""Settings of scikit-learn's TfidfVectorizer for each kind of feature."""
CHARACTERS_TOO = "write character_ngrams: true"


class TfIdf(Strategy):
    """Logistic regression over TF-IDF of words and character n-grams (scikit-learn)."""

    answers = frozenset({"choice"})
    needs_train = True
    learns = "weights"
    complexity = 1
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is tried on validation rows."""

        inverse_regularisation: Candidates[PositiveFloat] = Field([1.0, 10.0, 100.0, 1000.0])
        """Candidates for scikit-learn's C; the best on validation is kept, the first of equals."""
        character_ngrams: bool = True

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the features of the training rows, and the fits over them.

        L-BFGS keeps 26 vectors of the coefficients' length (SciPy's `lbfgs`, ten corrections).
        """
        texts = [query.full_text.lower() for query in prospect.train.queries]
        counts = [len(features(text, params.character_ngrams)) for text in texts]
        distinct = len(set().union(*(features(t, params.character_ngrams) for t in texts)))
        labels = len({example.targets[0] for example in prospect.train}) or 1
        fits = len(params.inverse_regularisation)
        model_bytes = distinct * (8 * labels + 150)  # coefficients, and a dictionary's entry
        pass_s = 4e-9 * sum(counts) * labels + 2e-8 * distinct * labels
        libraries = frozenset({"sklearn"})
        fitting = Computing(
            26 * 8 * distinct * labels + fits * model_bytes,
            (20 * fits * pass_s, 400 * fits * pass_s),
            libraries,
        )
        reading = 2e-6 * sum(len(query.text) for query in prospect.queries)
        return Estimate(
            fit=(fitting,), serve=(Computing(model_bytes, (reading, 10 * reading), libraries),)
        )

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Fit a classifier for each candidate on the same features, keep the best on validation."""
        self.vectorisers = self._learnt([query.full_text for query in train.queries])
        rows, seen = self._vectors(train.queries), self._vectors(validation.queries)
        answers = [example.targets[0] for example in train]
        best = best_on_validation(
            self.context,
            "C",
            {
                f"{c:g}": toolkit.fit_classifier(rows, answers, c)
                for c in self.params.inverse_regularisation
            },
            lambda fitted: toolkit.classified(fitted, seen),
            validation,
        )
        toolkit.save_classifier(best, artifact / "classifier")
        for name, kind in self.vectorisers.items():
            save_vectoriser(kind, artifact / name)

    def load(self, artifact: Path) -> None:
        """Read the classifier and what its features rest on."""
        self.classifier = toolkit.load_classifier(artifact / "classifier")
        self.vectorisers = {
            name: load_vectoriser(name, artifact / name)
            for name in VECTORISERS
            if (artifact / f"{name}.json").is_file()
        }

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        return toolkit.classified(self.classifier, self._vectors(queries))

    def _learnt(self, texts: Sequence[str]) -> dict[str, Any]:
        """Return each kind of feature that the texts have: some hold no word of two letters.

        Raises:
            StrategyError: they have none.
        """
        found = {}
        for name in ("words", "characters") if self.params.character_ngrams else ("words",):
            kind = vectoriser(name)
            analyse = kind.build_analyzer()
            if any(analyse(text) for text in texts):
                found[name] = kind.fit(texts)
        if not found:
            remedy = "give the rows text" if self.params.character_ngrams else CHARACTERS_TOO
            raise StrategyError(f"no training row has a word of two letters → {remedy}")
        if "words" not in found:
            self.context.note("features", "no training row has a word of two letters")
        return found

    def _vectors(self, queries: Sequence[Query]) -> Any:
        """Return the features of each query, sparse, [queries, terms]."""
        from scipy.sparse import csr_array, hstack

        if not queries:
            return csr_array((0, 0))
        texts = [query.full_text for query in queries]
        return hstack([kind.transform(texts) for kind in self.vectorisers.values()], format="csr")


def vectoriser(name: str, **learnt: Any) -> Any:
    """Return scikit-learn's TfidfVectorizer for one kind of feature."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(**VECTORISERS[name], **learnt)


def save_vectoriser(fitted: Any, file: Path) -> None:
    """Write what a vectoriser has learnt: its terms to `.json`, their weights to `.npz`."""
    terms = sorted(fitted.vocabulary_, key=fitted.vocabulary_.__getitem__)
    file.with_suffix(".json").write_text(json.dumps(terms, ensure_ascii=False))
    np.savez(file.with_suffix(".npz"), idf=fitted.idf_)


def load_vectoriser(name: str, file: Path) -> Any:
    """Read what `save_vectoriser` wrote."""
    terms = json.loads(file.with_suffix(".json").read_text())
    fitted = vectoriser(name, vocabulary={term: place for place, term in enumerate(terms)})
    with np.load(file.with_suffix(".npz"), allow_pickle=False) as arrays:
        fitted.idf_ = arrays["idf"]
    return fitted


def features(text: str, character_ngrams: bool) -> set[str]:
    """Return about the words, word pairs and character n-grams that the vectorisers find."""
    words = text.split()
    found = {*words, *map(" ".join, pairwise(words))}
    if character_ngrams:
        padded = [f" {word} " for word in words]
        found |= {
            word[i : i + n] for word in padded for n in (2, 3, 4, 5) for i in range(len(word) - 1)
        }
    return found
