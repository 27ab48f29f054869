"""The run folder: where each record lies, and how it is read and written.

The only meeting point of running and analysing. Knows paths and formats; knows nothing of
processes, scores or prices.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import RunFolderError
from harness.files.atomic import atomic_file
from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.refusals import named
from harness.store.migrate import Values, migrated, version_of
from harness.store.records import SCHEMA_VERSION, RunHeader, TrialRecord
from harness.types import ModelRef, Prediction

RECORDS: dict[str, type[RunHeader | TrialRecord]] = {"header": RunHeader, "trial": TrialRecord}


class RunFolder:
    """A folder of records about one task."""

    def __init__(self, path: Path):
        self.path = path
        self.records = path / "records.jsonl"
        self.truth = path / "truth.jsonl"
        self.documents = path / "documents.jsonl"
        self.comparison = path / "comparison.json"
        self.report_md = path / "report.md"
        self.report_html = path / "report.html"
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

    def append(self, record: RunHeader | TrialRecord) -> None:
        """Add one line to records.jsonl, safely on disk before this returns."""
        self.path.mkdir(parents=True, exist_ok=True)
        with named(self.records):
            self._end_last_line()
            with self.records.open("a", encoding="utf-8") as stream:
                stream.write(record.model_dump_json() + "\n")
                stream.flush()
                os.fsync(stream.fileno())

    def headers(self) -> list[RunHeader]:
        """Return the header of every invocation, oldest first."""
        return [record for record in self._read() if isinstance(record, RunHeader)]

    def last_header(self) -> RunHeader:
        """Return the newest invocation's header.

        Raises:
            RunFolderError: nothing was ever run here.
        """
        headers = self.headers()
        if not headers:
            fix = "name the folder that `python -m harness run` printed"
            raise RunFolderError(f"{self.path}: there is no run here → {fix}")
        return headers[-1]

    def trials(self) -> dict[str, TrialRecord]:
        """Return the newest record of each trial, by trial id."""
        return {r.trial_id: r for r in self._read() if isinstance(r, TrialRecord)}

    def first_headers(self) -> dict[str, RunHeader]:
        """Return, by trial id, the header of the invocation that first recorded each trial."""
        header: RunHeader | None = None
        found: dict[str, RunHeader] = {}
        for record in self._read():
            if isinstance(record, RunHeader):
                header = record
            elif header is not None:
                found.setdefault(record.trial_id, header)
        return found

    def _end_last_line(self) -> None:
        """Drop a last line that was cut off, or what is written next would join it."""
        if not self.records.is_file():
            return
        with self.records.open("r+b") as stream:
            content = stream.read()
            begin = content.rfind(b"\n") + 1
            try:
                json.loads(content[begin:] or b"{}")
            except ValueError:
                stream.truncate(begin)
            else:
                stream.write(b"\n" if content[begin:] else b"")

    def _read(self) -> Iterator[RunHeader | TrialRecord]:
        places, lines = self._lines()
        for where, values in zip(places, migrated(lines), strict=True):
            try:
                yield RECORDS[values["kind"]].model_validate(values)
            except ValidationError as problem:
                raise _unreadable(where, problem) from problem

    def _lines(self) -> tuple[list[str], list[Values]]:
        """Return each record as it was written, with its place, of whatever version.

        Raises:
            RunFolderError: one is damaged, or of a version that is newer than this harness.
        """
        places: list[str] = []
        records: list[Values] = []
        content = self.records.read_bytes() if self.records.is_file() else b""
        *lines, unfinished = content.split(b"\n")
        for number, line in enumerate([*lines, unfinished] if unfinished else lines, start=1):
            where = f"{self.records}:{number}"
            try:
                values = json.loads(line)
                version = version_of(values)
                RECORDS[values["kind"]]
            except (ValueError, KeyError, TypeError, AttributeError) as problem:
                if number > len(lines):
                    break  # cut off while being written: that trial is simply run again
                raise _unreadable(where, problem) from problem
            if not 1 <= version <= SCHEMA_VERSION:
                raise RunFolderError(
                    f"{where}: schema_version {version} is not one of 1 to {SCHEMA_VERSION},"
                    " which this harness reads → use the version that wrote it"
                )
            places.append(where)
            records.append(values)
        return places, records


def _unreadable(where: str, problem: Exception) -> RunFolderError:
    reason = _first_line(problem)
    return RunFolderError(f"{where}: this record cannot be read ({reason}) → run with --fresh")


def _first_line(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        error = problem.errors()[0]
        return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"
    return str(problem).split("\n")[0]


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as JSON lines, complete or not at all."""
    with atomic_file(path) as part, part.open("w", encoding="utf-8") as stream:
        for row in rows:
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines that the harness wrote."""
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def write_predictions(path: Path, ids: Iterable[str], predictions: Iterable[Prediction]) -> str:
    """Write predictions with the ids they answer and return the file's hash."""
    rows = ({"id": row_id, **asdict(p)} for row_id, p in zip(ids, predictions, strict=True))
    write_jsonl(path, rows)
    return sha256_of_file(path)


def read_predictions(path: Path) -> dict[str, Prediction]:
    """Read predictions by the id they answer."""
    return {row.pop("id"): Prediction.from_row(row) for row in read_jsonl(path)}


def folder_bytes(path: Path) -> int:
    """Return the size of all files below `path`."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
