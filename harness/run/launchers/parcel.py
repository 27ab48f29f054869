"""Packs files as one tar and lays them down again, each whole or not at all.

Knows nothing of jobs and of how a parcel travels. What is neither a file, a folder nor a link that
stays below its root is left behind: sockets, pipes and devices mean nothing elsewhere.
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import stat
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from harness.files.removal import remove

Parcel = bytes | Path
"""A parcel, or the file that holds it."""
HASH_BYTES = 32
CHUNK_BYTES = 1 << 20
STAGING = ".incoming"
"""Begins the name of the folder in which what arrives is made whole before it is laid down."""


class Stamp(NamedTuple):
    """What tells that a file was written to."""

    bytes: int
    changed_ns: int
    inode: int


def stamps(root: Path, folders: Iterable[PurePosixPath]) -> dict[str, Stamp]:
    """Return all that lies in some folders below a root, by its path from there."""
    found: dict[str, Stamp] = {}
    for folder in folders:
        for path in _below(root / folder):
            told = path.lstat()
            is_folder = stat.S_ISDIR(told.st_mode)
            stamp = Stamp(0, 0, 0) if is_folder else _stamp(told)
            found[path.relative_to(root).as_posix()] = stamp
    return found


def _stamp(told: os.stat_result) -> Stamp:
    return Stamp(told.st_size, told.st_mtime_ns, told.st_ino)


def _below(folder: Path) -> Iterator[Path]:
    """Yield a folder and all below it that can travel, folders before what they hold."""
    if not folder.is_dir() or folder.is_symlink():
        return
    yield folder
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(STAGING):
            continue
        if entry.is_symlink():
            if _stays(entry, folder):
                yield entry
        elif entry.is_dir():
            yield from _below(entry)
        elif entry.is_file():
            yield entry


def _stays(link: Path, folder: Path) -> bool:
    """Tell whether a link names something in its own folder or below, as it can elsewhere too."""
    target = os.readlink(link)
    return not os.path.isabs(target) and ".." not in Path(target).parts and bool(folder)


def packed(files: Mapping[str, Path | bytes]) -> bytes:
    """Return a parcel, see `packed_into`."""
    stream = io.BytesIO()
    packed_into(stream, files)
    return stream.getvalue()


def written(folder: Path, files: Mapping[str, Path | bytes]) -> Path:
    """Write a parcel into a folder, under a name of its own; return where it is."""
    place = folder / f"{secrets.token_hex(8)}.parcel"
    with place.open("w+b") as stream:
        packed_into(stream, files)
    return place


def packed_into(stream: IO[bytes], files: Mapping[str, Path | bytes]) -> None:
    """Write a parcel: a tar of files, folders and links, behind its own hash.

    Args:
        stream: empty, to be read and written.
        files: path in the tar → what lies there, or its content.
    """
    stream.write(bytes(HASH_BYTES))
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, source in files.items():
            if isinstance(source, bytes):
                told = tarfile.TarInfo(name)
                told.size = len(source)
                tar.addfile(told, io.BytesIO(source))
            else:
                with suppress(FileNotFoundError):  # taken away meanwhile
                    tar.add(source, name, recursive=False, filter=_of_nobody)
    digest = _digest(stream)
    stream.seek(0)
    stream.write(digest)


def _digest(stream: IO[bytes]) -> bytes:
    """Hash what stands behind a parcel's own hash."""
    stream.seek(HASH_BYTES)
    sha256 = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        sha256.update(chunk)
    return sha256.digest()


def _of_nobody(told: tarfile.TarInfo) -> tarfile.TarInfo:
    told.uid = told.gid = 0
    told.uname = told.gname = ""
    return told


def unpacked(parcel: Parcel, folder: Path) -> None:
    """Lay a parcel's content down in a folder of its own.

    Args:
        parcel: which, or the file that holds it.
        folder: is there, and empty.

    Raises:
        OSError: there is no room, or no right to write there.
        tarfile.TarError: it is cut short, or a path in it leaves the folder.
    """
    with io.BytesIO(parcel) if isinstance(parcel, bytes) else parcel.open("rb") as stream:
        told = stream.read(HASH_BYTES)
        if _digest(stream) != told:  # a tar that ends between two files reads well
            raise tarfile.ReadError("the parcel is not what was sent")
        stream.seek(HASH_BYTES)
        with tarfile.open(fileobj=stream, mode="r:") as tar:
            tar.extractall(folder, filter="data")


def laid_down(parcel: Parcel, gone: Iterable[str], root: Path, stage: PurePosixPath) -> None:
    """Lay what a parcel holds over what lies below a root, and take away what is gone.

    All is made whole beside its place first, so that a parcel that is cut short, or a disk that is
    full, leaves everything as it was.

    Args:
        parcel: of paths below the root.
        gone: paths below it.
        root: the folder.
        stage: a folder below it in which to make the parts whole.
    """
    staging = root / stage / STAGING
    remove(staging)
    try:
        staging.mkdir(parents=True)
        unpacked(parcel, staging)
        for name in sorted(gone, reverse=True):
            _taken_away(root / PurePosixPath(name))
        for path in sorted(staging.rglob("*")):
            _placed(path, root / path.relative_to(staging))
    finally:
        remove(staging)


def _placed(path: Path, place: Path) -> None:
    """Move one file or link to its place; make a folder there."""
    if path.is_dir() and not path.is_symlink():
        if place.is_symlink() or not place.is_dir():
            remove(place)
            place.mkdir(parents=True)
        return
    if place.is_dir() and not place.is_symlink():
        remove(place)
    path.replace(place)


def _taken_away(place: Path) -> None:
    with suppress(OSError):  # a folder that holds something of others by now stays
        if place.is_dir() and not place.is_symlink():
            place.rmdir()
        else:
            place.unlink(missing_ok=True)
