"""What of a corpus is left out: no fault of the task, but said before a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """A document that is left out."""

    where: str
    """The file below the corpus, with a line where it is a row."""
    why: str
    """In words that follow "left out:"."""


class UnreadableError(Exception):
    """Raised by a format's reader: the file has nothing to read; says why."""


EMPTY = "no text in them (pages that are pictures need text recognition first)"
NOT_TEXT = "not UTF-8 text (save them as UTF-8)"
UNNAMEABLE = "names that are not UTF-8 (rename them)"
ENCRYPTED = "encrypted (save them without a password)"
DAMAGED = "damaged (save them anew)"
