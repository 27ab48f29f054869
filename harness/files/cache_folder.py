"""Where models and hosted answers are kept between runs, and how something is kept there once.

Several users may share one folder (HARNESS_CACHE): what is kept can be read by whoever may read the
folder that it is kept in. Knows nothing of what is kept.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from harness.errors import CacheError
from harness.files.atomic import atomic_file
from harness.files.kept_files import list_files, stands
from harness.files.refusals import is_refusal, says_full, words_of

FIX = "set HARNESS_CACHE to a folder that you may write to and that has room"
READ, READ_FOLDER = 0o444, 0o555
"""Permission bits that what is kept takes over from the folder around it."""


def cache_folder() -> Path:
    """Return where models are kept: $HARNESS_CACHE, else the user's cache folder.

    A relative XDG_CACHE_HOME is passed over, as the XDG Base Directory Specification has it.

    Raises:
        CacheError: nothing says where: there is neither variable, nor a home.
    """
    own = os.environ.get("HARNESS_CACHE")
    shared = os.environ.get("XDG_CACHE_HOME", "")
    try:
        if own:
            return Path(own).expanduser().absolute()
        return Path(shared if Path(shared).is_absolute() else "~/.cache").expanduser() / "harness"
    except RuntimeError:  # what `expanduser` raises
        raise CacheError(
            "there is no folder to keep models in: this user has no home folder (no HOME, no entry"
            f" in the user database) → {FIX}"
        ) from None


@contextmanager
def usable(what: str) -> Iterator[None]:
    """Turn errors of the cache folder into ones that say what to do.

    Args:
        what: that is read or kept there, as a message begins: "weights".

    Raises:
        CacheError: the block met an error of the system: a refusal, or one about the cache.
    """
    try:
        yield
    except Exception as problem:
        if is_refusal(problem) or says_full(problem) or _is_of_the_cache(problem):
            raise CacheError(f"{what} cannot be kept: {words_of(problem, FIX)}") from problem
        raise


def _is_of_the_cache(problem: Exception) -> bool:
    """Tell whether an error of the system names the cache folder, what is in it or around it."""
    name = getattr(problem, "filename", None)
    if not isinstance(problem, OSError) or not isinstance(name, str):
        return False
    place, cache = Path(name), cache_folder()
    return place.is_relative_to(cache) or cache.is_relative_to(place)


def room_of(name: str) -> Path:
    """Return a folder of the cache, made if it is missing, with the cache's own permissions.

    Args:
        name: of what is kept there, "models".

    Raises:
        OSError: it cannot be made.
    """
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache
    for part in Path(name).parts:
        folder = folder / part
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            folder.chmod(folder.stat().st_mode & 0o777 | cache.stat().st_mode & 0o777)
    return folder


def kept_folder(
    room: str, name: str, make: Callable[[Path], Path], *, hashes: bool = False
) -> Path:
    """Return a folder that is kept between runs; it is made where it is missing, whole or not.

    So is one whose files are not what was kept. Several processes may ask at the same time: one
    makes it and the others wait. Whatever stops that leaves nothing behind but its lock.

    Args:
        room: the folder of the cache that it belongs in, "models".
        name: its own, which says all that decides its content.
        make: fills it: gets an empty work folder and returns the folder in there to keep.
        hashes: whether its files' contents are looked at too, and not their sizes alone.

    Raises:
        CacheError: it cannot be made or read, for the system's reasons.
    """
    with usable(name):
        folder = cache_folder() / room / name
        if stands(folder, hashes=hashes):
            return folder
        room_of(room)
        with lock_of(folder):
            if stands(folder, hashes=hashes):
                return folder
            for stale in folder.parent.glob(f".{name}-*"):
                shutil.rmtree(stale)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{name}-") as work:
                if folder.is_dir():  # damaged: taken away whole first, so that nobody meets half
                    folder.rename(Path(work) / "damaged")
                done = make(Path(work))
                list_files(done)
                for path in (done, *done.rglob("*")):
                    _readable_like(path, folder.parent)
                done.rename(folder)
    return folder


def is_kept(room: str, name: str) -> bool:
    """Tell whether a folder is kept, whole as far as its files' sizes say.

    Raises:
        OSError: it cannot be read by this user.
    """
    return stands(cache_folder() / room / name)


def keep_text(room: str, name: str, text: str) -> None:
    """Keep a small file: whole or not at all, whoever else keeps the same, for all who may read.

    It is not waited for the disk: what a power cut takes is found or asked again.

    Raises:
        OSError: it cannot be kept.
    """
    folder = room_of(room)
    with atomic_file(folder / name, durable=False) as part:
        part.write_text(text, encoding="utf-8")
        _readable_like(part, folder)


def lock_of(place: Path) -> FileLock:
    """Return the lock of what is kept at a place: who may write around it may take it."""
    return FileLock(place.with_name(f"{place.name}.lock"), mode=_lock_mode(place.parent))


def _lock_mode(around: Path) -> int:
    """Return the permission bits of a lock: who may write around it may take it."""
    return around.stat().st_mode & 0o666


def _readable_like(path: Path, around: Path) -> None:
    """Let those read a path who may read the folder around it, whatever the umask.

    Some writers give their files to their owner alone (safetensors: 0600).
    """
    bits = around.stat().st_mode & (READ_FOLDER if path.is_dir() else READ)
    path.chmod(path.stat().st_mode & 0o777 | bits)
