"""What two runs did not have alike: task, data, models, versions and machine.

Reads headers alone. Values are shown as short texts; nobody computes with them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from harness.store.records import RunHeader

Part = Literal["task", "data", "model", "versions"]
MOST_CHARACTERS = 120
"""Of a value; a longer one is cut."""
ABSENT = "–"
"""Stands where one of the two runs has no such thing."""
HASH = 12
"""Characters of a hash that are shown."""
OF_DATA = {
    "train_n": "training rows",
    "validation_n": "validation rows",
    "test_n": "test rows",
    "test_total_n": "test rows before --limit",
}


@dataclass(frozen=True)
class SetupChange:
    """One thing that the two runs do not have alike."""

    part: Part
    what: str
    """A key of the task file, a split, a model or a package."""
    before: str
    after: str


def setup_changes(before: RunHeader, after: RunHeader) -> tuple[SetupChange, ...]:
    """Return all that differs, part by part."""
    return tuple(
        SetupChange(part, what, _short(was.get(what)), _short(now.get(what)))
        for part in ("task", "data", "model", "versions")
        for was, now in [(_facts(before, part), _facts(after, part))]
        for what in dict.fromkeys([*was, *now])
        if was.get(what) != now.get(what)
    )


def _facts(run: RunHeader, part: Part) -> dict[str, Any]:
    match part:
        case "task":
            return dict(_flat("", run.task))
        case "data":
            return dict(_of_data(run))
        case "model":
            return dict(_of_models(run))
        case "versions":
            return dict(_of_versions(run))


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of a task by their dotted keys; entries with names by these."""
    if isinstance(value, Mapping) and value:
        for name, inside in value.items():
            yield from _flat(f"{key}.{name}" if key else str(name), inside)
    elif isinstance(value, list) and (names := _names(value)):
        for name, inside in zip(names, value, strict=True):
            yield from _flat(f"{key}.{name}", inside)
    elif value is not None:
        yield key, value


def _names(entries: list[Any]) -> list[str]:
    """Return the names of a list's entries; none where any lacks one, or two have the same."""
    names = [str(one["name"]) for one in entries if isinstance(one, Mapping) and one.get("name")]
    return names if len(set(names)) == len(entries) else []


def _of_data(run: RunHeader) -> Iterator[tuple[str, Any]]:
    for key, words in OF_DATA.items():
        yield words, getattr(run.data, key)
    for split, found in run.data.sha256.items():
        yield f"content of {split}", found[:HASH]


def _of_models(run: RunHeader) -> Iterator[tuple[str, Any]]:
    for name, model in run.models.items():
        yield name, "used"
        yield f"{name}, revision", model.revision
        yield f"{name}, content", model.sha256[:HASH] if model.sha256 else None
    yield "device", run.device
    yield "dtype", run.dtype


def _of_versions(run: RunHeader) -> Iterator[tuple[str, Any]]:
    yield "commit", run.git_commit[:HASH] if run.git_commit else None
    yield from sorted(run.packages.items())
    machine = run.machine
    yield "Python", machine.python
    yield "system", machine.os
    yield "processor", f"{machine.cpu_model}, {machine.cores} cores"


def _short(value: Any) -> str:
    if value is None:
        return ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + "…"
