"""A folder's list of its files, by which whoever reads it later knows whether it still holds them.

Sizes are compared at every look, which costs nothing; hashes where it is asked for: once a run, by
the process that measures nothing. Knows nothing of what the files are, nor of what is done if they
are damaged.
"""

from __future__ import annotations

import json
from pathlib import Path

from harness.files.hashing import sha256_of_file

LIST = ".kept"
"""The list's name in the folder: no ending, so that it is none of a model's files."""


def list_files(folder: Path) -> None:
    """Write the list of a folder that is complete and that nobody reads yet."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = {
        file.relative_to(folder).as_posix(): [file.stat().st_size, sha256_of_file(file)]
        for file in files
    }
    (folder / LIST).write_text(json.dumps(rows, indent=1), encoding="utf-8")


def stands(folder: Path, *, hashes: bool = False) -> bool:
    """Tell whether a folder is there and holds what its list says; more files do no harm.

    A folder without a list, as earlier versions kept it, is taken as it is.

    Args:
        folder: where it is kept.
        hashes: whether contents are compared too, which takes a second for each GB or two.

    Raises:
        OSError: it cannot be read by this user.
    """
    if not folder.is_dir():
        return False
    try:
        rows = json.loads((folder / LIST).read_text(encoding="utf-8"))
        listed = {folder / name: (int(size), str(sha256)) for name, (size, sha256) in rows.items()}
    except FileNotFoundError:
        return True
    except (ValueError, TypeError, AttributeError):
        return False  # the list itself is damaged
    return all(
        file.is_file()
        and file.stat().st_size == size
        and (not hashes or sha256_of_file(file) == sha256)
        for file, (size, sha256) in listed.items()
    )
