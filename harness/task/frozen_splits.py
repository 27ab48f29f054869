"""The file beside a task that says which row is in which split, whatever rows are added later.

Knows ids and what belongs together; how rows are cut in the first place is split_cut.py and
time_cut.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from harness.errors import Fault
from harness.files.atomic import atomic_write
from harness.files.bounded import MIB, read_bounded
from harness.files.user_path import user_path
from harness.store.split_record import SplitsRecord, changes, recorded_splits
from harness.task.columns import id_column
from harness.task.named_splits import LEFT_OUT
from harness.task.rows import Row, as_text
from harness.task.schema import Data
from harness.task.split_cut import SPLITS, shared
from harness.task.split_spec import SplitSpec
from harness.types import Split

MOST_BYTES = 512 * MIB
"""Of a frozen file; a million rows take about 60."""
CUT_ANEW = "remove the file to cut anew"


class Frozen(NamedTuple):
    """A frozen file that was read."""

    path: Path
    record: SplitsRecord


def read_frozen(split: SplitSpec, folder: Path, faults: list[Fault]) -> Frozen | None:
    """Read the frozen file of a task; None: there is none yet, or it cannot be used.

    Args:
        split: names it, and says how rows are cut.
        folder: of the task file.
        faults: receives what is wrong with it.
    """
    if split.frozen is None:
        return None
    path = folder / user_path(split.frozen)
    if not path.exists():
        return None
    try:
        record = SplitsRecord.model_validate_json(read_bounded(path, MOST_BYTES, folder))
    except (OSError, ValidationError, ValueError) as problem:
        first = str(getattr(problem, "strerror", None) or problem).splitlines()[0]
        fix = f"take back the file that `run` wrote, or {CUT_ANEW}"
        faults.append(Fault(str(path), f"holds no frozen splits: {first}", fix))
        return None
    if record.cut != how_cut(split):
        what = f"was cut by {_words(record.cut)}, and the task says {_words(how_cut(split))}"
        faults.append(Fault(str(path), what, f"write what stood there, or {CUT_ANEW}"))
        return None
    return Frozen(path, record)


def how_cut(split: SplitSpec) -> dict[str, object]:
    """Return what decides a cut, as the frozen file keeps it."""
    return split.model_dump(mode="json", exclude={"frozen"}, exclude_none=True)


def _words(cut: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in cut.items()) or "nothing"


def by_frozen(rows: Sequence[Row], frozen: Frozen, data: Data) -> dict[str, list[Row]]:
    """Put rows into the splits that a frozen file names.

    Rows that it does not name are train. Those that belong to a test or validation row, by cluster
    or input, are in no split (`LEFT_OUT`): to learn from them would be to learn the answer.

    Args:
        rows: all of them.
        frozen: the file.
        data: names the columns.
    """
    places = {
        row_id: (at, name)
        for name, some in frozen.record.splits.items()
        for at, row_id in enumerate(some.ids)
    }
    ids = id_column(rows, data)
    assert ids is not None, "see `without_ids`"
    known: dict[str, list[tuple[int, Row]]] = {name: [] for name in SPLITS}
    new = []
    for row in rows:
        at, name = places.get(as_text(row.values.get(ids)) or "", (0, ""))
        if name in known:
            known[name].append((at, row))
        else:
            new.append(row)
    # In the order in which they were cut, so that a split without changes is the very same.
    parts = {
        name: [row for _, row in sorted(some, key=itemgetter(0))] for name, some in known.items()
    }
    parts[LEFT_OUT] = []
    held_out = {shared(row, data) for name in ("validation", "test") for row in parts[name]}
    for row in new:
        parts[LEFT_OUT if shared(row, data) in held_out else "train"].append(row)
    return parts


def without_ids(rows: Sequence[Row], split: SplitSpec, data: Data) -> Iterator[Fault]:
    """Yield the fault of rows that are to be frozen and have no ids to be known by."""
    if split.frozen is not None and rows and id_column(rows, data) is None:
        what = "this row has no id, and split.frozen keeps rows by their ids"
        yield Fault(rows[0].where, what, "give each row an id, and name its column as data.id")


def since_frozen(frozen: Frozen, splits: Mapping[str, Split], left_out: int) -> Iterator[str]:
    """Say what of the rows changed since they were frozen, in sentences."""
    now = recorded_splits(splits, test_targets=True)
    told = [line for line in changes(frozen.record, now) if "in another order" not in line]
    if told:
        yield f"changed since {frozen.path.name} was written: {'; '.join(told)}"
    if left_out:
        yield (
            f"{left_out} rows that {frozen.path.name} does not name are left out: their cluster or"
            " input is that of a test or validation row"
        )


def freeze(split: SplitSpec | None, folder: Path, splits: Mapping[str, Split]) -> Path | None:
    """Write the frozen file of a task that names one, where there is none yet.

    Args:
        split: of the task.
        folder: of the task file.
        splits: all rows.

    Returns:
        The path of what was written.

    Raises:
        OSError: it cannot be written.
    """
    path = None if split is None or split.frozen is None else folder / user_path(split.frozen)
    if split is None or path is None or path.exists():
        return None
    record = recorded_splits(splits, cut=how_cut(split), test_targets=True)
    atomic_write(path, record.model_dump_json() + "\n")
    return path
