"""Cuts the sequences of a call into rows: what is computed at once, behind which kept prefix.

Sequences are walked in the order of their tokens, so those with a common beginning are neighbours.
A group that fits a row is packed into it as a tree. One that does not fit is cut where its
sequences part. What they share until there, if it is long enough, is computed once and kept for
all rows below it. Pure: knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from harness.lm.inference.prefix_cache import SHORTEST
from harness.lm.inference.token_tree import common_prefix_length


@dataclass(frozen=True)
class Row:
    """Sequences to compute at once."""

    kept: int
    """Leading tokens, the same in all of them, that are to be computed and kept beforehand."""
    members: tuple[int, ...]
    """Places of the sequences."""


def plan_rows(
    prompts: Sequence[list[int]], nodes_below: Sequence[int], kept: int, limit: int
) -> Iterator[Row]:
    """Cut prompts with what hangs below them into rows.

    Args:
        prompts: token ids of each.
        nodes_below: for each prompt, the number of nodes that follow its last token.
        kept: leading tokens of all prompts that are kept already; never a whole prompt.
        limit: nodes a row may have; a single prompt may exceed it by what hangs below it.

    Yields:
        Rows that hold every prompt once, in an order in which kept prefixes grow and shrink like
        a stack.
    """
    yield from _Walk(prompts, nodes_below, limit).rows(0, len(prompts), kept)


class _Walk:
    """The prompts in the order of their tokens, and what neighbours share."""

    def __init__(self, prompts: Sequence[list[int]], nodes_below: Sequence[int], limit: int):
        self.order = sorted(range(len(prompts)), key=lambda place: prompts[place])
        self.prompts = [prompts[place] for place in self.order]
        self.limit = limit

        # In sorted order, what any run of prompts shares is the least that its neighbours share.
        pairs = zip(self.prompts, self.prompts[1:], strict=False)
        self.shared_with_last = [0, *(common_prefix_length(pair) for pair in pairs)]

        # Sums over the nodes that each prompt adds to the tree of those before it, so that the size
        # of any run is a difference of two.
        below = [nodes_below[place] for place in self.order]
        own = zip(self.prompts, self.shared_with_last, below, strict=True)
        self.nodes_before = [0, *accumulate(len(p) - shared + n for p, shared, n in own)]

    def rows(self, first: int, last: int, kept: int) -> Iterator[Row]:
        """Yield the rows of the sorted prompts `first` to `last` (exclusive)."""
        if first == last:
            return
        if self.nodes(first, last, kept) <= self.limit:
            yield Row(kept, tuple(self.order[first:last]))
            return

        # Too large: what all of them share moves out of the row into the kept prefix.
        shared = self.shared(first, last)
        if shared - kept >= SHORTEST:
            kept = shared
        if last - first == 1:
            yield Row(kept, (self.order[first],))
            return

        # The parts are walked one after another, so the prefix grows and shrinks like a stack.
        for begin, end in self.parts(first, last, shared, kept):
            yield from self.rows(begin, end, kept)

    def nodes(self, first: int, last: int, kept: int) -> int:
        """Return the size of the prompts' tree behind `kept` tokens."""
        inside = self.nodes_before[last] - self.nodes_before[first]
        # What the first shares with the prompt before it, this run has to compute by itself.
        return inside + self.shared_with_last[first] - kept

    def shared(self, first: int, last: int) -> int:
        """Return how many leading tokens the prompts share, leaving each at least one."""
        lengths = [len(prompt) - 1 for prompt in self.prompts[first:last]]
        return min([*lengths, *self.shared_with_last[first + 1 : last]])

    def parts(self, first: int, last: int, shared: int, kept: int) -> Iterator[tuple[int, int]]:
        """Cut where the prompts part, into runs of branches that fit a row together."""
        cuts = [place for place in range(first + 1, last) if self.shared_with_last[place] <= shared]

        # They part nowhere: the first is the beginning of all others. It is split off with its
        # equals; if all are equal, each stands by itself.
        if not cuts:
            longer = first + 1
            while longer < last and self.prompts[longer] == self.prompts[first]:
                longer += 1
            cuts = [longer] if longer < last else list(range(first + 1, last))

        # Branches are taken together as long as they fit a row.
        begin = first
        for end, following in zip(cuts, [*cuts[1:], last], strict=True):
            if self.nodes(begin, following, kept) > self.limit:
                yield begin, end
                begin = end
        yield begin, last


def groups(sizes: Mapping[int, int], limit: int) -> Iterator[list[int]]:
    """Cut what grows together, smallest first, into groups that stay within a limit.

    Args:
        sizes: what each may grow to, by its place.
        limit: of a group's sizes together; a single one may exceed it.

    Yields:
        Places.
    """
    group: list[int] = []
    size = 0
    for row in sorted(sizes, key=lambda row: sizes[row]):
        if group and size + sizes[row] > limit:
            yield group
            group, size = [], 0
        group.append(row)
        size += sizes[row]
    if group:
        yield group
