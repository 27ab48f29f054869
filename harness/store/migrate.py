"""Reads records of earlier versions: one pure function for each step from a version to the next.

A step takes all records of a file, in their order, and returns them all; it changes those of its
own version. Knows the keys that records had, and nothing of what they have now.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from harness.store.finding import Finding

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


def findings_are_records(records: Sequence[Values]) -> list[Values]:
    """Go from version 2 to 3: what the audit found is a record, and was a sentence."""
    return [_with_records(record) if version_of(record) == 2 else record for record in records]


def _with_records(record: Values) -> Values:
    data = record.get("data")
    if record["kind"] != "header" or not isinstance(data, dict):
        return {**record, "schema_version": 3}
    found = {
        key: [Finding.of_sentence(said).model_dump(mode="json") for said in data[key]]
        for key in ("findings", "expectations")
        if key in data
    }
    return {**record, "schema_version": 3, "data": {**data, **found}}


STEPS: dict[int, Callable[[Sequence[Values]], list[Values]]] = {
    1: each_result_names_its_hardware,
    2: findings_are_records,
}
"""By the version that a step starts from."""
