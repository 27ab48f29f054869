"""A JSON object that carries its own checksum as its last key, so that whoever reads it knows.

It finds what a disk, a cut or a slip of an editor did; it is no signature: who writes the checksum
anew as well is not found out. Objects of earlier versions have none and are read as they are.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

KEY = "sha256"
MARK = f',"{KEY}":"'


class DamagedError(ValueError):
    """A text that is not what was written."""


def with_checksum(text: str) -> str:
    """Return a JSON object with the SHA-256 of all that stands before it as its last key.

    Args:
        text: the object, not empty, without that key; on one line or on several.
    """
    begin = text.rstrip()[:-1].rstrip()
    return f'{begin}{MARK}{_sha256(begin)}"}}'


def checked(text: str | bytes) -> dict[str, Any]:
    """Return the object that a text holds, without its checksum.

    Raises:
        DamagedError: it is no JSON object, or not the one that was written.
    """
    try:
        whole = text.decode() if isinstance(text, bytes) else text
        values = json.loads(whole)
    except (ValueError, RecursionError) as problem:
        raise DamagedError(str(problem).split("\n")[0]) from problem
    if not isinstance(values, dict):
        raise DamagedError("it is no object")
    if (said := values.pop(KEY, None)) is None:
        return values
    begin, _, end = whole.rpartition(MARK)
    if end.rstrip() != f'{said}"}}' or said != _sha256(begin):
        raise DamagedError("it is not what was written: its checksum is another")
    return values


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
