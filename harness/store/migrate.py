"""Reads records of earlier versions: one pure function for each step from a version to the next.

A step takes all records of a file, in their order, and returns them all; it changes those of its
own version. Knows the keys that records had, and nothing of what they have now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

Values = dict[str, Any]
"""A record as it was read, before it is checked."""
RESULTS = ("fit", "serve", "likelihood", "probe", "robustness")
"""Keys of a trial that hold what one process reported."""


def migrated(records: Sequence[Values]) -> list[Values]:
    """Return records of any version as records of the newest one.

    Args:
        records: of one file, oldest first; of a version that there is a step for, or the newest.
    """
    found = list(records)
    for version in sorted(STEPS):
        found = STEPS[version](found)
    return found


def version_of(record: Values) -> int:
    """Return a record's version; trials of version 1 did not say theirs."""
    return int(record.get("schema_version", 1))


def each_result_names_its_hardware(records: Sequence[Values]) -> list[Values]:
    """Go from version 1 to 2: what a process reported says what it ran on.

    In version 1 only the header of an invocation did. A record may stand in the file again, when
    something was added to it later and elsewhere; so a result ran on the hardware of that header
    under which this very result first stood. A fit is one result, whichever trials share it.
    """
    hardware: Values | None = None
    first: dict[str, Values | None] = {}
    found = []
    for record in records:
        if record["kind"] == "header":
            hardware = {key: record.get(key) for key in ("machine", "device", "dtype")}
        elif record["kind"] != "trial":
            hardware = None  # a damaged line: it may have been a header
        if version_of(record) != 1:
            found.append(record)
            continue
        changed: Values = {"schema_version": 2}
        for key in RESULTS if record["kind"] == "trial" else ():
            if isinstance(result := record.get(key), dict):
                same = json.dumps([key, record.get("fit_id"), result], sort_keys=True)
                changed[key] = {**result, "hardware": first.setdefault(same, hardware)}
        found.append({**record, **changed})
    return found


STEPS: dict[int, Callable[[Sequence[Values]], list[Values]]] = {1: each_result_names_its_hardware}
"""By the version that a step starts from."""
