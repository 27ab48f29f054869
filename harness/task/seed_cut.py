"""Cuts a task's labelled rows anew into train and validation, for another seed.

The sizes stay, and so does each label's share of them as far as its rows allow; rows of a cluster,
or with the same input, stay together. Test rows take no part. Knows nothing of arms.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.task.same_input import input_key
from harness.task.split_cut import Unit, taken
from harness.types import Example, Split


class _Place(NamedTuple):
    """A row and where it is given: at which place among all, and in which split."""

    at: int
    example: Example
    validates: bool


def cut_anew(
    train: Split,
    validation: Split,
    clusters: Mapping[str, Sequence[str | None]],
    seed: int,
    *,
    by_target: bool,
) -> tuple[Split, Split]:
    """Return train and validation of a seed; the given ones where there is nothing to exchange.

    The rows of each keep the order in which they are given, those of train before those of
    validation. Where whole clusters allow no other cut, it is the given one.

    Args:
        train: as it is given.
        validation: as it is given; its size stays, to within a cluster.
        clusters: split's name to the cluster of each of its rows; a split may be missing.
        seed: decides the cut, with the rows' inputs.
        by_target: whether each label keeps its share.
    """
    if not len(train) or not len(validation):
        return train, validation
    rows = [_Place(at, row, at >= len(train)) for at, row in enumerate((*train, *validation))]
    members = [
        member
        for split in (train, validation)
        for member in clusters.get(split.name) or [None] * len(split)
    ]
    units = _units(rows, members, seed, by_target=by_target)
    left: dict[str, list[Unit[_Place]]] = defaultdict(list)
    quotas: dict[str, int] = defaultdict(int)
    for unit in units:
        left[unit.stratum].append(unit)
        quotas[unit.stratum] += sum(place.validates for place in unit.rows)
    chosen = {place.at for unit in taken(left, quotas) for place in unit.rows}
    if not 0 < len(chosen) < len(rows):
        return train, validation
    held_out = tuple(place.example for place in rows if place.at in chosen)
    learnt = tuple(place.example for place in rows if place.at not in chosen)
    return Split(train.name, learnt), Split(validation.name, held_out)


def _units(
    rows: Sequence[_Place], clusters: Sequence[str | None], seed: int, *, by_target: bool
) -> list[Unit[_Place]]:
    """Return the rows that must stay together, in an order that the seed decides."""
    together: dict[str, list[_Place]] = defaultdict(list)
    for place, cluster in zip(rows, clusters, strict=True):
        query = place.example.query
        own = f"input {input_key(query.text, query.fields)}"
        together[own if cluster is None else f"cluster {cluster}"].append(place)
    units = []
    for key, some in together.items():
        labels = Counter(place.example.targets[0] if by_target else "" for place in some)
        stratum = min(labels, key=lambda label: (-labels[label], label))  # the most frequent
        rank = hashlib.sha256(f"seed {seed}:{key}".encode(errors="surrogatepass")).digest()
        units.append(Unit(rank, stratum, tuple(some)))
    return sorted(units, key=lambda unit: unit.rank)
