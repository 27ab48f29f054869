"""Turns rows into frozen splits of examples.

Knows the meaning of columns; knows nothing of strategies or models.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.errors import Fault, unknown_name
from harness.task.gold import GoldReader, GoldRow
from harness.task.row_files import Row, as_text
from harness.task.schema import Data
from harness.types import Example, Query, Split


def examples_of(
    name: str,
    rows: Sequence[Row],
    data: Data,
    reader: GoldReader,
    seen: dict[str, str],
    faults: list[Fault],
) -> tuple[Split, list[GoldRow]]:
    """Build one split and, for the analysis, what is right of it.

    Args:
        name: "train", "validation" or "test".
        rows: the raw rows.
        data: the meaning of the columns.
        reader: reads targets and evidence.
        seen: every id so far, of other splits too, and where it stands; receives those of `rows`.
        faults: receives everything that is wrong with a row.

    Returns:
        The split, and one truth row for each example, in the same order.
    """
    id_column = data.id or ("id" if any("id" in row.values for row in rows) else None)
    examples, truth = [], []
    for number, row in enumerate(rows, start=1):
        row_faults = _missing_columns(row, data, id_column)
        if not row_faults:
            targets = reader.targets(row, data.target, row_faults)
            evidence = reader.evidence(row, data.evidence, row_faults) if data.evidence else ()
            query = query_of(row, data, id_column, f"{name}-{number}", row_faults)
            if query.id in seen:
                what = f"the id '{query.id}' already stands at {seen[query.id]}"
                row_faults.append(Fault(row.where, what, "ids are unique, also across splits"))
            elif query.id:
                seen[query.id] = row.where
        faults.extend(row_faults)
        if row_faults:
            continue
        examples.append(Example(query, targets))
        slices = {column: str(row.values[column]) for column in data.slices}
        cluster = str(row.values[data.cluster]) if data.cluster else None
        truth.append(GoldRow(query.id, targets, slices, cluster, evidence))
    return Split(name, tuple(examples)), truth


def new_queries(rows: Sequence[Row], data: Data, faults: list[Fault]) -> list[Query]:
    """Return what rows without targets ask, read as a task's rows are.

    A row without an id is called by its number.
    """
    id_column = data.id or "id"
    queries = []
    for number, row in enumerate(rows, start=1):
        row_faults = _absent(row, [data.input, *data.visible])
        if not row_faults:
            named = id_column if row.values.get(id_column) is not None else None
            queries.append(query_of(row, data, named, str(number), row_faults))
        faults.extend(row_faults)
    return queries


def query_of(
    row: Row, data: Data, id_column: str | None, default_id: str, faults: list[Fault]
) -> Query:
    """Return what a row that has its columns asks; add what is wrong with it to `faults`."""
    text = _text_of(row, data.input, faults)
    row_id = _text_of(row, id_column, faults) if id_column else default_id
    groups = groups_of(row, data.groups, faults)
    return Query(row_id, text, {column: row.values[column] for column in data.visible}, groups)


def groups_of(row: Row, column: str | None, faults: list[Fault]) -> tuple[str, ...]:
    """Return the groups of who asks: a list of texts, or one text with semicolons between them.

    A value that is null or empty is no group.
    """
    value = row.values.get(column) if column else None
    names = value.split(";") if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        what = f"'{column}' must be a text or a list of texts, not {value!r}"
        faults.append(Fault(row.where, what, 'write e.g. ["staff", "2"]'))
        return ()
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def _missing_columns(row: Row, data: Data, id_column: str | None) -> list[Fault]:
    wanted = [data.input, data.target, *data.visible, *data.slices, data.cluster, id_column]
    found = _absent(row, wanted)
    found += [
        _unknown_column(row, column)
        for column in (data.groups, data.evidence)  # these may be null
        if column is not None and column not in row.values
    ]
    return found


def _absent(row: Row, columns: Sequence[str | None]) -> list[Fault]:
    return [
        Fault(row.where, f"'{column}' is null", "give it a value, or leave out the row")
        if column in row.values
        else _unknown_column(row, column)
        for column in dict.fromkeys(columns)
        if column is not None and row.values.get(column) is None
    ]


def _unknown_column(row: Row, column: str) -> Fault:
    return Fault(row.where, unknown_name("column", column, row.values), "see the keys of `data`")


def _text_of(row: Row, column: str, faults: list[Fault]) -> str:
    text = as_text(row.values[column])
    if text is None:
        faults.append(Fault(row.where, f"'{column}' must be a text, not {row.values[column]!r}"))
    elif not text.strip():
        faults.append(Fault(row.where, f"'{column}' is empty"))
    return text or ""
