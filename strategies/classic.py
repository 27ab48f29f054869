"""The best that linear classifiers do without a language model: words, sentence vectors, or both.

What is looked at and how strongly it is regularised is chosen by folds over all labelled rows,
validation rows included; then all of them are learnt from. What the task says of its labels is
learnt from too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, PositiveFloat

import harness
from harness import (
    Candidates,
    Estimate,
    Prediction,
    Prospect,
    Query,
    Split,
    Strategy,
    retrieval,
    search,
)
from harness.toolkit.feature_search import MOST_ROWS, Features, Found, Rows, Space, best_mix
from harness.toolkit.label_texts import label_texts
from harness.toolkit.selection import learnable
from harness.toolkit.text_classifier import TextClassifier
from harness.toolkit.word_features import terms
from harness.workload import Computing, Embedding


class Classic(Strategy):
    """TF-IDF, sentence vectors, their union or their vote under logistic regression, by k-fold."""

    answers = frozenset({"choice"})
    needs_train = True
    learns = "weights"
    complexity = 2
    family = "classic"
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is tried on folds of the labelled rows."""

        features: Candidates[Features] = Field(["words", "vectors", "union", "vote"])
        """Candidates, the cheapest first; the best is kept, the first of equals."""
        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """A sentence-transformers model: the built-in one, a folder or a hub id."""
        inverse_regularisation: Candidates[PositiveFloat] = Field(
            [1.0, 10.0, 100.0, 1000.0, 10000.0]
        )
        """Candidates for scikit-learn's C."""
        vector_weight: Candidates[PositiveFloat] = Field([1.0, 2.0])
        """For `union`: candidates for the length of sentence vectors beside words'."""
        folds: int = Field(5, ge=2)
        """At the most; fewer where the label in the middle has fewer rows."""
        description_rows: int = Field(3, ge=0, json_schema_extra=search([3, 0, 10]))
        """How many rows the name and description of a label count as."""

    @classmethod
    def is_random(cls, params: Params) -> bool:
        """Give the same seed the same folds; the classifier itself is found exactly."""
        return False

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows."""
        return True

    @classmethod
    def models(cls, params: Params) -> tuple[str, ...]:
        """Use an embedder unless words alone are looked at."""
        return () if params.features == ["words"] else (params.embedder,)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the reading of rows and queries, and the fits of folds and candidates."""
        rows = [*prospect.train, *prospect.validation]
        texts = [row.query.full_text for row in rows]
        described = label_texts(prospect.task.labels) if params.description_rows else []
        libraries = frozenset({"sklearn"})
        fits = params.folds * len(params.inverse_regularisation) * (2 + len(params.vector_weight))
        n, labels = len(rows), len(prospect.task.labels) or 1
        distinct = len(set().union(*(terms(text.lower()) for text in texts)))
        compared = min(n, MOST_ROWS)
        # A fit takes 10 to 60 passes over a square of the rows; its eigenvectors 10 n³ operations.
        fit_s = fits * compared**2 * labels * 4 / 2e9 + params.folds * 4 * 10 * compared**3 / 2e10
        peak = 8 * distinct * labels * 4 + 8 * 4 * compared**2
        if n > MOST_ROWS:
            peak = max(peak, 26 * 8 * distinct * labels)  # as for `tfidf`
        fitting = Computing(peak, (0.2 + 5 * fit_s, 5.0 + 100 * fit_s), libraries)
        reading = 2e-6 * sum(len(query.full_text) for query in prospect.queries)
        serving = Computing(distinct * (8 * labels + 150), (reading, 10 * reading), libraries)
        if params.features == ["words"]:
            return Estimate(fit=(fitting,), serve=(serving,))
        asked = [query.full_text for query in prospect.queries]
        return Estimate(
            fit=(Embedding([*texts, *described], params.embedder), fitting),
            serve=(Embedding(asked, params.embedder), serving),
        )

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Choose by folds, and fit the best on all labelled rows and label descriptions."""
        params = self.params
        rows = learnable(self.context, True, train, validation) or train
        embedder = self._embedder() if self.models(params) else None
        own = read(
            embedder,
            [row.query.full_text for row in rows],
            [row.targets[0] for row in rows],
        )
        labels = self.context.task.labels if params.description_rows else {}
        described = read(embedder, label_texts(labels), list(labels))
        beside = described.at([*range(len(labels))] * params.description_rows)
        space = Space(
            params.features,
            params.inverse_regularisation,
            params.vector_weight,
            params.folds,
            self.context.seed,
            beside,
        )
        found: Found = best_mix(self.context, space, list(rows), own)
        every = own.with_more(beside)
        made = TextClassifier.fit(found.mix, every.texts, every.vectors, every.answers)
        made.temperature = found.temperature
        made.save(artifact)

    def load(self, artifact: Path) -> None:
        """Read the classifier; load the embedding model if it looks at vectors."""
        self.classifier = TextClassifier.load(artifact)
        self.embedder = self._embedder() if self.classifier.reads_vectors else None

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        texts = [query.full_text for query in queries]
        vectors = self.embedder.embed(texts) if self.embedder else None
        return self.classifier.predict(texts, vectors)

    def _embedder(self) -> retrieval.Embedder:
        context = self.context
        return retrieval.Embedder(self.params.embedder, context.device, context.note)


def read(embedder: retrieval.Embedder | None, texts: list[str], answers: list[str]) -> Rows:
    """Return texts and answers as a classifier reads them."""
    return Rows(texts, answers, embedder.embed(texts) if embedder else None)
