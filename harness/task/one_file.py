"""Turns the rows of `data.all` into train, validation and test, as `split` says.

By shares, a column, time, or a file that was frozen before. Knows what was found on the way and is
worth saying; knows nothing of targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.errors import Fault, nearest_name, unknown_name
from harness.files.yaml_source import Source
from harness.task.columns import columns_of
from harness.task.frozen_splits import Frozen, by_frozen, read_frozen, without_ids
from harness.task.moments import moments_of, zones_told
from harness.task.named_splits import LEFT_OUT, by_column
from harness.task.rows import Row
from harness.task.schema import TaskFile
from harness.task.split_cut import SPLITS, cut, empty_shares
from harness.task.split_spec import SplitSpec
from harness.task.time_cut import cut_by_time, empty_by_time, spans


@dataclass
class Parts:
    """The rows of each split, and what is worth saying of how they came there."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {name: [] for name in SPLITS})
    said: list[str] = field(default_factory=list)
    frozen: Frozen | None = None
    left_out: int = 0
    """Rows that the frozen file keeps out."""


def parts_of(
    rows: Sequence[Row], spec: TaskFile, split: SplitSpec, source: Source, faults: list[Fault]
) -> Parts:
    """Return the splits of the rows of one file.

    Args:
        rows: all of them.
        spec: the task file.
        split: its `split`.
        source: where its keys stand.
        faults: receives what is wrong.
    """
    found = Parts()
    earlier = len(faults)
    faults.extend(_columns_absent(rows, split, source))
    faults.extend(without_ids(rows, split, spec.data))
    found.frozen = read_frozen(split, source.path.parent, faults)
    if len(faults) > earlier:
        return found
    if found.frozen is not None:
        parts = by_frozen(rows, found.frozen, spec.data)
        found.left_out = len(parts[LEFT_OUT])
    elif split.column is not None:
        parts = by_column(rows, split, faults)
        if parts[LEFT_OUT]:
            found.said.append(f"{len(parts[LEFT_OUT])} rows are left out (split.values.left_out)")
    elif split.time is not None:
        parts = _by_time(rows, spec, split, source, faults, found.said)
    else:
        parts = cut(rows, spec.data, split, by_target=spec.answer.kind == "choice")
        for name, what, fix in empty_shares(parts, spec.data, split):
            faults.append(Fault(source.where(["split", name]), what, fix))
    found.rows = {name: parts[name] for name in SPLITS}
    return found


def _by_time(
    rows: Sequence[Row],
    spec: TaskFile,
    split: SplitSpec,
    source: Source,
    faults: list[Fault],
    said: list[str],
) -> dict[str, list[Row]]:
    column = split.time
    assert column is not None
    moments = moments_of(rows, column, faults)
    if not moments:
        return {name: [] for name in SPLITS}
    parts = cut_by_time(rows, moments, spec.data, split)
    for name, what, fix in empty_by_time(parts, moments, spec.data, split):
        faults.append(Fault(source.where(["split", name]), what, fix))
    said.append(spans(parts, rows, moments, column))
    said.extend(zones_told(moments, column))
    return parts


def _columns_absent(rows: Sequence[Row], split: SplitSpec, source: Source) -> list[Fault]:
    """Return the fault of a column of splits or times that no row has."""
    known = columns_of(rows)
    found = []
    for key in ("column", "time"):
        column = getattr(split, key)
        if rows and column is not None and column not in known:
            near = nearest_name(column, known)
            fix = f"write {key}: {near}" if near else f"name one of these columns as split.{key}"
            where = source.where(["split", key])
            found.append(Fault(where, unknown_name("column", column, known), fix))
    return found
