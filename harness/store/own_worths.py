"""What the answers of a run are worth by metrics of the task's own, found when the run ended.

A report reads them in place of the metric's file, so it runs no code. Kept by answer, not by arm:
arms, floors and perturbed rows give the same answers, and an answer is worth the same in each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, ValidationError

from harness.files.atomic import atomic_write
from harness.files.hashing import sha256_of
from harness.store.base import Record
from harness.store.checksum import checked, with_checksum


class Worths(Record):
    """Of one metric."""

    source_sha256: str
    """Hash of the metric's file as it was run."""
    worths: dict[str, float] = Field({})
    """By `answer_key`, from 0 to 1."""
    problems: dict[str, str] = Field({})
    """By `answer_key`, why the function gave no worth."""


class OwnWorths(Record):
    """Of all metrics of the task's own, by name."""

    metrics: dict[str, Worths]


def answer_key(text: str, targets: tuple[str, ...]) -> str:
    """Return what tells an answer, as it is read, beside its accepted ones from others."""
    return sha256_of([text, list(targets)])[:24]


def write_worths(path: Path, metrics: Mapping[str, Worths]) -> None:
    """Replace the file, with its own checksum."""
    whole = OwnWorths(metrics=dict(metrics)).model_dump_json()
    atomic_write(path, with_checksum(whole))


def read_worths(path: Path) -> dict[str, Worths]:
    """Return the worths by the metric's name; none where the file is missing or damaged."""
    try:
        return OwnWorths.model_validate(checked(path.read_bytes())).metrics
    except (OSError, ValueError, ValidationError):
        return {}
