"""The slow audit of a whole task's labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.store.finding import Finding
from harness.task.audit.label_errors import label_errors
from harness.task.load import Task
from harness.task.same_input import key_of


def likely_label_errors(task: Task) -> tuple[Finding, ...]:
    """Return what the slow audit doubts of the labels of a choice, over all rows of its splits."""
    if not task.labels:
        return ()
    rows = [row for split in (task.train, task.validation, task.test) for row in split]
    rows = [row for row in rows if len(row.targets) == 1]
    queries = [row.query for row in rows]
    return label_errors(
        [query.id for query in queries],
        [key_of(query) for query in queries],
        [query.full_text for query in queries],
        [row.targets[0] for row in rows],
        vectors_of,
    )


def vectors_of(texts: Sequence[str]) -> Any:
    """Return the built-in embedder's vectors: nothing is fetched, and no server sees the rows.

    Returns:
        [texts, dimensions]; None where it cannot be loaded, as words are enough for an audit.
    """
    from harness.errors import ModelError
    from harness.retrieval import DEFAULT_EMBEDDER, Embedder

    try:
        return Embedder(DEFAULT_EMBEDDER, "cpu").embed(texts)
    except ModelError:
        return None
