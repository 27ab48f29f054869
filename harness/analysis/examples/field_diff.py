"""A JSON answer beside the right one, field by field.

Fields are the leaves that the metrics of JSON answers compare (metrics/fields.py): the order of a
list does not count. Knows no schema.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby

from harness.analysis.schema.examples import FieldDiff
from harness.metrics import read_object
from harness.metrics.fields import leaves

Leaves = list[tuple[str, str]]


def field_diff(answer: str, targets: Sequence[str]) -> tuple[FieldDiff, ...]:
    """Return what differs from the accepted answer that is nearest; nothing where it is no object.

    Args:
        answer: as the reader of answers left it.
        targets: JSON objects; at least one.
    """
    said = read_object(answer)
    if said is None:
        return ()
    own = list(leaves(said))
    wanted = [list(leaves(json.loads(target))) for target in targets]
    nearest = max(wanted, key=lambda one: len(set(one) & set(own)) - len(set(one) - set(own)))
    return tuple(_diff(nearest, own))


def _diff(wanted: Leaves, said: Leaves) -> list[FieldDiff]:
    """Return a line for each path: those of the right answer in their order, then what is extra."""
    here, there = _by_path(wanted), _by_path(said)
    found = []
    for path in dict.fromkeys([*here, *there]):
        right, own = here.get(path, ()), there.get(path, ())
        same = sorted(right) == sorted(own)
        found.append(FieldDiff(path=_readable(path), wanted=right, said=own, same=same))
    return found


def _by_path(found: Leaves) -> dict[str, tuple[str, ...]]:
    order = {path: at for at, path in enumerate(dict.fromkeys(path for path, _ in found))}
    together = groupby(sorted(found, key=lambda leaf: order[leaf[0]]), key=lambda leaf: leaf[0])
    return {path: tuple(value for _, value in group) for path, group in together}


def _readable(path: str) -> str:
    """Return ["." "address", ".city"] as a person writes it; of the whole object, its name."""
    return "".join(json.loads(path)).removeprefix(".") or "(the whole answer)"
