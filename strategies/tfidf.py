"""TF-IDF and logistic regression: the cheap thing that fine-tuning has to beat.

Words and word pairs, and character n-grams that survive typos; the strength of regularisation is
chosen on validation rows, which are then learnt from as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, PositiveFloat

import harness
from harness import Candidates, Estimate, Prediction, Prospect, Query, Split, Strategy, toolkit
from harness.toolkit.selection import best_strength, learnable
from harness.toolkit.word_features import WordFeatures, terms
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

        inverse_regularisation: Candidates[PositiveFloat] = Field(
            [1.0, 10.0, 100.0, 1000.0, 10000.0, 30000.0]
        )
        """Candidates for scikit-learn's C; the best on validation is kept, the first of equals."""
        character_ngrams: bool = True
        refit: bool = True
        """Learn from the validation rows too, once C is chosen on them."""

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows where it is asked to."""
        return params.refit

    @classmethod
    def is_random(cls, params: Params) -> bool:
        """Find the weights exactly, whatever the seed."""
        return False

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the features of the labelled rows, and the fits over them.

        L-BFGS keeps 26 vectors of the coefficients' length (SciPy's `lbfgs`, ten corrections).
        """
        rows = [*prospect.train, *(prospect.validation if params.refit else ())]
        found = [terms(row.query.full_text.lower(), params.character_ngrams) for row in rows]
        distinct = len(set().union(*found))
        labels = len({row.targets[0] for row in rows}) or 1
        fits = len(params.inverse_regularisation) + params.refit
        model_bytes = distinct * (8 * labels + 150)  # coefficients, and a dictionary's entry
        pass_s = 4e-9 * sum(map(len, found)) * labels + 2e-8 * distinct * labels
        libraries = frozenset({"sklearn"})
        fitting = Computing(
            26 * 8 * distinct * labels + fits * model_bytes,
            (fits * pass_s, 400 * fits * pass_s),
            libraries,
        )
        reading = 2e-6 * sum(len(query.text) for query in prospect.queries)
        return Estimate(
            fit=(fitting,), serve=(Computing(model_bytes, (reading, 10 * reading), libraries),)
        )

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Choose C on the validation rows, then learn from these too."""
        strengths = self.params.inverse_regularisation
        rows, fitted = self._fitted(train, strengths)
        seen = rows.of([query.full_text for query in validation.queries])
        chosen = best_strength(
            self.context, fitted, lambda given: toolkit.classified(given, seen), validation
        )
        more = learnable(self.context, self.params.refit, train, validation)
        if more is not None:
            rows, fitted = self._fitted(more, [chosen])
        toolkit.save_classifier(fitted[chosen], artifact / "classifier")
        rows.save(artifact)

    def load(self, artifact: Path) -> None:
        """Read the classifier and what its features rest on."""
        self.classifier = toolkit.load_classifier(artifact / "classifier")
        self.features = WordFeatures.load(artifact)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        vectors = self.features.of([query.full_text for query in queries])
        return toolkit.classified(self.classifier, vectors)

    def _fitted(
        self, rows: Split, strengths: Sequence[float]
    ) -> tuple[WordFeatures, toolkit.Classifiers]:
        """Return the features of rows, and a classifier over them for each strength."""
        texts = [query.full_text for query in rows.queries]
        features = WordFeatures.learnt(texts, self.params.character_ngrams, self.context.note)
        answers = [example.targets[0] for example in rows]
        return features, toolkit.fit_classifiers(features.of(texts), answers, strengths)
