"""Whether rows have the columns that a task names, and what to write where they do not.

Knows the keys of `data`; knows nothing of what is right of a row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from math import isfinite

from harness.errors import Fault, nearest_name, unknown_name
from harness.task.rows import Reading, Row
from harness.task.schema import Data, target_of_chat

NEEDED = ("input", "target", "slices", "cluster", "id", "groups", "evidence")
"""Keys whose columns every row has; those that `visible` names may be absent from some rows."""
ADD_OR_LEAVE = "give it a value, or leave out the row"


def reading_of(data: Data, *more: str | None) -> Reading:
    """Return how the files of a task are read; `more` are columns that other keys name."""
    named = (
        data.input,
        data.target,
        data.id,
        data.cluster,
        data.evidence,
        data.groups,
        *data.visible,
        *data.slices,
        *more,
    )
    columns = tuple(dict.fromkeys(column for column in named if column is not None))
    return Reading(**data.read.model_dump(), input=data.input, target=data.target, columns=columns)


def id_column(rows: Sequence[Row], data: Data) -> str | None:
    """Return the column of rows' ids: without the key `id`, if a row has one; null: none."""
    if data.id is not None or "id" in data.model_fields_set:
        return data.id
    return "id" if any("id" in row.values for row in rows) else None


def columns_of(rows: Sequence[Row]) -> dict[str, None]:
    """Return the columns that any of some rows has, in the order in which they are met."""
    return {name: None for row in rows for name in row.values}


def absent_everywhere(
    rows: Sequence[Row],
    known: Collection[str],
    data: Data,
    key: str,
    elsewhere: Collection[str] = (),
) -> Iterator[Fault]:
    """Yield a fault for each column under a key of `data` that none of a file's rows has.

    Args:
        rows: of the file.
        known: the columns that they have.
        data: the columns' names.
        key: of `data`; it names a column, a list of them, or none.
        elsewhere: columns of the task's other files.
    """
    wanted = getattr(data, key)
    columns = wanted if isinstance(wanted, list) else [wanted]
    for column in columns if rows else ():
        if column is None or column in known:
            continue
        if key == "target" and column == target_of_chat(data.input):
            what = f"'{data.input}' is the target too, and holds no chat: no strategy may see it"
            yield Fault(rows[0].where, what, "name another column as `input` or `target`")
            continue
        what = unknown_name("column", column, known)
        near = nearest_name(column, known)
        if column in elsewhere:
            fix = f"rename '{near}' to '{column}' in this file" if near else "add it to this file"
        elif near is None:
            fix = f"name one of these columns as `{key}` under `data`, or add the column"
        else:
            right = [near if name == column else name for name in columns]
            written = json.dumps(right if isinstance(wanted, list) else near, ensure_ascii=False)
            fix = f"write `{key}: {written}` under `data`"
        yield Fault(rows[0].where, what, fix)


def absent_from(row: Row, columns: Collection[str]) -> list[Fault]:
    """Return a fault for each column that a row lacks, or that holds nothing: null or NaN.

    Args:
        row: of a file.
        columns: different ones.
    """
    found = []
    values = row.values
    for column in columns:
        if type(values.get(column)) is str:  # nearly all are: of a million rows it counts
            continue
        if column not in values:
            what = unknown_name("column", column, values)
            found.append(Fault(row.where, what, "add it to this row, or leave out the row"))
        elif values[column] is None:
            found.append(Fault(row.where, f"'{column}' is null", ADD_OR_LEAVE))
        elif nothing := not_finite(row, column):
            found.append(nothing)
    return found


def not_finite(row: Row, column: str) -> Fault | None:
    """Return the fault of a column that is NaN or infinite, as pandas writes what is missing."""
    value = row.values[column]
    if not isinstance(value, float) or isfinite(value):
        return None
    what = f"'{column}' is {json.dumps(value)}, which is no value"
    return Fault(row.where, what, ADD_OR_LEAVE)


def no_number(row: Row, columns: Sequence[str]) -> Iterator[Fault]:
    """Yield a fault for each visible column that holds NaN or Infinity, also deep inside."""
    for column in columns:
        try:
            json.dumps(row.values.get(column), allow_nan=False)
        except ValueError:
            what = f"'{column}' holds NaN or Infinity, which is no value"
            yield Fault(row.where, what, "write null where nothing is known, or leave out the row")
