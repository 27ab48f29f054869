"""Made-up test sets whose true value is known: what intervals and verdicts are tried on.

Every function draws one test set and is told how; the truth stands beside it in closed form or
by quadrature. Knows nothing of intervals or verdicts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.metrics import by_class, find

Array = NDArray[np.float64]
QUADRATURE = 60
"""Points of the Gauss-Hermite quadrature over what varies normally."""


@dataclass(frozen=True)
class Labels:
    """A choice among labels, answered with a certain accuracy."""

    labels: int
    accuracy: float
    zipf: float = 0.0
    """Label number i is 1/i^zipf as frequent as the first."""
    favourite: float = 0.0
    """Share of the wrong answers that name the first label, beyond its even share."""

    @property
    def cells(self) -> Array:
        """The probability of each true and each named label, [true, named]."""
        frequent = 1 / np.arange(1, self.labels + 1) ** self.zipf
        wrong = np.ones((self.labels, self.labels)) + self.favourite * np.eye(1, self.labels)
        np.fill_diagonal(wrong, 0)
        named = (1 - self.accuracy) * wrong / wrong.sum(axis=1, keepdims=True)
        np.fill_diagonal(named, self.accuracy)
        return np.asarray((frequent / frequent.sum())[:, None] * named)

    @property
    def macro_f1(self) -> float:
        """The macro-F1 over all rows that there could be."""
        cells = self.cells
        sums = np.concatenate([np.diag(cells), cells.sum(axis=0), cells.sum(axis=1)])
        return float(find("macro_f1").finish(sums))

    def draw(self, draw: np.random.Generator, n: int) -> Array:
        """Return [1, n, 3 labels]: the class counts of n rows under one seed."""
        cell = draw.choice(self.labels**2, size=n, p=self.cells.ravel())
        true, named = np.divmod(cell, self.labels)
        one = np.eye(self.labels)
        right = one[true] * (true == named)[:, None]
        return np.concatenate([right, one[named], one[true]], axis=1)[None]


def rarest(of_arm: Array) -> int:
    """Return the rows of the rarest label that occurs."""
    _, _, actual = by_class(of_arm[0].sum(axis=0))
    return int(actual[actual > 0].min())


@dataclass(frozen=True)
class Shares:
    """Values in [0, 1] as of token-F1: some nothing, some all, the rest between."""

    nothing: float
    all: float
    a: float
    b: float
    """The rest is a beta distribution."""

    @property
    def mean(self) -> float:
        """The true mean."""
        return self.all + (1 - self.nothing - self.all) * self.a / (self.a + self.b)

    def draw(self, draw: np.random.Generator, n: int) -> Array:
        """Return [1, n, 2]: values and a 1 for counting."""
        kind = draw.random(n)
        values = np.where(kind < self.nothing + self.all, 1.0, draw.beta(self.a, self.b, n))
        values[kind < self.nothing] = 0
        return with_ones(values[None])


@dataclass(frozen=True)
class Crossed:
    """Right or wrong by a logistic model: items differ, and so do seeds or clusters of items."""

    centre: float
    """Log-odds of the middle item under the middle seed."""
    item_sd: float = 0.0
    seed_sd: float = 0.0
    cluster_sd: float = 0.0

    @property
    def mean(self) -> float:
        """The true accuracy over all items, seeds and clusters."""
        points, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE)
        spread = np.sqrt(self.item_sd**2 + self.seed_sd**2 + self.cluster_sd**2)
        return float(weights @ _odds(self.centre + spread * points) / weights.sum())

    @property
    def sd_of_seeds(self) -> float:
        """The standard deviation between seeds' true accuracies."""
        points, weights = np.polynomial.hermite_e.hermegauss(QUADRATURE)
        rest = np.sqrt(self.item_sd**2 + self.cluster_sd**2)
        means = _odds(self.centre + self.seed_sd * points[:, None] + rest * points) @ weights
        means /= weights.sum()
        return float(np.sqrt(weights @ (means - self.mean) ** 2 / weights.sum()))

    def draw(self, draw: np.random.Generator, n: int, seeds: int, member_of: Array) -> Array:
        """Return [seeds, n, 2]: values and a 1 for counting.

        Args:
            draw: where chance comes from.
            n: items.
            seeds: training seeds.
            member_of: [n], the number of each item's cluster.
        """
        of_cluster = self.cluster_sd * draw.standard_normal(int(member_of.max()) + 1)
        odds = self.centre + self.item_sd * draw.standard_normal(n) + of_cluster[member_of]
        odds = odds + self.seed_sd * draw.standard_normal((seeds, 1))
        return with_ones((draw.random((seeds, n)) < _odds(odds)).astype(float))


def alike_arms(draw: np.random.Generator, accuracies: Array, n: int, shared: float) -> Array:
    """Return [arms, n] of right or wrong, by arms that tend to fail on the same items.

    Args:
        draw: where chance comes from.
        accuracies: [arms], the true ones.
        n: items.
        shared: correlation between what two arms find hard (a Gaussian copula).
    """
    from scipy.stats import norm

    own = draw.standard_normal((len(accuracies), n))
    hard = np.sqrt(shared) * draw.standard_normal(n) + np.sqrt(1 - shared) * own
    return (hard < norm.ppf(accuracies)[:, None]).astype(float)


def with_ones(values: Array) -> Array:
    """Return [..., 2]: the value of each item, and 1 for counting."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def _odds(log_odds: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
