"""Writes the training rows that pass the audit, and beside them which were left out and why.

Training rows alone: without a test row the score would be of another question, which nobody should
change by an option. No file that is there is ever written over.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.store.finding import Finding
from harness.task.audit.label_errors import KIND as LABEL_ERRORS
from harness.task.audit.near_duplicates import near_rows
from harness.task.audit.personal_data import held
from harness.task.audit.strange_texts import is_garbled
from harness.task.load import Task
from harness.task.same_input import key_of

Reasons = Mapping[str, list[str]]
"""Id of a training row to why it is left out; rows that pass are not in it."""


def reasons(task: Task, deep: Iterable[Finding] | None = None) -> Reasons:
    """Return which training rows do not pass.

    Args:
        task: with its data.
        deep: what the slow audit found; None: it did not look.
    """
    found: dict[str, list[str]] = defaultdict(list)
    elsewhere = {key_of(query): "validation" for query in task.validation.queries}
    elsewhere |= {key_of(query): "test" for query in task.test.queries}
    alike: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for at, example in enumerate(task.train):
        query, key = example.query, key_of(example.query)
        alike[key, query.groups].append(at)
        if key in elsewhere:
            found[query.id].append(f"its input also stands in {elsewhere[key]}")
        whole = "\n".join([query.full_text, *(() if task.labels else example.targets)])
        if is_garbled(whole):
            found[query.id].append("it holds garbled characters")
        for kind in dict.fromkeys(kind.name for kind, _ in held(whole)):
            found[query.id].append(f"it holds {kind}")
    for places in alike.values():
        _repeats(task, places, found)
    if deep is not None:
        across, _ = near_rows({s.name: s for s in (task.train, task.validation, task.test)})
        for _, test, train in across:
            found[train].append(f"it is nearly the test input {test}")
        for row in (row for one in deep if one.kind == LABEL_ERRORS for row in one.rows):
            found[row].append("its label is likely wrong")
    own = {query.id for query in task.train.queries}
    return {row: why for row, why in found.items() if row in own}


def _repeats(task: Task, places: list[int], found: dict[str, list[str]]) -> None:
    """Leave out all rows that ask the same if they differ in answers, else all but the first."""
    rows = [task.train[at] for at in places]
    first = rows[0]
    if any(set(row.targets).isdisjoint(first.targets) for row in rows):
        for row in rows:
            found[row.query.id].append("another row asks the same and has another right answer")
        return
    for row in rows[1:]:
        found[row.query.id].append(f"it repeats {first.query.id}")


def write_clean(task: Task, file: Path, deep: Iterable[Finding] | None = None) -> str:
    """Write the training rows that pass as JSON lines, in the task's own columns.

    Args:
        task: with its data.
        file: to write; `FILE.left-out.jsonl` beside it says which rows were left out and why.
        deep: what the slow audit found; None: it did not look.

    Returns:
        What was written, in a sentence.

    Raises:
        UserError: a file stands there, or cannot be written.
    """
    why = reasons(task, deep)
    beside = file.with_name(f"{file.name}.left-out.jsonl")
    clean = [_row(task, at) for at, row in enumerate(task.train) if row.query.id not in why]
    left = [{"id": row, "why": said} for row, said in why.items()]
    for path, rows in ((file, clean), (beside, left)):
        try:
            with path.open("x", encoding="utf-8") as stream:
                stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        except FileExistsError:
            raise UserError(f"{path} is there already → name a file that is not") from None
    return (
        f"{len(clean)} of {len(task.train)} training rows written to {file}; {beside} says why the"
        f" other {len(left)} were left out"
    )


def _row(task: Task, at: int) -> dict[str, Any]:
    """Return a training row with the columns that the task names."""
    data, example = task.spec.data, task.train[at]
    query, targets = example.query, list(example.targets)
    found: dict[str, Any] = {data.id or "id": query.id, data.input: query.text, **query.fields}
    found[data.target] = targets if len(targets) > 1 else targets[0]
    if data.groups:
        found[data.groups] = list(query.groups)
    if data.cluster:
        found[data.cluster] = task.clusters["train"][at]
    if data.evidence and query.id in task.evidence:
        found[data.evidence] = list(task.evidence[query.id])
    return found
