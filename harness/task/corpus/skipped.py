"""Documents that are left out of a corpus: no fault of the task, but reported before a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Skipped:
    """A document that is left out."""

    where: str
    """The file's path below the corpus, with a line number if it is a row."""
    why: str
    """Words that follow "left out:"."""


class UnreadableError(Exception):
    """Raised by a format's reader if the file has nothing to read; the message tells why."""


EMPTY = "no text in them (pages that are pictures need text recognition first)"
NOT_TEXT = "not UTF-8 text (save them as UTF-8)"
UNNAMEABLE = "names that are not UTF-8 (rename them)"
ENCRYPTED = "encrypted (save them without a password)"
LINKED_FOLDER = "links to folders (copy the folders in)"
LEAVES = "links that leave the corpus (copy the files in)"
NO_FILE = "no regular files, but pipes, devices or sockets (save their content in files)"
TOO_LARGE = "too large (cut them into several)"
TOO_SLOW = "slow to read: tags or pages that never end (save them anew, or as text)"
DAMAGED = "damaged (save them anew)"
