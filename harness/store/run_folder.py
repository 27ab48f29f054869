"""The run folder: where each record lies, and how it is read and written.

The only meeting point of running and analysing. Knows paths and formats; knows nothing of
processes, scores or prices.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import RunFolderError
from harness.files.atomic import atomic_file
from harness.files.hashing import sha256_of
from harness.files.removal import remove
from harness.store.checksum import with_checksum
from harness.store.migrate import Values, migrated, version_of
from harness.store.record_lines import DAMAGED, HEADER, Index, Line, RecordLines
from harness.store.records import SCHEMA_VERSION, RunHeader, TrialRecord
from harness.types import ModelRef

RECORDS: dict[str, type[RunHeader | TrialRecord]] = {"header": RunHeader, "trial": TrialRecord}

TRACK = "track"
"""Folder of what trackers write."""
ROOMS = ("trials", "untuned", "floors", "report-data", "report-plots", TRACK)
"""Folders of a run folder."""


class RunFolder:
    """A folder of records about one task."""

    def __init__(self, path: Path):
        self.path = path
        self.records = path / "records.jsonl"
        self._lines = RecordLines(self.records)
        self.truth = path / "truth.jsonl"
        self.documents = path / "documents.jsonl"
        self.splits = path / "splits.json"
        self.own_worths = path / "own_worths.json"
        self.comparison = path / "comparison.json"
        self.report_md = path / "report.md"
        self.report_html = path / "report.html"
        self.report_data = path / "report-data"
        self.row_scores = path / "row_scores.jsonl"
        self.lock = path / ".lock"

    def fit_folder(self, arm: str, fit_id: str) -> Path:
        """Return the folder of one fit: fit.json, train_log.jsonl, stderr.log, artifact/."""
        return self.path / "trials" / arm / fit_id[:12]

    def trial_folder(self, arm: str, fit_id: str, trial_id: str) -> Path:
        """Return the folder of one trial: job.json, predictions.jsonl, stderr.log."""
        return self.fit_folder(arm, fit_id) / trial_id[:12]

    def untuned_folder(self, model: ModelRef, dtype: str, device: str) -> Path:
        """Return the folder of what a model says to the general probe before any tuning."""
        weights = model.sha256 or f"{model.name}@{model.revision}"
        asked = [said] if (said := model.chat.decides()) else []
        return self.path / "untuned" / sha256_of([weights, dtype, device, *asked])[:12]

    def floor_folder(self, key: str) -> Path:
        """Return the folder of what a floor answered, shared by all arms that it is one of."""
        return self.path / "floors" / key[:12]

    def check_places(self) -> None:
        """Check that each of its files is a file, or not there yet, and each room a folder.

        Raises:
            RunFolderError: something else stands there.
        """
        reports = (self.comparison, self.report_md, self.report_html, self.row_scores)
        index = self._lines.index_path
        files = (self.records, index, self.truth, self.documents, self.splits, self.own_worths)
        plots = (self.path / "report-plots").glob("*")
        for file in (*files, *reports, *plots):
            if file.exists() and not file.is_file():
                raise RunFolderError(f"{file} is not a file → take it away, then try again")
        for room in (self.path / name for name in ROOMS):
            if (room.exists() or room.is_symlink()) and not room.is_dir():
                raise RunFolderError(f"{room} is not a folder → take it away, then run again")

    def append(self, record: RunHeader | TrialRecord) -> None:
        """Add one line to records.jsonl, safely on disk before this returns."""
        text = record.model_dump_json()
        if isinstance(record, RunHeader):
            self._lines.append(text, HEADER, str(record.task["name"]), record.prompt_date)
        else:
            self._lines.append(text, record.trial_id, None, None)

    def headers(self) -> list[RunHeader]:
        """Return the header of every invocation that can be read, oldest first."""
        return [record for record in self._read().records if isinstance(record, RunHeader)]

    def lay_down(self, records: Sequence[RunHeader | TrialRecord], own: Collection[str]) -> None:
        """Write all records of a new folder at once.

        Args:
            records: the oldest first; a header is among them.
            own: ids of the trials that are signed in this user's name, and `HEADER`.
        """
        last = next(record for record in reversed(records) if isinstance(record, RunHeader))
        index = Index(task=str(last.task["name"]), prompt_date=last.prompt_date)
        self._lines.lay_down(list(map(_keyed, records)), own, index)

    def holds_just(self, records: Sequence[RunHeader | TrialRecord]) -> bool:
        """Tell whether its records are these, in their order, and no others."""
        wanted = [with_checksum(text).encode() for _, text in map(_keyed, records)]
        return [line.text for line in self._lines.lines() if line.text] == wanted

    def is_own(self, trial_id: str) -> bool:
        """Tell whether this user's runs wrote a trial's record, and the newest header."""
        return {HEADER, trial_id} <= self.own_keys()

    def own_keys(self) -> frozenset[str]:
        """Return whose newest record this user's runs wrote: ids of trials, and `HEADER`."""
        return self._lines.own_keys()

    def last_header(self) -> RunHeader:
        """Return the newest invocation's header.

        Raises:
            RunFolderError: nothing was ever run here, or that header cannot be read: an older one
                is not taken in its place.
        """
        read = self._read()
        if HEADER in read.lost:
            raise RunFolderError(f"{read.lost[HEADER]} → run the task again")
        headers = [record for record in read.records if isinstance(record, RunHeader)]
        if not headers:
            fix = "name the folder that `python -m harness run` printed"
            raise RunFolderError(f"{self.path}: there is no run here → {fix}")
        return headers[-1]

    def trials(self) -> dict[str, TrialRecord]:
        """Return the newest record of each trial, by trial id; none where that one is lost."""
        read = self._read()
        trials = {r.trial_id: r for r in read.records if isinstance(r, TrialRecord)}
        return {trial_id: r for trial_id, r in trials.items() if trial_id not in read.lost}

    def lost(self) -> dict[str, str]:
        """Return why the newest record of a trial, by its id, or of the run (`HEADER`) is gone.

        Empty where every record stands, whatever older lines are damaged.
        """
        return self._read().lost

    def first_headers(self) -> dict[str, RunHeader | None]:
        """Return, by trial id, the header of the invocation that first recorded each trial.

        None where that is not known: a line before it, which may be that header, cannot be read.
        """
        header: RunHeader | None = None
        found: dict[str, RunHeader | None] = {}
        read = self._read()
        for line, record in zip(read.lines, read.records, strict=True):
            if isinstance(record, RunHeader):
                header = record
            elif record is None and HEADER in line.guesses:
                header = None
            elif record is not None:
                found.setdefault(record.trial_id, header)
        return found

    def task_name(self) -> str | None:
        """Return whose runs these are; None where nothing that can be read says it."""
        headers, index = self.headers(), self._lines.index()
        if headers:
            return str(headers[-1].task["name"])
        return index.task if index else None

    def prompt_date(self) -> str | None:
        """Return the day that the folder's prompts name, see `RunHeader.prompt_date`."""
        headers, index = self.headers(), self._lines.index()
        of_header = headers[-1].prompt_date if headers else None
        return of_header or (index.prompt_date if index else None)

    def holds_records(self) -> bool:
        """Tell whether any record of ours can be read here, or the index of what they were."""
        return self._lines.index() is not None or any(r for r in self._read().records)

    def forget_records(self) -> None:
        """Delete all records."""
        remove(self.records)
        remove(self._lines.index_path)

    def _read(self) -> Read:
        """Read all lines; one that cannot be read is told by `lost`, if no newer one stands.

        Raises:
            RunFolderError: one is of a version that is newer than this harness.
        """
        lines, records = self._lines.lines(), []
        for place, values in enumerate(migrated([self._of_version(line) for line in lines])):
            record = None
            if (kind := RECORDS.get(values["kind"])) is not None:
                try:
                    record = kind.model_validate(values)
                except ValidationError as problem:
                    lines[place] = replace(lines[place], problem=_first_line(problem))
            records.append(record)
        return Read(lines, records, self._lines.lost(lines))

    def _of_version(self, line: Line) -> Values:
        """Return what a line holds.

        Raises:
            RunFolderError: it is of a version that is newer than this harness.
        """
        try:
            version = version_of(line.values)
        except (TypeError, ValueError):
            return DAMAGED
        if not 1 <= version <= SCHEMA_VERSION:
            raise RunFolderError(
                f"{line.where}: schema_version {version} is not one of 1 to {SCHEMA_VERSION},"
                " which this harness reads → use the version that wrote it"
            )
        return line.values


@dataclass(frozen=True)
class Read:
    """All lines of records.jsonl as they were read."""

    lines: list[Line]
    records: list[RunHeader | TrialRecord | None]
    """One a line; None where it cannot be read."""
    lost: dict[str, str]
    """See `RunFolder.lost`."""


def _keyed(record: RunHeader | TrialRecord) -> tuple[str, str]:
    """Return what tells a record from others, and its text."""
    key = HEADER if isinstance(record, RunHeader) else record.trial_id
    return key, record.model_dump_json()


def _first_line(problem: ValidationError) -> str:
    error = problem.errors()[0]
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, complete or not at all."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8") as stream:
        stream.writelines(as_jsonl(rows))


def sha256_of_jsonl(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the hash that the file has to which `write_jsonl` writes rows."""
    found = hashlib.sha256()
    for line in as_jsonl(rows):
        found.update(line.encode())
    return found.hexdigest()


def as_jsonl(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield rows as JSON lines."""
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines that the harness wrote."""
    return list(each_row(path))


def each_row(path: Path) -> Iterator[dict[str, Any]]:
    """Yield JSON lines that the harness wrote: as dicts all at once they take five times the file.

    Raises:
        OSError: it cannot be read; like the next, raised by the iterator.
        ValueError: a line is no JSON.
    """
    with path.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def folder_bytes(path: Path) -> int:
    """Return the size of all files below `path`."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
