"""Puts the rows of one file into the splits that a column of theirs names.

Knows the usual names of splits and those that a task gives; knows nothing of inputs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.errors import Fault, shown
from harness.task.columns import absent_from
from harness.task.rows import Row, as_text
from harness.task.split_cut import SPLITS
from harness.task.split_spec import SplitSpec, SplitValues
from harness.wording.values import nfc

USUAL = {
    "train": "train", "training": "train",
    "dev": "validation", "val": "validation", "valid": "validation", "validation": "validation",
    "test": "test", "eval": "test", "evaluation": "test",
}  # fmt: skip
"""What splits are called in data sets, in lower case."""
LEFT_OUT = "left_out"
SHOWN = 5
"""Values that name no split and that are told, each with its first row."""


def by_column(rows: Sequence[Row], split: SplitSpec, faults: list[Fault]) -> dict[str, list[Row]]:
    """Return the rows of each split, in their order.

    Args:
        rows: all of them.
        split: with the column, and perhaps what its values mean.
        faults: receives one fault for each value that names no split, with its first row.
    """
    column = split.column
    assert column is not None
    meant = _meant(split.values)
    parts: dict[str, list[Row]] = {name: [] for name in (*SPLITS, LEFT_OUT)}
    unknown: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if missing := absent_from(row, [column]):
            faults.extend(missing)
            continue
        text = as_text(row.values[column])
        name = None if text is None else meant.get(_key(text, split.values))
        if name is None:
            unknown[shown(row.values[column])].append(row)
        else:
            parts[name].append(row)
    for value, some in list(unknown.items())[:SHOWN]:
        more = f", and so it is in {len(some) - 1} more rows" if len(some) > 1 else ""
        what = f"'{column}' is {value}, which names no split{more}"
        faults.append(Fault(some[0].where, what, _remedy(some[0].values[column], split.values)))
    return parts


def _meant(values: SplitValues | None) -> dict[str, str]:
    if values is None:
        return USUAL
    names = (*SPLITS, LEFT_OUT)
    return {_key(value, values): name for name in names for value in getattr(values, name)}


def _key(text: str, values: SplitValues | None) -> str:
    """Return a value as it is compared: one that the task lists as it is written."""
    return nfc(text.strip()) if values is not None else text.strip().lower()


def _remedy(value: object, values: SplitValues | None) -> str:
    if values is not None:
        return f"add {shown(value)} to one of train, validation, test, left_out in split.values"
    return (
        "say what every value means, e.g. split.values: {train: …, test: …, left_out:"
        f" {shown(value)}}}"
    )
