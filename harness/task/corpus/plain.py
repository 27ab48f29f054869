"""Reads .md and .txt files."""

from __future__ import annotations

import re
from pathlib import Path

from harness.task.corpus.skipped import NOT_TEXT, UnreadableError

TITLE_CHARACTERS = 200
"""A first line that is longer is text, not a title."""


def read_plain(file: Path) -> tuple[str, str]:
    """Return title and text; the title is a heading on the first line, else the file's name.

    Raises:
        UnreadableError: it is not text, whatever its ending is.
        OSError: it cannot be opened.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableError(NOT_TEXT) from None
    if "\0" in text:
        raise UnreadableError(NOT_TEXT)
    first_line, _, rest = text.lstrip().partition("\n")
    underlined = re.match(r" {0,3}=+\s*$", rest.split("\n", 1)[0])
    titled = (first_line.startswith("#") or underlined) and len(first_line) <= TITLE_CHARACTERS
    return (first_line.strip("# ") if titled else "") or file.stem, text
