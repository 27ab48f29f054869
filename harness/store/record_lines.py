"""The lines of records.jsonl: each with its own checksum, so that one damaged line is one lost.

Beside them lies an index with the hash of the newest line of each trial and of the newest header:
by it a line that is gone, because the file was cut or a line damaged, is missed, and no older line
is taken in its place. Knows what tells one record from another, and nothing else that they hold.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import Field

from harness.errors import RunFolderError
from harness.files.atomic import atomic_write, flush_to_disk
from harness.files.refusals import named
from harness.store.base import Record
from harness.store.checksum import DamagedError, checked, with_checksum
from harness.store.migrate import Values
from harness.store.signature import is_signed, sign

HEADER = "header"
"""The key of headers; a trial's is its id."""
DAMAGED: Values = {"kind": "damaged"}
"""Stands in the place of a line that cannot be read."""
IS_TRIAL = re.compile(rb'\s*\{"kind":\s*"trial"')
TRIAL_ID = re.compile(rb'"trial_id":\s*"([0-9a-f]{64})"')


class Index(Record):
    """The newest line of each record, so that a missing one is missed."""

    task: str | None = None
    """Whose runs these are."""
    prompt_date: str | None = None
    """See `RunHeader.prompt_date`; kept here too, since a header that is lost must not move it."""
    newest: dict[str, str] = Field({})
    """Key of a record to the hash of its newest line."""
    signatures: dict[str, str] = Field({})
    """Key of a record to the signature of its newest line, by the user whose run wrote it."""


@dataclass(frozen=True)
class Line:
    """One line as it lies on disk."""

    where: str
    text: bytes
    values: Values
    """What it holds, or `DAMAGED`."""
    problem: str | None = None
    """Why it cannot be read."""

    @property
    def key(self) -> str | None:
        """What tells its record from others; None where it cannot be read."""
        if self.problem is not None:
            return None
        return HEADER if self.values["kind"] == HEADER else self.values.get("trial_id")

    @cached_property
    def sha256(self) -> str:
        """Hash of its bytes."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def guesses(self) -> list[str]:
        """Keys of what it may have been, where it cannot be read."""
        if not IS_TRIAL.match(self.text):
            return [HEADER]
        return [found.decode() for found in TRIAL_ID.findall(self.text)]


class RecordLines:
    """A file of records to which lines are only ever added."""

    def __init__(self, path: Path):
        self.path = path
        self.index_path = path.with_name("records.index.json")

    def append(self, text: str, key: str, task: str | None, prompt_date: str | None) -> None:
        """Add one record, safely on disk before this returns, and then to the index.

        Args:
            text: the record, as JSON on one line.
            key: what tells it from others.
            task: whose record it is, where it says so.
            prompt_date: likewise.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = with_checksum(text).encode()
        with named(self.path):
            self._end_last_line()
            earlier = self.lines()
            with self.path.open("ab") as stream:
                stream.write(line + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            flush_to_disk(self.path.parent)
        index = self.index() or Index()
        lost = self._not_found(index, earlier)
        newest = {one.key: one.sha256 for one in earlier if one.key is not None}
        newest |= {one: sha256 for one, sha256 in index.newest.items() if one in lost}
        newest[key] = hashlib.sha256(line).hexdigest()
        signatures = {one: said for one, said in index.signatures.items() if one != key}
        if (signature := sign(line)) is not None:
            signatures[key] = signature
        known = Index(
            signatures=signatures,
            task=task or index.task,
            prompt_date=prompt_date or index.prompt_date,
            newest=newest,
        )
        atomic_write(self.index_path, with_checksum(known.model_dump_json(indent=1)))

    def index(self) -> Index | None:
        """Return the index; None where there is none that can be read."""
        try:
            return Index.model_validate(checked(self.index_path.read_bytes()))
        except (OSError, ValueError):
            return None

    def lay_down(
        self, records: Sequence[tuple[str, str]], own: Collection[str], index: Index
    ) -> None:
        """Write a new file with all of its records at once, and its index.

        Args:
            records: the key and the text of each, as `append` takes them; the newest last.
            own: keys of those that are signed in this user's name.
            index: what it says besides the newest lines and their signatures.
        """
        lines = [(key, with_checksum(text).encode()) for key, text in records]
        newest = dict(lines)
        signed = {key: sign(newest[key]) for key in newest if key in own}
        known = index.model_copy(
            update={
                "newest": {key: hashlib.sha256(line).hexdigest() for key, line in newest.items()},
                "signatures": {key: said for key, said in signed.items() if said is not None},
            }
        )
        atomic_write(self.path, "".join(f"{line.decode()}\n" for _, line in lines))
        atomic_write(self.index_path, with_checksum(known.model_dump_json(indent=1)))

    def own_keys(self) -> frozenset[str]:
        """Return the keys of the records whose newest line this user's runs wrote."""
        index, newest = self.index(), {line.key: line.text for line in self.lines()}
        if index is None:
            return frozenset()
        said = index.signatures
        return frozenset(
            key for key, text in newest.items() if key and is_signed(text, said.get(key))
        )

    def lost(self, lines: Sequence[Line]) -> dict[str, str]:
        """Return the keys of records whose newest line is gone, each with what is known of why.

        Args:
            lines: as `lines` gave them.
        """
        why = {key: _words(line) for line in lines if line.problem for key in line.guesses}
        index = self.index()
        if index is not None:
            gone = f"{self.path}: a line that was written is gone"
            anything = next((_words(line) for line in lines if line.problem), gone)
            return {key: why.get(key, anything) for key in self._not_found(index, lines)}
        later: set[str] = set()
        found: dict[str, str] = {}
        for line in reversed(lines):
            if line.key is not None:
                later.add(line.key)
            found |= {key: why[key] for key in line.guesses if line.problem and key not in later}
        return found

    def _not_found(self, index: Index, lines: Sequence[Line]) -> set[str]:
        there = {line.sha256 for line in lines if not line.problem}
        return {key for key, sha256 in index.newest.items() if sha256 not in there}

    def lines(self) -> list[Line]:
        """Return all lines, oldest first; a last one that was cut off while written is none.

        Raises:
            RunFolderError: something else than a file stands in its place.
        """
        if not self.path.is_file():
            if self.path.exists() or self.path.is_symlink():
                what = f"{self.path} is not a file"
                raise RunFolderError(f"{what} → take it away, then run the task again")
            return []
        *whole, rest = self.path.read_bytes().split(b"\n")
        found = [self._line(number, text) for number, text in enumerate(whole, start=1)]
        last = self._line(len(whole) + 1, rest)
        return found if last.problem else [*found, last]

    def _line(self, number: int, text: bytes) -> Line:
        where = f"{self.path}:{number}"
        try:
            values = checked(text)
            if not isinstance(values.get("kind"), str):
                raise DamagedError("it says no `kind`")
            return Line(where, text, values)
        except DamagedError as problem:
            return Line(where, text, DAMAGED, str(problem))

    def _end_last_line(self) -> None:
        """Drop a last line that was cut off, or what is written next would join it."""
        if not self.path.is_file():
            return
        with self.path.open("r+b") as stream:
            content = stream.read()
            begin = content.rfind(b"\n") + 1
            try:
                json.loads(content[begin:] or b"{}")
            except ValueError:
                stream.truncate(begin)
            else:
                stream.write(b"\n" if content[begin:] else b"")


def _words(line: Line) -> str:
    return f"{line.where}: this record cannot be read ({line.problem})"
