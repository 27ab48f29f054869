"""The bytes of a file of rows: regular, within a size, and unpacked where gzip packed them.

Knows endings of names; knows nothing of what stands in the files.
"""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

from harness.files.bounded import (
    MIB,
    RefusedFileError,
    check_links,
    check_regular,
    has_short_lines,
    read_bounded,
)

MOST_BYTES = 1024 * MIB
"""Of a file of rows, unpacked; all of it is held in memory."""
LONGEST_LINE = 64 * MIB
"""Bytes of a line of text; a file may have all its rows on one, in one JSON array."""
PACKED = ".gz"
ONE_A_LINE = "write one row a line"


def ending_of(path: Path) -> str:
    """Return a file's ending in lower case, that of what gzip packed: ".csv" of a.CSV.gz."""
    name = path.name.lower()
    return Path(name.removesuffix(PACKED)).suffix


def content_of(path: Path, within: Path | None, *, is_text: bool) -> bytes:
    """Return what stands in a file, once nothing in it is longer than memory allows.

    Args:
        path: the file; one whose name ends in .gz is unpacked.
        within: a folder that no link may leave which lies in it.
        is_text: whether it is made of lines, none of which may be longer than `LONGEST_LINE`.

    Raises:
        RefusedFileError: it is no regular file, leaves the folder, is too large, or is not gzip.
        OSError: it cannot be read.
        ValueError: the path holds a NUL.
    """
    if within is not None:
        check_links(path, within)
    check_regular(path)
    if path.name.lower().endswith(PACKED):
        return _unpacked(path, is_text)
    if is_text and not has_short_lines(path, LONGEST_LINE):
        raise _long_line(path)
    return read_bounded(path, MOST_BYTES)


def _unpacked(path: Path, is_text: bool) -> bytes:
    """Return what gzip packed; stops at the first byte too many, so that no bomb fills memory."""
    content, line = bytearray(), 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(read_bounded(path, MOST_BYTES))) as stream:
            while block := stream.read(MIB):
                first = block.find(b"\n")
                line += len(block) if first < 0 else first
                if is_text and line > LONGEST_LINE:
                    raise _long_line(path)
                line = line if first < 0 else len(block) - block.rfind(b"\n") - 1
                content += block
                if len(content) > MOST_BYTES:
                    why = f"it unpacks to more than {MOST_BYTES // MIB:,} MiB"
                    raise RefusedFileError(path, why, "write a smaller one, or several")
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        fix = "pack it anew, or name the file without its .gz"
        raise RefusedFileError(path, f"it is not whole gzip ({problem})", fix) from None
    return bytes(content)


def _long_line(path: Path) -> RefusedFileError:
    why = f"it has a line of more than {LONGEST_LINE // MIB} MiB"
    return RefusedFileError(path, why, ONE_A_LINE)
