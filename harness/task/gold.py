"""What is right of a row: its accepted answers, and the gold documents that hold them.

Knows the task's form of an answer and the ids of its documents; knows nothing of files or splits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import Fault, unknown_name
from harness.metrics import read_object, written
from harness.task.row_files import Row, as_text


@dataclass(frozen=True)
class GoldRow:
    """What only the analysis may know of a test row."""

    id: str
    targets: tuple[str, ...]
    slices: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    evidence: tuple[str, ...] = ()
    """Ids of the documents that hold the answer."""


@dataclass(frozen=True)
class GoldReader:
    """Reads targets and evidence as the task wants them."""

    labels: Mapping[str, str]
    """The allowed targets; empty unless answers are choices."""
    complaint: Callable[[Any], str | None] | None = None
    """What is wrong with a JSON answer, where answers are JSON objects."""
    no_answer: str | None = None
    """What an empty target stands for; None: an empty target is a fault."""
    documents: frozenset[str] = frozenset()
    """Ids of the corpus's documents."""

    def targets(self, row: Row, column: str, faults: list[Fault]) -> tuple[str, ...]:
        """Return the accepted answers of a row; add what is wrong with them to `faults`."""
        value = row.values[column]
        if self.complaint is not None:
            return _objects(row, column, self.complaint, faults)
        if self.no_answer is not None and (value == [] or not str(value).strip()):
            return (self.no_answer,)
        targets = tuple(as_text(one) for one in (value if isinstance(value, list) else [value]))
        if not targets or any(target is None or not target.strip() for target in targets):
            what = f"'{column}' must be a text or a list of texts, not {value!r}"
            faults.append(Fault(row.where, what))
        elif self.labels:
            for target in targets:
                if target not in self.labels:
                    what = unknown_name("label", str(target), self.labels)
                    faults.append(Fault(row.where, what))
        return tuple(target for target in targets if target is not None)

    def evidence(self, row: Row, column: str, faults: list[Fault]) -> tuple[str, ...]:
        """Return the ids of the documents that hold a row's answer, maybe none."""
        value = row.values[column]
        given = value if isinstance(value, list) else [] if value in (None, "") else [value]
        ids = [as_text(one) for one in given]
        if None in ids:
            what = f"'{column}' must be the id of a document or a list of ids, not {value!r}"
            faults.append(Fault(row.where, what))
        for one in ids:
            if one is not None and self.documents and one not in self.documents:
                what = f"'{column}' names '{one}', and no document has that id"
                fix = "a document's id is its path in the folder without the ending, or its `id`"
                faults.append(Fault(row.where, what, fix))
        return tuple(dict.fromkeys(one for one in ids if one is not None))


def _objects(
    row: Row, column: str, complaint: Callable[[Any], str | None], faults: list[Fault]
) -> tuple[str, ...]:
    """Return the accepted answers of a row as JSON texts, the same for equal objects."""
    value = row.values[column]
    found = []
    for one in value if isinstance(value, list) and value else [value]:
        target = read_object(one if isinstance(one, str) else written(one))
        if target is None:
            what = f"'{column}' must be a JSON object or a list of them, not {one!r}"
            faults.append(Fault(row.where, what))
        elif wrong := complaint(target):
            what = f"'{column}' is not valid under answer.schema: {wrong}"
            faults.append(Fault(row.where, what, "correct the row or the schema"))
        else:
            found.append(written(target))
    return tuple(found)
