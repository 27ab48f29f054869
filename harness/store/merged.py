"""What a merged run folder says of the runs that it was made of; knows neither arms nor scores."""

from __future__ import annotations

from harness.files.hashing import sha256_of
from harness.store.base import Record
from harness.store.machine import Hardware


class MergedRun(Record):
    """One run that a merged folder was made of."""

    started_at: str
    """UTC, ISO 8601."""
    command: str
    hardware: Hardware
    """What it was on."""


class TwoAnswers(Record):
    """A trial that two of the runs did, with different answers: those of one count."""

    trial_id: str
    """Of the answers that count."""
    served_sha256: str
    """Hash of the record of how they were given: with others in their place this is not so."""
    text: str
    """Who answered, how many answers differ, and which count, in a sentence."""


def served_sha256(serve: Record | None) -> str:
    """Return what tells how answers were given from how others were.

    Args:
        serve: of the trial, as its record has it.
    """
    return sha256_of(None if serve is None else serve.model_dump(mode="json"))


class Merged(Record):
    """The runs that a folder was made of, and where they disagreed."""

    runs: tuple[MergedRun, ...]
    two_answers: tuple[TwoAnswers, ...] = ()
