"""Inputs without answers that arms learn from: read as a task's rows are, and kept apart from them.

An input that also stands in the task's splits is left out: of the test split because it is to be
answered unseen, of the others because its right answer is known already. Knows no strategy by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import Fault
from harness.store.finding import Finding
from harness.task.columns import reading_of
from harness.task.rows import read_rows
from harness.task.same_input import key_of
from harness.task.schema import Data
from harness.task.splits import new_queries
from harness.types import Query, Split


@dataclass(frozen=True)
class Unlabelled:
    """The inputs of one file, each once."""

    queries: tuple[Query, ...]
    left_out: Mapping[str, int]
    """Where inputs that were left out stand: a split's name, or "file" of repeated ones."""
    said: tuple[str, ...] = ()
    """What was found of how the file is to be read."""

    def findings(self, name: str) -> Iterator[Finding]:
        """Yield what is worth saying of a file."""
        for found in self.said:
            yield Finding.of_sentence(found, "how the data were read")
        for where, count in self.left_out.items():
            stand = "are repeated" if where == "file" else f"also stand in the {where} split"
            text = f"{name}: {count} of its inputs {stand}; they are left out"
            yield Finding(kind="unlabelled inputs left out", text=text, count=count)


def read_unlabelled(
    file: Path, data: Data, splits: Mapping[str, Split], faults: list[Fault]
) -> Unlabelled:
    """Read a file of inputs.

    Args:
        file: of rows; those without an id are called by their number.
        data: names of columns; a target that a row has is not read.
        splits: the task's.
        faults: receives what is wrong.
    """
    earlier = len(faults)
    reading = reading_of(data)
    rows = read_rows(file, faults, reading=reading)
    queries = new_queries(rows, data, faults)
    if len(faults) > earlier:
        return Unlabelled((), {})
    known = {key_of(query): name for name, rows in splits.items() for query in rows.queries}
    known |= {key_of(query): "test" for query in splits["test"].queries}
    kept: list[Query] = []
    left_out: Counter[str] = Counter()
    for number, (row, query) in enumerate(zip(rows, queries, strict=True), start=1):
        key = key_of(query)
        if key in known:
            left_out[known[key]] += 1
            continue
        known[key] = "file"
        named = row.values.get(data.id or "id") is not None
        kept.append(query if named else replace(query, id=f"unlabelled{number}"))
    if not kept:
        what = f"all {len(rows)} inputs also stand in the task's splits, so none is left"
        faults.append(Fault(str(file), what, "name a file of other inputs"))
    return Unlabelled(tuple(kept), dict(left_out), tuple(reading.findings()))


def read_all(
    files: Sequence[Path], data: Data, splits: Mapping[str, Split], faults: list[Fault]
) -> dict[str, Unlabelled]:
    """Return what several files hold, by their paths; see `read_unlabelled`."""
    return {str(file): read_unlabelled(file, data, splits, faults) for file in dict.fromkeys(files)}
