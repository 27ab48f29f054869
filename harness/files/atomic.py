"""Replaces a file as a whole: whoever reads it meets the old content or the new, never a part.

Several processes may replace the same file: the last one stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
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
                flush_to_disk(part)
            part.replace(path)
        except BaseException:
            with suppress(OSError):  # where nothing could be written, nothing can be taken away
                part.unlink(missing_ok=True)
            raise
        if durable:  # the folder holds the name
            flush_to_disk(path.parent)


@contextmanager
def _staged(texts: Mapping[Path, str]) -> Iterator[dict[Path, Path]]:
    """Lay texts down beside the files that they will replace, safely on disk."""
    parts = {path: path.with_name(f".{path.name}.{uuid4().hex[:8]}.part") for path in texts}
    try:
        for path, part in parts.items():
            with named(path, part):
                part.write_text(texts[path], encoding="utf-8")
                flush_to_disk(part)
        yield parts
    finally:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)


def replace_together(first: tuple[Path, str], others: Mapping[Path, str]) -> None:
    """Replace a file, and others that say the same in other words, so that none ever disagrees.

    All are written before any is replaced: where there is no room, all stay as they were. Then the
    others are taken away, the first is replaced, and the others are laid in their places. Killed
    between, there are fewer files than there should be, and never one of another time.

    Args:
        first: what programs read, with its content.
        others: the others, in the same folder.
    """
    path, text = first
    with _staged({path: text, **others}) as parts:
        for other in others:
            with named(other):
                other.unlink(missing_ok=True)
        for each, part in parts.items():
            with named(each, part):
                part.replace(each)
            if each == path:
                flush_to_disk(path.parent)
        flush_to_disk(path.parent)


def flush_to_disk(path: Path) -> None:
    """Return when a file's content, or the names that a folder holds, are safely on disk."""
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
