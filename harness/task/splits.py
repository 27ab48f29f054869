"""Turns rows into frozen splits of examples.

Knows the meaning of columns; knows nothing of strategies or models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.errors import Fault, shown
from harness.files.json_text import plain
from harness.task.columns import (
    ADD_OR_LEAVE,
    absent_everywhere,
    absent_from,
    columns_of,
    id_column,
    no_number,
)
from harness.task.gold import GoldReader, GoldRow
from harness.task.rows import Row, as_text
from harness.task.schema import Data
from harness.types import Example, Query, Split
from harness.wording.values import nfc, value_text

Seen = dict[str, dict[str, int]]
"""Where ids stand: file, then id to line."""
NOTHING: Mapping[str, Any] = {}
"""The fields or slices of all rows that have none."""


def examples_of(
    name: str,
    rows: list[Row],
    data: Data,
    reader: GoldReader,
    seen: Seen,
    faults: list[Fault],
) -> tuple[Split, list[GoldRow]]:
    """Build one split and, for the analysis, what is right of it.

    Args:
        name: "train", "validation" or "test".
        rows: the raw rows; the list is emptied, since a million would not fit in both forms.
        data: the meaning of the columns.
        reader: reads targets and evidence.
        seen: every id so far, of other splits too, and where it stands; receives those of `rows`.
        faults: receives everything that is wrong with a row.

    Returns:
        The split, and one truth row for each example, in the same order.
    """
    ids = id_column(rows, data)
    needed = _different(data.input, *data.slices, data.cluster, ids)
    may_be_null = _different(data.target, data.groups, data.evidence)
    again: list[tuple[Row, str]] = []
    examples, truth = [], []
    for number, row in enumerate(_taken(rows), start=1):
        row_faults = absent_from(row, needed)
        if absent := [column for column in may_be_null if column not in row.values]:
            row_faults += absent_from(row, absent)
        if not row_faults:
            query = query_of(row, data, ids, f"{name}-{number}", row_faults)
            targets = reader.targets(row, data.target, row_faults)
            evidence = reader.evidence(row, data.evidence, row_faults) if data.evidence else ()
            if _place(query.id, seen):
                again.append((row, query.id))
            elif query.id:
                seen.setdefault(row.file, {})[query.id] = row.line
        if row_faults:
            faults.extend(row_faults)
            continue
        examples.append(Example(query, targets))
        truth.append(_gold(row, data, query.id, targets, evidence))
    faults.extend(_ids_again(again, seen))
    return Split(name, tuple(examples)), truth


def _different(*columns: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for column in columns if column is not None))


def _taken(rows: list[Row]) -> Iterator[Row]:
    """Yield rows in their order, and let go of each."""
    rows.reverse()
    while rows:
        yield rows.pop()


def _gold(
    row: Row, data: Data, row_id: str, targets: tuple[str, ...], evidence: tuple[str, ...]
) -> GoldRow:
    slices = NOTHING
    if data.slices:
        slices = {column: nfc(value_text(row.values[column])) for column in data.slices}
    cluster = nfc(value_text(row.values[data.cluster])) if data.cluster else None
    return GoldRow(row_id, targets, slices, cluster, evidence)


def _place(row_id: str, seen: Seen) -> str | None:
    """Return where a row with an id stood, if there was one."""
    for file, lines in seen.items():
        if row_id in lines:
            return f"{file}:{lines[row_id]}"
    return None


OTHER_IDS = (
    "give each row an id of its own, or write `id: null` under `data`: rows are then called by"
    " split and number"
)
SHOWN = 3
"""Ids that are named where rows share them."""


def _ids_again(again: Sequence[tuple[Row, str]], seen: Seen) -> list[Fault]:
    """Return one fault for all rows of a split whose id stands elsewhere already."""
    if not again:
        return []
    places = [
        f"the id '{row_id}' already stands at {_place(row_id, seen)}" for _, row_id in again[:SHOWN]
    ]
    if len(again) > SHOWN:
        places.append(f"so it is with {len(again) - SHOWN} more")
    return [Fault(again[0][0].where, ", ".join(places), OTHER_IDS)]


def new_queries(rows: Sequence[Row], data: Data, faults: list[Fault]) -> list[Query]:
    """Return what rows without targets ask, read as a task's rows are.

    A row without an id is called by its number.
    """
    named = data.id or "id"
    faults.extend(absent_everywhere(rows, columns_of(rows), data, "visible"))
    queries = []
    for number, row in enumerate(rows, start=1):
        row_faults = absent_from(row, [data.input])
        if not row_faults:
            ids = named if row.values.get(named) is not None else None
            queries.append(query_of(row, data, ids, str(number), row_faults))
        faults.extend(row_faults)
    return queries


def query_of(row: Row, data: Data, ids: str | None, default_id: str, faults: list[Fault]) -> Query:
    """Return what a row that has its columns asks; add what is wrong with it to `faults`."""
    text = _text_of(row, data.input, faults)
    row_id = _text_of(row, ids, faults) if ids else default_id
    groups = groups_of(row, data.groups, faults)
    fields = NOTHING
    if data.visible:
        faults.extend(no_number(row, data.visible))
        fields = {column: plain(row.values.get(column)) for column in data.visible}
    return Query(row_id, text, fields, groups)


def groups_of(row: Row, column: str | None, faults: list[Fault]) -> tuple[str, ...]:
    """Return the groups of who asks: a list of texts, or one text with semicolons between them.

    A value that is null or empty is no group.
    """
    if column is None:
        return ()
    value = row.values.get(column)
    names = value.split(";") if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        what = f"'{column}' must be a text or a list of texts, not {shown(value)}"
        faults.append(Fault(row.where, what, 'write e.g. ["staff", "2"]'))
        return ()
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _text_of(row: Row, column: str, faults: list[Fault]) -> str:
    value = row.values[column]
    text = as_text(value)
    if type(value) is str and value.strip():
        return value
    if text is None:
        faults.append(Fault(row.where, f"'{column}' must be a text, not {shown(value)}", ONE_TEXT))
    elif not text.strip():
        faults.append(Fault(row.where, f"'{column}' is empty", ADD_OR_LEAVE))
    return text or ""


ONE_TEXT = "write one text, or leave out the row"
