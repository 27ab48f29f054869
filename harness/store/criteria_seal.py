"""What counts as success, sealed by a hash before anything runs, and checked by the analysis.

Running seals and judging checks, so that criteria which were edited in between are noticed: the
hash covers the list of what is sealed, too, so that nothing is unsealed by a shorter one. It is no
signature: who edits the hash as well is not found out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of
from harness.metrics.custom import source_of
from harness.store.records import RunHeader

CRITERIA = ("metric", "also", "limits", "needs", "traffic", "labour", "margin")
"""The keys of a task that say what counts as success, and what it may cost."""
COVERS_THE_LIST = "2:"
"""Begins a seal whose hash covers the list of keys and the recorded hashes of metrics' files; those
of earlier versions covered neither, and read the files."""


def seal(
    task: Mapping[str, Any],
    prices: Mapping[str, Any] | None,
    metric_sha256: Mapping[str, str],
    keys: Sequence[str] = CRITERIA,
) -> str:
    """Return the hash of all that the verdict rests on besides what is measured.

    Args:
        task: the task file, resolved.
        prices: the price rows that apply.
        metric_sha256: as `metric_hashes` gives them.
        keys: of the task that are sealed, besides prices and the files of its metrics.
    """
    criteria = {key: task.get(key) for key in keys}
    sources = dict(metric_sha256)
    whole = {"criteria": criteria, "sealed": list(keys), "metrics": sources, "prices": prices}
    return f"{COVERS_THE_LIST}{sha256_of(whole)}"


def metric_hashes(task: Mapping[str, Any], folder: Path | None) -> dict[str, str]:
    """Return the hash of the file of each metric of the task's own, by the metric's name.

    Raises:
        OSError: one cannot be read.
    """
    sources = {name: source_of(name, folder) for name in (task["metric"], *task["also"])}
    return {name: found[1] for name, found in sources.items() if not isinstance(found, str)}


def edited_since_sealed(header: RunHeader) -> bool:
    """Tell whether criteria on record have another hash than was sealed, by the record alone.

    False where an early version sealed them in another way.
    """
    if not header.criteria_sha256.startswith(COVERS_THE_LIST):
        return False
    now = seal(header.task, header.prices, header.metric_sha256, header.sealed)
    return now != header.criteria_sha256


def seal_of_earlier_versions(
    task: Mapping[str, Any],
    prices: Mapping[str, Any] | None,
    folder: Path | None,
    keys: Sequence[str],
) -> str:
    """Return the hash as earlier versions sealed: of the values of the keys, not of the keys.

    Raises:
        OSError: the file of a metric cannot be read.
    """
    criteria = {key: task.get(key) for key in keys}
    sources = [source_of(name, folder) for name in (task["metric"], *task["also"])]
    return sha256_of({**criteria, "metrics": sources, "prices": prices})
