"""How files of rows are to be read, as a task says it, and what was found where it says nothing.

Knows the names of the columns that a task uses; knows nothing of what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Reading:
    """Settings of one reading, with what was said of its files."""

    delimiter: str | None = None
    """Between the cells of delimited text; None: found."""
    encoding: str | None = None
    """Of text; None: found."""
    header: bool = True
    """Whether the first row of a table names its columns; else they are called 1, 2, 3, …"""
    rows: str | None = None
    """The key, or the dotted path of keys, of the list of rows in a file of one JSON object."""
    sheet: str | int | None = None
    """The name or the number (from 1) of an Excel sheet; None: the only one that has cells."""
    input: str | None = None
    target: str | None = None
    columns: tuple[str, ...] = ()
    """All that the task names; those with a dot are paths into a row's lists and objects."""
    _said: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def say(self, file: str, what: str) -> None:
        """Keep what was found in a file, once."""
        files = self._said.setdefault(what, [])
        if Path(file).name not in files:
            files.append(Path(file).name)

    @property
    def paths(self) -> tuple[str, ...]:
        """The columns that may be dotted paths."""
        return tuple(column for column in self.columns if "." in column)

    def findings(self) -> Iterator[str]:
        """Yield what was found, each in one sentence with the files of which it is true."""
        for what, files in self._said.items():
            more = f" and {len(files) - SHOWN} more files" if len(files) > SHOWN else ""
            yield f"{', '.join(files[:SHOWN])}{more}: {what}"


SHOWN = 5
"""Files that a finding names."""
