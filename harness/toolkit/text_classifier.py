"""Linear classifiers of texts: over words, sentence vectors or both, alone or voting.

A recipe says what one is made of. Knows nothing of how recipes are chosen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from harness.toolkit.linear_classifier import (
    Classifiers,
    fit_classifiers,
    load_classifier,
    save_classifier,
)
from harness.toolkit.word_features import WordFeatures
from harness.types import Prediction

Vectors = NDArray[np.float32]
"""[texts, dimensions], of length one."""
LogProbabilities = NDArray[np.float64]
"""[texts, labels], natural logarithms."""


@dataclass(frozen=True)
class Recipe:
    """What one classifier is made of."""

    features: Literal["words", "vectors", "union"]
    """TF-IDF of words and characters; sentence vectors; or both side by side."""
    strength: float
    """scikit-learn's C."""
    weight: float = 1.0
    """That sentence vectors are multiplied by beside words: all have length one."""

    @property
    def reads_words(self) -> bool:
        """Whether it looks at TF-IDF."""
        return self.features != "vectors"

    @property
    def reads_vectors(self) -> bool:
        """Whether it looks at sentence vectors."""
        return self.features != "words"


Mix = tuple[Recipe, ...]
"""Classifiers whose probabilities are averaged; often a single one."""


def features_of(recipe: Recipe, words: Any, vectors: Vectors | None) -> Any:
    """Return what a recipe's classifier looks at.

    Args:
        recipe: which features.
        words: [texts, terms], sparse; used where it reads words.
        vectors: [texts, dimensions]; used where it reads vectors.
    """
    from scipy.sparse import csr_array, hstack

    if recipe.features == "words":
        return words
    assert vectors is not None
    if recipe.features == "vectors":
        return vectors
    return hstack([words, csr_array(recipe.weight * vectors.astype(np.float64))], format="csr")


class TextClassifier:
    """A mix, fitted."""

    def __init__(
        self,
        mix: Mix,
        classifiers: Sequence[Any],
        words: WordFeatures | None,
        temperature: float = 1.0,
    ):
        """Put together what was fitted.

        Args:
            mix: the recipes.
            classifiers: one a recipe, all of the same labels.
            words: what they learnt of words, where a recipe reads them.
            temperature: that log-probabilities are divided by.
        """
        self.mix = mix
        self.classifiers = list(classifiers)
        self.words = words
        self.temperature = temperature

    @classmethod
    def fit(
        cls, mix: Mix, texts: Sequence[str], vectors: Vectors | None, answers: Sequence[str]
    ) -> Self:
        """Fit all recipes on the same rows.

        Args:
            mix: the recipes.
            texts: the rows' inputs.
            vectors: [texts, dimensions], where a recipe reads them.
            answers: the rows' labels.

        Raises:
            StrategyError: all rows have the same label, or texts have no features.
        """
        words = WordFeatures.learnt(texts) if any(one.reads_words for one in mix) else None
        counted = words.of(texts) if words else None
        fitted: list[Classifiers] = [
            fit_classifiers(features_of(one, counted, vectors), answers, [one.strength])
            for one in mix
        ]
        return cls(mix, [f[one.strength] for f, one in zip(fitted, mix, strict=True)], words)

    @property
    def reads_vectors(self) -> bool:
        """Whether it needs the texts' sentence vectors."""
        return any(one.reads_vectors for one in self.mix)

    def predict(self, texts: Sequence[str], vectors: Vectors | None) -> list[Prediction]:
        """Give each text its most probable label, with the log-probabilities of all."""
        if not texts:
            return []
        words = self.words.of(texts) if self.words else None
        parts = [
            classifier.predict_log_proba(features_of(one, words, vectors))
            for one, classifier in zip(self.mix, self.classifiers, strict=True)
        ]
        labels = [str(label) for label in self.classifiers[0].classes_]
        return predictions(tempered(averaged(parts), self.temperature), labels)

    def save(self, folder: Path) -> None:
        """Write recipes and classifiers."""
        kept = {"mix": [asdict(one) for one in self.mix], "temperature": self.temperature}
        (folder / "mix.json").write_text(json.dumps(kept))
        for place, classifier in enumerate(self.classifiers):
            save_classifier(classifier, folder / f"classifier_{place}")
        if self.words:
            self.words.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        kept = json.loads((folder / "mix.json").read_text())
        mix = tuple(Recipe(**one) for one in kept["mix"])
        classifiers = [load_classifier(folder / f"classifier_{n}") for n in range(len(mix))]
        reads_words = any(one.reads_words for one in mix)
        words = WordFeatures.load(folder) if reads_words else None
        return cls(mix, classifiers, words, kept["temperature"])


def averaged(parts: Sequence[LogProbabilities]) -> LogProbabilities:
    """Return the logarithm of the mean of probabilities."""
    if len(parts) == 1:
        return parts[0]
    mean: LogProbabilities = np.logaddexp.reduce(np.stack(parts), axis=0) - np.log(len(parts))
    return mean


def tempered(found: LogProbabilities, temperature: float) -> LogProbabilities:
    """Return scores divided by a temperature, as normalised log-probabilities."""
    scaled: LogProbabilities = found / temperature
    scaled -= np.logaddexp.reduce(scaled, axis=1, keepdims=True)
    return scaled


def predictions(found: LogProbabilities, labels: Sequence[str]) -> list[Prediction]:
    """Return the most probable label of each row, and all labels' log-probabilities."""
    return [
        Prediction(labels[row.argmax()], dict(zip(labels, map(float, row), strict=True)))
        for row in found
    ]
