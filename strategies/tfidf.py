"""TF-IDF and logistic regression: the cheap thing that fine-tuning has to beat.

Words and word pairs, and character n-grams that survive typos; the strength of regularisation is
chosen on validation rows.
"""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import Field

import harness
from harness import Estimate, Prediction, Prospect, Query, Split, Strategy
from harness.errors import StrategyError
from harness.toolkit.selection import best_on_validation
from harness.workload import Computing


class TfIdf(Strategy):
    """Logistic regression over TF-IDF of words and character n-grams (scikit-learn)."""

    answers = frozenset({"choice"})
    needs_train = True
    learns = "weights"
    complexity = 1
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is tried on validation rows."""

        inverse_regularisation: list[float] = Field([1.0, 10.0, 100.0, 1000.0], min_length=1)
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
        """Fit one pipeline for each candidate and keep the best on validation."""
        best = best_on_validation(
            self.context,
            "C",
            {f"{c:g}": self._fitted(train, c) for c in self.params.inverse_regularisation},
            lambda pipeline: self._predict(pipeline, validation.queries),
            validation,
        )
        (artifact / "pipeline.pickle").write_bytes(pickle.dumps(best))

    def load(self, artifact: Path) -> None:
        """Read the fitted pipeline."""
        self.pipeline = pickle.loads((artifact / "pipeline.pickle").read_bytes())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        return self._predict(self.pipeline, queries)

    def _fitted(self, train: Split, inverse_regularisation: float) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        features = [TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)]
        if self.params.character_ngrams:
            features.append(
                TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
            )
        model = LogisticRegression(C=inverse_regularisation, max_iter=2000)
        pipeline = make_pipeline(make_union(*features), model)
        answers = [example.targets[0] for example in train]
        if len(set(answers)) < 2:
            raise StrategyError(f"all training rows answer '{answers[0]}' → add rows of others")
        return pipeline.fit([query.full_text for query in train.queries], answers)

    def _predict(self, pipeline: Any, queries: Sequence[Query]) -> list[Prediction]:
        if not queries:
            return []
        rows = pipeline.predict_log_proba([query.full_text for query in queries])
        labels = [str(label) for label in pipeline.classes_]
        return [
            Prediction(labels[row.argmax()], dict(zip(labels, map(float, row), strict=True)))
            for row in rows
        ]


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
