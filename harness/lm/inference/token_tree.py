"""A forest of token sequences packed into one row: what sequences share is computed once.

The row holds each distinct token-in-context once. A token attends to its ancestors alone, and its
depth is its position, so a model sees every sequence exactly as if it were passed by itself.
Sequences that share nothing become blocks on the diagonal of the mask: packing is the special case.
Pure: knows nothing of models, and nothing of tensors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class TokenTree:
    """Distinct tokens-in-context, numbered in the order they were added."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self.parents: list[int] = []
        """Of each node; -1: it begins a sequence. A parent always has a lower number."""
        self.depths: list[int] = []
        """Tokens before each node in its sequence."""
        self._children: dict[tuple[int, int], int] = {}
        """(parent, token) to node: how a token-in-context is found again."""

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.tokens)

    def add(self, tokens: Iterable[int], after: int = -1) -> list[int]:
        """Add a sequence below node `after` (-1: the root) and return the nodes along it.

        Nodes that are there already are found again, so a shared beginning is added once.
        """
        path = []
        for token in tokens:
            node = self._children.get((after, token))
            if node is None:
                node = len(self.tokens)
                self._children[(after, token)] = node
                self.tokens.append(token)
                self.parents.append(after)
                self.depths.append(self.depths[after] + 1 if after >= 0 else 0)
            path.append(node)
            after = node
        return path

    def visible(self, past: int = 0, window: int | None = None) -> NDArray[np.bool_]:
        """Return who attends to whom.

        Args:
            past: p tokens that stand before every node, computed earlier.
            window: tokens that a node looks back on, itself included; None: all.

        Returns:
            [n, p + n]: entry (i, j) is True where node i attends to token j of the past, or to
            node j - p (itself included).
        """
        n = len(self.tokens)
        # A node sees what its parent sees, and itself. Parents come first, so one walk is enough.
        nodes = np.zeros((n, n), dtype=bool)  # [n, n]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                nodes[node] = nodes[parent]
            nodes[node, node] = True
        visible = np.concatenate([np.ones((n, past), dtype=bool), nodes], axis=1)  # [n, p + n]

        # A window counts tokens of the sequence, so it is measured in depths, not in places.
        if window is not None:
            depths = past + np.array(self.depths, dtype=int)  # [n]
            keys = np.concatenate([np.arange(past), depths])  # [p + n]
            distance = depths[:, None] - keys[None]  # [n, p + n]
            visible &= distance < window
        return visible


def common_prefix_length(sequences: Sequence[Sequence[int]]) -> int:
    """Return how many leading tokens all sequences share."""
    if not sequences:
        return 0
    first, last = min(map(list, sequences)), max(map(list, sequences))  # these differ earliest
    for position, (a, b) in enumerate(zip(first, last, strict=False)):
        if a != b:
            return position
    return min(len(first), len(last))
