"""Content hashes: of files, and of anything that JSON can hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

AT_ONCE = 500
"""Items that are written as JSON together: one call for each would take twice the time."""


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys and no spaces, the form that is hashed."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def sha256_of(value: Any) -> str:
    """Return the hex SHA-256 of a JSON-able value."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def sha256_of_items(values: Iterable[Any]) -> str:
    """Return what `sha256_of` does of a list of these, without holding the list or its text."""
    digest = hashlib.sha256(b"[")
    left, before = iter(values), ""
    while some := list(islice(left, AT_ONCE)):
        digest.update((before + canonical_json(some)[1:-1]).encode())
        before = ","
    digest.update(b"]")
    return digest.hexdigest()


def sha256_of_file(path: Path) -> str:
    """Return the hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
