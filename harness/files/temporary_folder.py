"""A folder for what only a part of the work needs, gone when that part is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from harness.errors import UserError
from harness.files.refusals import TEMPORARY


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a new folder where the system keeps temporary files, and take it away in the end.

    Raises:
        UserError: there is no place for temporary files at all.
    """
    try:
        gettempdir()
    except FileNotFoundError as problem:
        raise UserError(
            f"temporary files can be written nowhere ({problem.strerror})"
            " → set TMPDIR to a folder that you may write to"
        ) from None
    with TemporaryDirectory(prefix=TEMPORARY) as folder:
        yield Path(folder)
