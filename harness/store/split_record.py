"""Which rows are in which split, by id and hash, as a run or a frozen file keeps it.

Compares two such records in sentences. Knows no files and no tasks.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from harness.files.hashing import canonical_json
from harness.store.base import Record
from harness.types import Query, Split
from harness.wording.sentences import counted

NAMES = ("train", "validation", "test")
SHOWN = 5
"""Ids that are named; of the rest the number."""
Moves = Mapping[str, str]
"""Id to the name of its split."""


class SplitRows(Record):
    """The rows of one split, in their order."""

    sha256: str
    """Of ids, inputs, visible fields and targets, as in a run's header."""
    ids: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    """Hash of what each row asks: text, visible fields, groups."""
    targets: tuple[str, ...] | None = None
    """Hash of each row's right answers; None: kept out of reach of the arms, as a run does with
    those of test rows."""


class SplitsRecord(Record):
    """The splits of a task as they were used."""

    schema_version: int = 1
    cut: dict[str, Any] = Field({})
    """What the task said of how to cut them."""
    splits: dict[str, SplitRows]
    whole: bool = True
    """False: of the test rows a sample was used (--limit)."""


def recorded_splits(
    splits: Mapping[str, Split],
    *,
    cut: Mapping[str, Any] | None = None,
    whole: bool = True,
    test_targets: bool = False,
) -> SplitsRecord:
    """Return the record of some splits.

    Args:
        splits: name to split.
        cut: what the task says of how to cut them.
        whole: whether all test rows are there.
        test_targets: whether right answers of test rows may be told by it, as hashes.
    """
    return SplitsRecord(
        cut=dict(cut or {}),
        splits={
            name: _rows(split, targets=test_targets or name != "test")
            for name, split in splits.items()
        },
        whole=whole,
    )


def _rows(split: Split, *, targets: bool) -> SplitRows:
    return SplitRows(
        sha256=split.sha256,
        ids=tuple(query.id for query in split.queries),
        inputs=tuple(map(_input_hash, split.queries)),
        targets=tuple(target_hash(row.targets) for row in split) if targets else None,
    )


def _input_hash(query: Query) -> str:
    return _short([query.text, dict(query.fields), list(query.groups)])


def target_hash(targets: Sequence[str]) -> str:
    """Return the hash of a row's right answers."""
    return _short(list(targets))


def _short(value: Any) -> str:
    """Return a hash of 64 bits: among a million rows two alike are one chance in 37 million."""
    return hashlib.blake2b(canonical_json(value).encode(), digest_size=8).hexdigest()


def changes(before: SplitsRecord, now: SplitsRecord) -> Iterator[str]:
    """Yield what differs between two records, in sentences; nothing where they hold the same.

    Rows are known again by their ids; where those only count the rows, by what they ask.
    """
    old, new = _by_key(before, now), _by_key(now, before)
    was, here = (
        {key: split for split, some in each.items() for key in some} for each in (old, new)
    )
    yield from _moved(was, here)
    for name in NAMES:
        sampled = name == "test" and not (before.whole and now.whole)
        if not sampled:
            yield from _told(name, "added", [key for key in new[name] if key not in was])
            yield from _told(name, "gone", [key for key in old[name] if key not in here])
        both = [key for key in new[name] if key in old[name]]
        for what, at in (("ask something else", 0), ("have other right answers", 1)):
            differ = [key for key in both if _differ(old[name][key][at], new[name][key][at])]
            yield from _told(name, f"now {what}", differ)
        same = list(old[name]) != list(new[name]) and set(old[name]) == set(new[name])
        if same:
            yield f"{name}: the same {len(both)} rows in another order"


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


def _by_key(
    record: SplitsRecord, other: SplitsRecord
) -> dict[str, dict[str, tuple[str, str | None]]]:
    """Return each split's rows: what they are known by, to their hashes."""
    named = _has_ids(record) and _has_ids(other)
    found: dict[str, dict[str, tuple[str, str | None]]] = {}
    for name in NAMES:
        rows = record.splits.get(name) or SplitRows(sha256="")
        targets = rows.targets or (None,) * len(rows.ids)
        keys = rows.ids if named else list(_numbered(rows.inputs))
        found[name] = dict(zip(keys, zip(rows.inputs, targets, strict=True), strict=True))
    return found


def _has_ids(record: SplitsRecord) -> bool:
    """Tell whether any row has an id of its own, and not its split's name and a number."""
    return any(
        not re.fullmatch(rf"{name}-\d+", row_id)
        for name, rows in record.splits.items()
        for row_id in rows.ids
    )


def _numbered(keys: Sequence[str]) -> Iterator[str]:
    """Yield keys, those that were met before with a number."""
    met: Counter[str] = Counter()
    for key in keys:
        met[key] += 1
        yield key if met[key] == 1 else f"{key} {met[key]}"


def _moved(was: Moves, here: Moves) -> Iterator[str]:
    moved: dict[tuple[str, str], list[str]] = {}
    for key, split in here.items():
        if (earlier := was.get(key, split)) != split:
            moved.setdefault((earlier, split), []).append(key)
    for (earlier, split), keys in sorted(moved.items()):
        yield f"{counted(len(keys), 'row')} moved from {earlier} to {split} ({_ids(keys)})"


def _told(name: str, what: str, keys: Sequence[str]) -> Iterator[str]:
    if keys:
        yield f"{name}: {counted(len(keys), 'row')} {what} ({_ids(keys)})"


def _ids(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
