"""Lays a merged folder down in its place: whoever looks finds nothing there, or all of it.

It is made beside its place, in a folder that the next merge takes away where this one is killed,
and renamed when it is whole. Knows nothing of what it holds.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from itertools import chain
from pathlib import Path

from harness.errors import RunFolderError
from harness.files.atomic import flush_to_disk
from harness.files.refusals import says_full, words_of
from harness.files.temporary_folder import temporary_folder
from harness.run.merging.contents import Contents
from harness.run.trial import damaged_files
from harness.store.recorded_files import is_as_recorded
from harness.store.records import RunHeader, TrialRecord
from harness.store.run_folder import RunFolder

OTHER_OUT = "choose another --out"
MADE_MEANWHILE = {errno.ENOTEMPTY, errno.EEXIST}
"""What the system says where a folder is renamed to one that holds something."""


def write(
    out: Path,
    contents: Contents,
    records: Sequence[RunHeader | TrialRecord],
    own: Collection[str],
) -> None:
    """Lay a whole run folder down in its place.

    Args:
        out: the place.
        contents: what it holds besides its records.
        records: all of them.
        own: as `RunFolder.lay_down` takes it.

    Raises:
        RunFolderError: it cannot be written there, or a file was changed while it was copied.
    """
    place = out.resolve()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(place.parent) as beside:
            folder = RunFolder(beside / "run")
            folder.path.mkdir()
            contents.write(folder)
            # Last, so that what a killed merge leaves is no run folder to anybody.
            folder.lay_down(records, own)
            _check_copied(folder)
            flush_to_disk(folder.path)
            _put_in_place(folder, place, out)
    except OSError as problem:
        if _is_of_reading(problem, contents):
            raise
        raise RunFolderError(_unwritten(out, problem)) from problem


def _check_copied(folder: RunFolder) -> None:
    """Check that what was copied is what was recorded.

    Raises:
        RunFolderError: a file was changed since the folders were checked.
    """
    files = folder.last_header().files
    laid = ((folder.path / name, sha256) for name, sha256 in files.items())
    changed = chain(
        (path for record in folder.trials().values() for path in damaged_files(folder, record)),
        (path for path, sha256 in laid if not is_as_recorded(path, sha256)),
    )
    for path in changed:
        at = path.relative_to(folder.path)
        raise RunFolderError(f"{at} was changed in a folder while it was copied → merge again")


def _put_in_place(folder: RunFolder, place: Path, out: Path) -> None:
    """Give a whole folder its name, which nothing has, or an empty folder.

    Raises:
        RunFolderError: something was put there meanwhile.
    """
    try:
        folder.path.rename(place)
    except OSError as problem:
        if problem.errno not in MADE_MEANWHILE:
            raise
        what = f"--out {out} was made by another process meanwhile"
        raise RunFolderError(f"{what} → merge again") from None
    flush_to_disk(place.parent)


def _is_of_reading(problem: OSError, contents: Contents) -> bool:
    """Tell whether a file of the folders could not be read; of writing, two files are named."""
    if not isinstance(problem.filename, str) or problem.filename2 is not None:
        return False
    folders = {part.source.folder.path for part in contents.parts}
    return any(map(Path(problem.filename).is_relative_to, folders))


def _unwritten(out: Path, problem: OSError) -> str:
    """Return why a folder could not be written, in words.

    What the system names is the file that was read, or one within a folder that is gone by now.
    """
    if says_full(problem):
        problem.filename = str(out.absolute().parent)
        return words_of(problem, f"free some space there, or {OTHER_OUT}; nothing was written")
    why = problem.strerror or str(problem)
    return f"--out {out} cannot be written ({why}) → {OTHER_OUT}; nothing was written"
