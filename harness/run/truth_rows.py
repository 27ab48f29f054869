"""What a run keeps of its test rows: what was asked, and what is right of it.

It is laid down when every answer is closed, so that a report can show a row. Knows no arm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from harness.task import Task


def truth_rows(task: Task) -> Iterator[dict[str, Any]]:
    """Yield the lines of truth.jsonl: each row's gold, its input, and the fields that arms saw."""
    for gold, query in zip(task.truth, task.test.queries, strict=True):
        asked = {"input": query.text, "fields": dict(query.fields), "groups": query.groups}
        yield asdict(gold) | asked
