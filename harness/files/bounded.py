"""Reads files that others wrote: regular ones alone, up to a size, and none through a link that
leaves the folder that it seems to lie in.

A pipe would be waited for, a device never ends, and a link shows what nobody named. Knows nothing
of what stands in the files.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

MIB = 2**20
KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
BLOCK_BYTES = MIB


class RefusedFileError(OSError):
    """A file that could be read and is not: its `strerror` says why, `fix` what to do."""

    def __init__(self, path: Path, why: str, fix: str, is_large: bool = False):
        super().__init__(errno.EINVAL, why, str(path))
        self.fix = fix
        self.is_large = is_large


def read_bounded(path: Path, most: int, within: Path | None = None) -> bytes:
    """Return the content of a regular file.

    Args:
        path: the file.
        most: bytes that it may have.
        within: a folder; a path that lies in it by its text must lie in it in truth.

    Raises:
        RefusedFileError: it is a pipe, a device or a socket; larger; or a link that leaves the
            folder.
        OSError: it cannot be read.
        ValueError: the path holds a NUL.
    """
    if within is not None:
        check_links(path, within)
    check_regular(path)
    # It may be replaced meanwhile: what was opened is looked at again, and opening waits for none.
    place = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(place, "rb") as stream:
        if not stat.S_ISREG(os.fstat(place).st_mode):
            check_regular(path)
        content = stream.read(most + 1)
    if len(content) > most:
        raise too_large(path, most)
    return content


def check_regular(path: Path) -> None:
    """Refuse what is no regular file.

    Raises:
        RefusedFileError: it is a pipe, a device or a socket.
        OSError: it is a folder, or not there.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        what = KINDS.get(stat.S_IFMT(mode), "no file")
        raise RefusedFileError(path, f"it is {what}", "save its content in a file, and name that")


def check_links(path: Path, within: Path) -> None:
    """Refuse a path that lies in a folder by its text, and elsewhere in truth.

    Raises:
        RefusedFileError: a link leads out of the folder.
    """
    if not Path(os.path.abspath(path)).is_relative_to(os.path.abspath(within)):
        return  # whoever wrote that path knows that it leaves
    target = Path(os.path.realpath(path))
    if not target.is_relative_to(os.path.realpath(within)):
        fix = "copy it in, or name the file that it leads to"
        raise RefusedFileError(path, f"it is a link that leaves {within}", fix)


def too_large(path: Path, most: int) -> RefusedFileError:
    """Return the refusal of a file that is larger than `most` bytes."""
    room = f"{most / MIB:,.0f} MiB" if most >= MIB else f"{most / 1024:,.0f} KiB"
    return RefusedFileError(path, f"it is larger than {room}", "write a smaller one", True)


def has_short_lines(path: Path, most: int) -> bool:
    """Tell whether each line of a regular file has at most so many bytes; stops at the first other.

    Args:
        path: the file.
        most: bytes, a block or more: lines within one block are not measured.

    Raises:
        OSError: it cannot be read.
    """
    length = 0
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            first, last = block.find(b"\n"), block.rfind(b"\n")
            length += len(block) if first < 0 else first
            if length > most:
                return False
            length = length if last < 0 else len(block) - last - 1
    return length <= most
