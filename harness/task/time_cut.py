"""Cuts the rows of one file by time: the newest are test, the newest of the others validation.

So it is with what is asked once an arm serves: all of it is newer than what the arm learnt from.
Knows rows and their times; knows nothing of inputs, which may come again at any time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple

from harness.task.moments import Moment
from harness.task.rows import Row
from harness.task.schema import Data
from harness.task.split_cut import CUT_FIRST, SPLITS, totals
from harness.task.split_spec import SplitSpec


class Timed(NamedTuple):
    """A row with its time."""

    at: int
    row: Row


def cut_by_time(
    rows: Sequence[Row], moments: Sequence[Moment], data: Data, shares: SplitSpec
) -> dict[str, list[Row]]:
    """Cut rows into train, validation and test by their times.

    The sizes are the shares of all rows to within one row where times differ. Rows of one time stay
    on one side, and so do those of a cluster, at the place of its newest row: so no training row is
    newer than a test row that belongs to no cluster. Each split keeps the order of the rows.
    """
    left = _groups(rows, moments, data)
    quotas = totals(len(rows), shares)
    chosen: dict[int, str] = {}
    for split in CUT_FIRST:
        open_n = quotas[split]
        # A group that would take more than is left open by more than it fills stays behind.
        while left and len(left[-1]) < 2 * open_n:
            group = left.pop()
            open_n -= len(group)
            chosen.update((place, split) for place in group)
    parts: dict[str, list[Row]] = {name: [] for name in SPLITS}
    for place, row in enumerate(rows):
        parts[chosen.get(place, "train")].append(row)
    return parts


def _groups(rows: Sequence[Row], moments: Sequence[Moment], data: Data) -> list[list[int]]:
    """Return the places of rows that must stay together, the oldest group first."""
    clusters = [row.values.get(data.cluster) if data.cluster else None for row in rows]
    newest: dict[str, int] = {}
    for cluster, moment in zip(clusters, moments, strict=True):
        if cluster is not None:
            newest[str(cluster)] = max(moment.at, newest.get(str(cluster), moment.at))
    groups: dict[int, list[int]] = defaultdict(list)
    for place, (cluster, moment) in enumerate(zip(clusters, moments, strict=True)):
        groups[moment.at if cluster is None else newest[str(cluster)]].append(place)
    return [groups[at] for at in sorted(groups)]


def empty_by_time(
    parts: Mapping[str, Sequence[Row]], moments: Sequence[Moment], data: Data, shares: SplitSpec
) -> Iterator[tuple[str, str, str]]:
    """Yield (split, what is wrong, remedy) for each share that got no row and that was asked for.

    Args:
        parts: the cut.
        moments: of all rows, in the order of `parts["train"]` where nothing else got a row.
        data: names the column of clusters.
        shares: that were asked for.
    """
    n = len(moments)
    for split in CUT_FIRST if n else ():
        share = getattr(shares, split)
        if parts[split] or not share or split not in shares.model_fields_set:
            continue
        what = f"{share:g} of {n} rows is {share * n:.1f}, and no row came into {split}"
        fixes = ["write 0 to go without"] if split == "validation" else []
        if not any(parts[name] for name in CUT_FIRST):
            newest = len(_groups(parts["train"], moments, data)[-1])
            if newest > 1:
                what += f": the newest {newest} rows have one time, or are of one cluster"
            enough = ceil(100 * newest / n) / 100
            fixes += [f"write at least {enough:g}"] if enough < 1 else []
        yield split, what, ", or ".join([*fixes, "add rows"])


def spans(
    parts: Mapping[str, Sequence[Row]], rows: Sequence[Row], moments: Sequence[Moment], column: str
) -> str:
    """Return from when to when each split is, in a sentence, with the times as they are written.

    Args:
        parts: the cut.
        rows: all of them.
        moments: their times, in the same order.
        column: of times.
    """
    times = {id(row): moment.at for row, moment in zip(rows, moments, strict=True)}
    told = []
    for name in SPLITS:
        some = parts[name]
        if some:
            first, last = (f(some, key=lambda row: times[id(row)]) for f in (min, max))
            told.append(f"{name} from {first.values[column]} to {last.values[column]}")
    told_over = _overlap(parts, times)
    return f"cut by '{column}': {', '.join(told)}{told_over}"


def _overlap(parts: Mapping[str, Sequence[Row]], times: Mapping[int, int]) -> str:
    """Say how many test rows are older than a training row: clusters stay whole."""
    if not parts["train"] or not parts["test"]:
        return ""
    newest = max(times[id(row)] for row in parts["train"])
    older = sum(times[id(row)] <= newest for row in parts["test"])
    return f"; {older} test rows are older than the newest training row" if older else ""
