"""Replaces a file as a whole: whoever reads it meets the old content or the new, never a part.

Several processes may replace the same file: the last one stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from harness.files.refusals import named


def atomic_write(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace a file's content by a text, in UTF-8.

    Args:
        path: the file; its folder exists.
        text: the new content.
        durable: return only when the text is safely on disk. Without, a power cut may lose it.

    Raises:
        OSError: it cannot be written; the file is as it was.
    """
    with atomic_file(path, durable=durable) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def atomic_file(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """Hand out a new path in the same folder; what is written there replaces the file at the end.

    If the block raises, the file is as it was, and nothing else is left. An error of the system
    that names no path gets the file's.

    Args:
        path: the file; its folder exists.
        durable: end only when the content is safely on disk.
    """
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    with named(path, part):
        try:
            yield part
            if durable:
                _flush_to_disk(part)
            part.replace(path)
        except BaseException:
            with suppress(OSError):  # where nothing could be written, nothing can be taken away
                part.unlink(missing_ok=True)
            raise
        if durable:  # the folder holds the name
            _flush_to_disk(path.parent)


def _flush_to_disk(path: Path) -> None:
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
