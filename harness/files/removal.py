"""Takes away whatever stands at a place: a file, a link, a folder."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path


def remove(path: Path) -> None:
    """Take away a file, a folder with all below it, or a link but not what it points to.

    Nothing is done where nothing stands. A file in the place of one of the path's folders is
    nobody's: `emptied` takes it away.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def emptied(folder: Path, below: Path) -> Path:
    """Return an empty folder, made anew; what stands in its way is taken away.

    Args:
        folder: which one.
        below: a folder above it that stays; every place between the two becomes a folder.
    """
    made = below
    for part in folder.relative_to(below).parts[:-1]:
        made = made / part
        if not made.is_dir():
            with suppress(IsADirectoryError):  # somebody has just made it one
                made.unlink(missing_ok=True)
    remove(folder)
    folder.mkdir(parents=True)
    return folder
