"""Passages that stand several times in the documents: each text takes one place.

Page after page repeats the same footer, and the same page lies in two folders. Such copies would
fill the places that a search has, and a reader would be shown one text three times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.retrieval.chunking import Passage


def without_copies(passages: Sequence[Passage]) -> list[Passage]:
    """Leave out each passage that whoever may read it can read in an earlier document.

    That is one with the same content which is open to everybody, or to just the same groups. The
    one that stays names the documents of those left out.
    """
    kept: list[Passage] = []
    places: dict[tuple[str, frozenset[str] | None], int] = {}
    copies: dict[int, list[str]] = defaultdict(list)
    # Those that everybody may read come first, so that one of them stands for all.
    order = sorted(range(len(passages)), key=lambda place: passages[place].allow is not None)
    chosen: dict[int, int] = {}
    for place in order:
        passage = passages[place]
        readers = None if passage.allow is None else frozenset(passage.allow)
        found = places.get((passage.content, None), places.get((passage.content, readers)))
        if found is None:
            places[passage.content, readers] = place
            chosen[place] = place
        else:
            copies[found].append(passage.document_id)
    for place in sorted(chosen):
        others = dict.fromkeys(copies[place])
        others.pop(passages[place].document_id, None)
        kept.append(replace(passages[place], copies=tuple(others)))
    return kept


def numbered_by_content(passages: Sequence[Passage]) -> NDArray[np.int64]:
    """Return a number for each passage, [passages], the same for those of the same content."""
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(passage.content, len(numbers)) for passage in passages], np.int64
    )


def first_of_each(allowed: NDArray[np.bool_], contents: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which passages may be shown so that no content comes twice, both [passages]."""
    places = np.flatnonzero(allowed)
    _, first = np.unique(contents[places], return_index=True)
    once = np.zeros_like(allowed)
    once[places[first]] = True
    return once
