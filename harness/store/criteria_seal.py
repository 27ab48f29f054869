"""What counts as success, sealed by a hash before anything runs, and checked by the analysis.

Running seals and judging checks, so that criteria which were edited in between are noticed. It is
no signature: who edits the hash as well is not found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of
from harness.metrics.custom import source_of

CRITERIA = ("metric", "also", "limits", "needs", "traffic", "labour", "margin")
"""The keys of a task that say what counts as success, and what it may cost."""


def seal(
    task: Mapping[str, Any],
    prices: Mapping[str, Any] | None,
    folder: Path | None,
    keys: Sequence[str] = CRITERIA,
) -> str:
    """Return the hash of all that the verdict rests on besides what is measured.

    Args:
        task: the task file, resolved.
        prices: the price rows that apply.
        folder: of the task file, where the file of a metric of its own is found.
        keys: of the task that are sealed, besides prices and the sources of its metrics.

    Raises:
        OSError: the file of a metric cannot be read.
    """
    criteria = {key: task[key] for key in keys}
    sources = [source_of(name, folder) for name in (task["metric"], *task["also"])]
    return sha256_of({**criteria, "metrics": sources, "prices": prices})
