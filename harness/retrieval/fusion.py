"""Fuses two searches over the same passages into one ranking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CONSTANT = 60
"""Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion outperforms Condorcet"."""

Scores = NDArray[np.float32]


def convex_combination(first: Scores, second: Scores, weight: float = 0.5) -> Scores:
    """Return the weighted mean of two scores, [passages], each as a share of its largest.

    Bruch, Gai and Ingber 2023 (arXiv 2210.11934) find a convex combination of normalised scores
    better than fusing ranks: a passage that is far ahead stays ahead.

    Args:
        first: of each passage.
        second: likewise.
        weight: of the second; the first has the rest.
    """
    return np.asarray((1 - weight) * _share(first) + weight * _share(second), dtype=np.float32)


def reciprocal_rank_fusion(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Fuse rankings by the sum of reciprocal ranks.

    Args:
        rankings: each a list of places, the best first.

    Returns:
        (place, score), the best first; of equal scores, the one that was met first.
    """
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] += 1 / (CONSTANT + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def _share(scores: Scores) -> Scores:
    largest = float(scores.max(initial=0))
    shares = scores.clip(min=0) / largest if largest > 0 else np.zeros_like(scores)
    return np.asarray(shares, dtype=np.float32)
