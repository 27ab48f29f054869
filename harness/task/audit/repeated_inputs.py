"""Which rows of a task ask the same, within a split or across splits.

Inputs are the same as same_input.py has it; labels are not compared. Of a million rows few repeat
one another: keys are held of those only, of the others a number each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

import numpy as np

from harness.task.same_input import key_of
from harness.types import Split

Group = Mapping[str, list[int]]
"""Rows that ask the same: split's name to their places in it, ascending."""


class RepeatedInputs:
    """The rows of some splits whose input stands more than once in all of them together."""

    def __init__(self, splits: Mapping[str, Split]):
        self.splits = splits
        self._groups = _groups(splits)

    def of(self, split: str) -> list[Group]:
        """Return the groups that have rows of a split, in the order of the first of these."""
        return sorted((some for some in self._groups if split in some), key=lambda it: it[split][0])

    def leaked_ids(self) -> tuple[str, ...]:
        """Return the ids of test rows whose input also stands in train or validation.

        An input is the text with the visible fields, all in lower case, reduced to letters and
        digits.
        """
        test = self.splits["test"]
        places = [at for some in self.of("test") if len(some) > 1 for at in some["test"]]
        return tuple(test[at].query.id for at in sorted(places))

    def inside(self, split: str) -> int:
        """Count the rows of a split whose input stood earlier in the same split."""
        return sum(len(some[split]) - 1 for some in self.of(split))


def _groups(splits: Mapping[str, Split]) -> list[Group]:
    marks = {name: np.fromiter(map(hash, _keys(split)), np.int64) for name, split in splits.items()}
    different, counts = np.unique(np.concatenate(list(marks.values())), return_counts=True)
    repeated = different[counts > 1]
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for name, split in splits.items():
        # Two keys may have the same hash: whether they are the same the keys themselves say.
        for at in np.flatnonzero(np.isin(marks[name], repeated)).tolist():
            groups[key_of(split[at].query)][name].append(at)
    return [dict(some) for some in groups.values() if sum(map(len, some.values())) > 1]


def _keys(split: Split) -> Iterator[str]:
    return (key_of(example.query) for example in split)
