"""Answers of hosted models on disk, each under a hash of everything that was asked.

A replayed answer has the time, tokens and price of the day it was given: a rerun looks neither
free nor instant. Failed requests are not kept.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

from harness.files.cache_folder import cache_folder, keep_text, room_of, usable
from harness.files.hashing import sha256_of
from harness.types import Prediction

ROOM = "responses"
"""Of answers in the cache folder."""
ANSWERS = "what hosted models answer"
FORMAT = 2
"""Raised when answers are read differently, so that older ones are not taken for these."""
FIELDS = {field.name for field in fields(Prediction)}
LATER = {"finish_reason": None, "mean_logprob": None, "least_logprob": None}
"""Fields that answers of earlier versions lack, and what they say of them: nothing is asked, and
paid, again for one."""


class Kept(NamedTuple):
    """An answer, and how it was got."""

    answer: Prediction
    alone: bool
    """No other request of its process was under way: its time is that of a single request."""


def place_of(request: Mapping[str, Any]) -> Path:
    """Return the file for the answer to a request.

    Args:
        request: address, model, messages and all settings, as plain JSON values.
    """
    key = sha256_of({"format": FORMAT, **request})
    return cache_folder() / ROOM / key[:2] / f"{key}.json"


def read(place: Path) -> Kept | None:
    """Return the answer that was kept, or None where there is none that can be read."""
    try:
        row = {**LATER, **json.loads(place.read_text(encoding="utf-8"))}
        alone = row.pop("alone")
        return Kept(Prediction.from_row(row), alone) if row.keys() == FIELDS else None
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return None


def write(place: Path, kept: Kept) -> None:
    """Keep an answer, whole or not at all, whoever else writes the same.

    Raises:
        CacheError: it cannot be kept.
    """
    text = json.dumps({**asdict(kept.answer), "alone": kept.alone})
    with usable(ANSWERS):
        # Not worth waiting for the disk while answers are timed: what is lost is asked again.
        keep_text(f"{ROOM}/{place.parent.name}", place.name, text)


def must_be_writable() -> None:
    """Make sure that answers can be kept, before one is asked for: it may cost money.

    Raises:
        CacheError: they cannot.
    """
    with usable(ANSWERS):
        folder = room_of(ROOM)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
