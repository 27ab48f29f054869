"""Reads rows from Parquet, and from tables in memory that other readers bring.

Whole numbers are digits, fractions and truth values as JSON writes them, dates as ISO 8601 does;
numbers of classes that the file gives names to (as `datasets` writes them) are these names. Row 1
is the first one. What the file says of its sizes is checked before anything is unpacked.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator
from datetime import date, time
from typing import Any

from harness.errors import Fault
from harness.files.bounded import MIB
from harness.task.rows.content import MOST_BYTES
from harness.task.rows.reading import Reading

MOST_CELLS = 100_000_000
"""Of a file, items of lists counted: a few bytes may stand for any number of them."""
MOST_ROWS = 20_000_000
"""Likewise; each is an object of some 300 bytes in memory."""
AT_ONCE = 10_000
"""Rows that are turned into Python's values together."""
SMALLER = "write a smaller one, or several"
INSTALL = "pip install 'worth-tuning[parquet]'"


class TooMuchError(ValueError):
    """A table that is whole and more than memory holds."""


def parquet_rows(
    content: bytes, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the values of each row; add what is wrong to `faults`."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        faults.append(Fault(path, "Parquet needs pyarrow, which is not installed", INSTALL))
        return
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        if too_much := _too_much(file.metadata):
            faults.append(Fault(path, too_much, SMALLER))
            return
        # Texts that stand often are kept once, as the file has them: unpacked they may be endless.
        texts = [
            column.path
            for column in map(file.metadata.schema.column, range(file.metadata.num_columns))
            if column.physical_type == "BYTE_ARRAY"
        ]
        file = pq.ParquetFile(io.BytesIO(content), read_dictionary=texts)
        names = _class_names(file.schema_arrow.metadata)
        batches = _within_memory(file.iter_batches(batch_size=AT_ONCE))
        yield from table_rows(batches, names, path, reading, faults)
    except TooMuchError as problem:
        faults.append(Fault(path, str(problem), SMALLER))
    except (pa.ArrowException, OSError, ValueError, NotImplementedError) as problem:
        why = str(problem).split("\n", maxsplit=1)[0]
        faults.append(Fault(path, f"is not Parquet that can be read: {why}", "write it anew"))


def _too_much(metadata: Any) -> str | None:
    """Return why a file would not fit in memory, by its own account."""
    if metadata.num_rows > MOST_ROWS:
        return f"has more than {MOST_ROWS:,} rows"
    cells = size = 0
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            cells += max(column.num_values, group.num_rows)
            size += column.total_uncompressed_size
    if size > MOST_BYTES:
        return f"is larger than {MOST_BYTES // MIB:,} MiB once it is unpacked"
    return f"has more than {MOST_CELLS:,} cells" if cells > MOST_CELLS else None


def _within_memory(batches: Iterable[Any]) -> Iterator[Any]:
    """Yield record batches until their nested texts would be more than `MOST_BYTES`.

    Raises:
        TooMuchError: they would. A file keeps a text once that stands in many lists; each of these
            has a copy of its own.
    """
    size = 0
    for batch in batches:
        size += sum(_nested_bytes(column, nested=False) for column in batch.columns)
        if size > MOST_BYTES:
            raise TooMuchError(f"its lists hold more than {MOST_BYTES // MIB:,} MiB of texts")
        yield batch


def _nested_bytes(array: Any, *, nested: bool) -> int:
    """Return the bytes of the texts that lie inside lists and objects of an array, as unpacked."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_struct(kind):
        return sum(_nested_bytes(part, nested=True) for part in array.flatten())
    if pa.types.is_map(kind):
        parts = (array.keys, array.items)
        return sum(_nested_bytes(part, nested=True) for part in parts)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _nested_bytes(array.flatten(), nested=True)
    if not nested or not pa.types.is_dictionary(kind):
        return 0
    lengths = pc.binary_length(array.dictionary)
    return int(pc.sum(pc.take(lengths, array.indices)).as_py() or 0)


def _class_names(metadata: dict[bytes, bytes] | None) -> dict[str, list[str]]:
    """Return the names of classes by column, as `datasets` keeps them in a file's metadata."""
    try:
        kept = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, ValueError, TypeError):
        return {}
    return {
        column: [str(name) for name in feature["names"]]
        for column, feature in (kept.items() if isinstance(kept, dict) else ())
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def table_rows(
    batches: Any, names: dict[str, list[str]], path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the values of each row of Arrow's record batches.

    Args:
        batches: an iterable of record batches.
        names: of classes, by column.
        path: of the file, for faults.
        reading: receives what is worth saying.
        faults: receives what is wrong.
    """
    number, columns = 0, None
    for batch in batches:
        if columns is None:
            columns = batch.schema.names
            for column in sorted({name for name in columns if columns.count(name) > 1}):
                faults.append(Fault(path, f"the column '{column}' stands twice", "rename one"))
                return
            for column in names.keys() & set(columns):
                what = f"'{column}' holds numbers of classes; rows have the names of these"
                reading.say(path, what)
        values = [_column(batch.column(at), names.get(name)) for at, name in enumerate(columns)]
        for cells in zip(*values, strict=True):
            number += 1
            yield number, dict(zip(columns, cells, strict=True))


def _column(array: Any, names: list[str] | None) -> list[Any]:
    """Return the values of a column as JSON would have them."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        known = [plain_value(value) for value in array.dictionary.to_pylist()]
        return [None if at is None else known[at] for at in array.indices.to_pylist()]
    values = array.to_pylist()
    if names is not None:
        return [names[one] if _is_place(one, names) else None for one in values]
    kind = array.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind) or pa.types.is_string(kind):
        return list(values)
    if pa.types.is_float32(kind) or pa.types.is_float16(kind):
        return [None if one is None else _shortest(one, array.type) for one in values]
    return [plain_value(value) for value in values]


def _is_place(value: Any, names: list[str]) -> bool:
    return isinstance(value, int) and 0 <= value < len(names)


def _shortest(value: float, kind: Any) -> float:
    """Return a short float as the digits that stand for it: 0.1, not 0.10000000149011612."""
    import numpy as np

    return float(str(np.float16(value) if str(kind) == "halffloat" else np.float32(value)))


def plain_value(value: Any) -> Any:
    """Return a value of a typed file as JSON would have it: dates and decimals are texts.

    Raises:
        ValueError: it holds bytes that are no text.
    """
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): plain_value(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(part) for part in value]
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return value.isoformat() if isinstance(value, date | time) else str(value)
