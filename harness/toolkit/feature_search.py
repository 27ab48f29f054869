"""Which features and which strength a linear classifier of texts does best with, by folds.

Every candidate answers each labelled row once, from a classifier that has not seen it. The best
one by the task's metric is taken, the first of equals, and a temperature is fitted to its
probabilities on the same answers: they are of held-out rows, so no other rows are needed. Knows
nothing of how texts are embedded.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from harness.toolkit.folds import dealt
from harness.toolkit.linear_classifier import fit_classifiers
from harness.toolkit.selection import tell_of_edge
from harness.toolkit.text_classifier import (
    LogProbabilities,
    Mix,
    Recipe,
    Vectors,
    averaged,
    features_of,
    predictions,
    tempered,
)
from harness.toolkit.word_features import WordFeatures
from harness.types import Context, Example

Features = Literal["words", "vectors", "union", "vote"]
"""vote: the mean of the probabilities of the best words and the best vectors."""
MOST_ROWS = 2000
"""Labelled rows that candidates are compared on; of more, a seeded sample. The classifier that is
kept learns from all."""
UNSEEN = -30.0
"""Log-probability of a label that no row of a fold's training part has."""
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(8.0), 51))


@dataclass(frozen=True)
class Rows:
    """Labelled rows as a classifier reads them."""

    texts: Sequence[str]
    answers: Sequence[str]
    vectors: Vectors | None = None
    """[rows, dimensions]; None where nothing reads them."""

    def at(self, places: Sequence[int]) -> Rows:
        """Return some of them."""
        return Rows(
            [self.texts[place] for place in places],
            [self.answers[place] for place in places],
            None if self.vectors is None else self.vectors[list(places)],
        )

    def with_more(self, more: Rows) -> Rows:
        """Return them with others behind."""
        vectors = None
        if self.vectors is not None and more.vectors is not None:
            vectors = np.vstack([self.vectors, more.vectors])
        return Rows([*self.texts, *more.texts], [*self.answers, *more.answers], vectors)


@dataclass(frozen=True)
class Space:
    """What is tried."""

    features: Sequence[Features]
    strengths: Sequence[float]
    weights: Sequence[float]
    """Of sentence vectors beside words."""
    folds: int
    seed: int
    beside: Rows = field(default_factory=lambda: Rows((), ()))
    """Rows to learn from in every fold that are never held out: label descriptions."""

    def bases(self) -> Iterator[Recipe]:
        """Yield the features that classifiers are fitted over, at the first strength."""
        vote = "vote" in self.features
        if vote or "words" in self.features:
            yield Recipe("words", self.strengths[0])
        if vote or "vectors" in self.features:
            yield Recipe("vectors", self.strengths[0])
        if "union" in self.features:
            for weight in self.weights:
                yield Recipe("union", self.strengths[0], weight)

    def unseen(self) -> Mix:
        """Return what is taken where nothing can be compared: both features, C in the middle."""
        strength = sorted(self.strengths)[len(self.strengths) // 2]
        name = "union" if "union" in self.features else self.features[0]
        if name == "vote":
            return Recipe("words", strength), Recipe("vectors", strength)
        return (Recipe(name, strength, self.weights[0]),)


@dataclass(frozen=True)
class Found:
    """What was chosen."""

    mix: Mix
    temperature: float


@dataclass(frozen=True)
class _HeldOut:
    """What every candidate answers to rows that it has not seen."""

    places: Sequence[int]
    """Of the rows, in the order of the answers."""
    labels: Sequence[str]
    answers: Mapping[Recipe, LogProbabilities]
    """[rows, labels] for each recipe."""


def best_mix(context: Context, space: Space, examples: Sequence[Example], rows: Rows) -> Found:
    """Return the best of a space by folds of labelled rows, and say what was compared.

    Args:
        context: gives the metric; is told.
        space: what is tried.
        examples: the labelled rows.
        rows: the same, as a classifier reads them.
    """
    places: Sequence[int] = range(len(examples))
    if len(examples) > MOST_ROWS:
        places = sorted(random.Random(space.seed).sample(places, MOST_ROWS))
    rows = rows.at(places)
    folds = dealt(rows.answers, space.folds, space.seed)
    held_out = _held_out(space, rows, folds)
    if not held_out.places:
        mix = space.unseen()
        why = "too few rows a label to hold any out and compare"
        context.note("chosen", f"{said(mix)}: {why}")
        return Found(mix, 1.0)
    answered = [examples[places[place]] for place in held_out.places]
    mix, found, scores = _best(context, space, held_out, answered)
    right = [held_out.labels.index(rows.answers[place]) for place in held_out.places]
    temperature = fitted_temperature(found, right)
    shown = ", ".join(f"{name}: {score:.3f}" for name, score in scores.items())
    on = f"{len(folds)} folds of {len(answered)} labelled rows"
    context.note("chosen", f"{said(mix)} by {on} ({shown}); temperature {temperature:.2f}")
    return Found(mix, temperature)


def _held_out(space: Space, rows: Rows, folds: Sequence[Sequence[int]]) -> _HeldOut:
    """Have each fold answered by classifiers of all others, for every recipe."""
    labels = sorted({*rows.answers, *space.beside.answers})
    places: list[int] = []
    parts: dict[Recipe, list[LogProbabilities]] = defaultdict(list)
    for fold in folds:
        outside = set(fold)
        kept = rows.at([place for place in range(len(rows.texts)) if place not in outside])
        kept = kept.with_more(space.beside)
        if len(set(kept.answers)) < 2:
            continue  # one label alone is nothing to learn
        places += fold
        for recipe, answers in _answers(space, kept, rows.at(fold), labels):
            parts[recipe].append(answers)
    return _HeldOut(places, labels, {recipe: np.vstack(part) for recipe, part in parts.items()})


def _answers(
    space: Space, kept: Rows, asked: Rows, labels: Sequence[str]
) -> Iterator[tuple[Recipe, LogProbabilities]]:
    """Yield each recipe with the log-probabilities of the asked rows, [rows, labels]."""
    bases = list(space.bases())
    reads = any(base.reads_words for base in bases)
    learnt = WordFeatures.learnt(kept.texts) if reads else None
    counted = [learnt.of(part.texts) if learnt else None for part in (kept, asked)]
    columns = [labels.index(label) for label in sorted(set(kept.answers))]
    for base in bases:
        known = features_of(base, counted[0], kept.vectors)
        new = features_of(base, counted[1], asked.vectors)
        for strength, fitted in fit_classifiers(known, kept.answers, space.strengths).items():
            found = np.full((len(asked.texts), len(labels)), UNSEEN)
            found[:, columns] = fitted.predict_log_proba(new)  # its classes stand in order too
            yield replace(base, strength=strength), found


def _best(
    context: Context, space: Space, held_out: _HeldOut, examples: Sequence[Example]
) -> tuple[Mix, LogProbabilities, Mapping[str, float]]:
    """Return the best mix, its held-out answers, and each kind of features' best score."""

    def score(found: LogProbabilities) -> float:
        return context.metric(predictions(found, held_out.labels), examples)

    by_recipe = {recipe: score(found) for recipe, found in held_out.answers.items()}
    best: dict[str, Recipe] = {}
    for recipe, value in by_recipe.items():
        if recipe.features not in best or value > by_recipe[best[recipe.features]]:
            best[recipe.features] = recipe
    mixes: dict[str, Mix] = {name: (best[name],) for name in space.features if name in best}
    if "vote" in space.features:
        mixes["vote"] = best["words"], best["vectors"]
    answers = {
        name: averaged([held_out.answers[one] for one in mix]) for name, mix in mixes.items()
    }
    scores = {name: score(found) for name, found in answers.items()}
    chosen = max(scores, key=lambda name: scores[name])  # of equals the first
    for one in mixes[chosen]:
        grid = {c: by_recipe[replace(one, strength=c)] for c in space.strengths}
        tell_of_edge(context, grid, one.strength)
    return mixes[chosen], answers[chosen], scores


def fitted_temperature(found: LogProbabilities, right: Sequence[int]) -> float:
    """Return the temperature of the least cross-entropy (Guo et al. 2017, arXiv 1706.04599).

    Args:
        found: [rows, labels], of rows that the classifier has not seen.
        right: the right label's column, for each row.
    """
    rows = np.arange(len(right))
    losses = [-tempered(found, t)[rows, list(right)].mean() for t in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def said(mix: Mix) -> str:
    """Return a mix in words, for a remark."""
    parts = [
        f"{one.features} (C = {one.strength:g}"
        + (f", vectors × {one.weight:g})" if one.features == "union" else ")")
        for one in mix
    ]
    return "features = " + (f"vote of {' and '.join(parts)}" if len(parts) > 1 else parts[0])
