"""What is right of a row: its accepted answers, and the gold documents that hold them.

Knows the task's form of an answer and the ids of its documents; knows nothing of files or splits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import Fault, shown, unknown_name
from harness.metrics import read_object, written
from harness.task.columns import ADD_OR_LEAVE, not_finite
from harness.task.rows import Row, as_text
from harness.wording.values import nfc


@dataclass(frozen=True, slots=True)
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
    documents: Mapping[str, str] = field(default_factory=dict)
    """Ids of the corpus's documents, each under its form C of Unicode."""
    _chosen: dict[str, tuple[str, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """A text that is a label, to the targets that it stands for: one for all its rows."""

    def targets(self, row: Row, column: str, faults: list[Fault]) -> tuple[str, ...]:
        """Return the accepted answers of a row; add what is wrong with them to `faults`."""
        value = row.values[column]
        if type(value) is str and value in self._chosen:
            return self._chosen[value]
        wrong = len(faults)
        targets = self._read(row, column, value, faults)
        if self.labels and type(value) is str and len(faults) == wrong:
            self._chosen[value] = targets
        return targets

    def _read(self, row: Row, column: str, value: Any, faults: list[Fault]) -> tuple[str, ...]:
        if nothing := not_finite(row, column):
            faults.append(nothing)
            return ()
        if self.complaint is not None:
            return _objects(row, column, self.complaint, faults)
        given = self._given(value)
        if all(one is None or (isinstance(one, str) and not one.strip()) for one in given):
            return self._none(row, column, faults)
        texts = [as_text(one) for one in given]
        targets = tuple(nfc(text) for text in texts if text is not None and text.strip())
        if len(targets) < len(given):
            what = f"'{column}' must be a text or a list of texts, not {shown(value)}"
            faults.append(Fault(row.where, what, ADD_OR_LEAVE))
        if not self.labels:
            return targets
        labels = tuple(target.strip() for target in targets)
        for label in labels:
            if label not in self.labels:
                what = unknown_name("label", label, self.labels)
                faults.append(Fault(row.where, what, "write one of them, or add it to the labels"))
        return labels

    def _given(self, value: Any) -> list[Any]:
        """Return the answers that a target lists.

        SQuAD's rows have a list as `text`, or objects with a `text` each.
        """
        if isinstance(value, dict) and "text" in value and not self.labels:
            value = value["text"]
        given = value if isinstance(value, list) else [value]
        if given and not self.labels and all(isinstance(o, dict) and "text" in o for o in given):
            return [one["text"] for one in given]
        return given

    def _none(self, row: Row, column: str, faults: list[Fault]) -> tuple[str, ...]:
        """Return what a target stands for that is empty: "", null, [] or SQuAD's {"text": []}."""
        if self.no_answer is not None:
            return (self.no_answer,)
        fix = ADD_OR_LEAVE
        if not self.labels:
            fix = (
                'where no answer is right, write `no_answer: "unanswerable"` under `answer`; else '
            )
            fix += "leave out the row"
        faults.append(Fault(row.where, f"'{column}' holds no answer", fix))
        return ()

    def evidence(self, row: Row, column: str, faults: list[Fault]) -> tuple[str, ...]:
        """Return the ids of the documents that hold a row's answer, maybe none."""
        value = row.values[column]
        given = value if isinstance(value, list) else [] if value in (None, "") else [value]
        ids = [as_text(one) for one in given]
        if None in ids:
            what = f"'{column}' must be the id of a document or a list of ids, not {shown(value)}"
            faults.append(Fault(row.where, what, 'write e.g. ["manual/oil"]; [] for none'))
        for one in ids:
            if one is not None and self.documents and nfc(one) not in self.documents:
                what = f"'{column}' names '{one}', and no document has that id"
                fix = "a document's id is its path in the folder without the ending, or its `id`"
                faults.append(Fault(row.where, what, fix))
        known = [self.documents.get(nfc(one), one) for one in ids if one is not None]
        return tuple(dict.fromkeys(known))


def _objects(
    row: Row, column: str, complaint: Callable[[Any], str | None], faults: list[Fault]
) -> tuple[str, ...]:
    """Return the accepted answers of a row as JSON texts, the same for equal objects."""
    value = row.values[column]
    found = []
    for one in value if isinstance(value, list) and value else [value]:
        target = read_object(one if isinstance(one, str) else written(one))
        if target is None:
            what = f"'{column}' must be a JSON object or a list of them, not {shown(one)}"
            faults.append(Fault(row.where, what, ADD_OR_LEAVE))
        elif wrong := complaint(target):
            what = f"'{column}' is not valid under answer.schema: {wrong}"
            faults.append(Fault(row.where, what, "correct the row or the schema"))
        else:
            found.append(written(target))
    return tuple(found)
