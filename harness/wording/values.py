"""Values of rows and descriptions of labels as the text that a model reads: never Python's repr."""

from __future__ import annotations

import json
import unicodedata
from typing import Any


def value_text(value: Any) -> str:
    """Return a value as a model reads it.

    A text is itself; a list of texts and numbers is its items with "; " between them, as this
    project's own columns write lists; whatever holds more (an object, a list of lists) and what is
    no text (true, null) is JSON.
    """
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)  # numbers as their file writes them
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return "; ".join(value_text(item) for item in value)
    return json.dumps(value, ensure_ascii=False, default=str)


def nfc(text: str) -> str:
    """Return `text` in Unicode's form C: "ä" is one character, however it was written."""
    return unicodedata.normalize("NFC", text)
