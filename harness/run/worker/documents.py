"""The documents as a worker hands them to a strategy: on disk until somebody looks at them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

from harness.store.run_folder import read_jsonl
from harness.types import Document


class Documents(Sequence[Document]):
    """The documents of a file of JSON lines, which is read once, at the first look.

    A corpus can be larger than all that an arm does: one that never looks, or whose index holds
    what it needs, takes no memory for it.

    Args:
        path: the file; without it there are none.
    """

    def __init__(self, path: Path):
        self.path = path

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | Sequence[Document]:
        """Return one document, or a tuple of them for a slice."""
        return self._read[index]

    def __len__(self) -> int:
        """Return the number of documents."""
        return len(self._read)

    def __iter__(self) -> Iterator[Document]:
        """Iterate over the documents in their order."""
        return iter(self._read)

    @cached_property
    def _read(self) -> tuple[Document, ...]:
        rows = read_jsonl(self.path) if self.path.is_file() else []
        return tuple(Document.from_row(row) for row in rows)
