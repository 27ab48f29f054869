"""One of the folders to merge: its newest invocation, read and found whole.

A folder may be somebody else's. Nothing of it is run, no name in it leads out of the folder, and no
link is followed that does. Knows nothing of the other folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.errors import RunFolderError
from harness.run.merging.copying import entries
from harness.run.trial import damaged_files
from harness.store.own_worths import Worths, read_worths
from harness.store.recorded_files import is_as_recorded, sha256_now
from harness.store.records import PlannedTrial, RunHeader, TrialRecord
from harness.store.run_folder import RunFolder

ID = re.compile(r"[0-9a-f]{64}")
PLACE = re.compile(r"[0-9a-f]{12}")
"""The folder of a trial, within that of its fit."""
SHARED = ("untuned", "floors")
"""Rooms of what is of no arm alone; each folder in them is of one thing."""
AGAIN = "run the task again with --out {folder}, then merge"


@dataclass(frozen=True)
class Source:
    """A folder to merge."""

    folder: RunFolder
    header: RunHeader
    """Of its newest invocation."""
    records: Mapping[str, TrialRecord]
    """By id, of the trials that it plans."""
    began: Mapping[str, RunHeader | None]
    """By id, the header of the invocation that first recorded each; None: not known."""
    own: frozenset[str]
    """What this user's runs signed: ids of trials, and `HEADER`."""

    @property
    def name(self) -> str:
        """What it is called where the user reads of it."""
        return str(self.folder.path)

    @property
    def plans(self) -> tuple[PlannedTrial, ...]:
        """Every trial that it plans."""
        return (*self.header.trials, *self.header.curve)

    @cached_property
    def truth_sha256(self) -> str | None:
        """Hash of its gold rows; None: not known."""
        return self._hash_of(self.folder.truth)

    @cached_property
    def documents_sha256(self) -> str | None:
        """Hash of its documents; None: it has none."""
        return self._hash_of(self.folder.documents)

    def _hash_of(self, path: Path) -> str | None:
        return self.header.files.get(path.name) or sha256_now(path)

    @cached_property
    def worths(self) -> dict[str, Worths]:
        """What its answers are worth by metrics of the task's own, by the metric's name; without
        what a function found that was another before the run's last invocation.
        """
        ran = self.header.metric_sha256
        found = read_worths(self.folder.own_worths).items()
        return {
            name: one
            for name, one in found
            if one.source_sha256 == ran.get(name, one.source_sha256)
        }

    def units(self, record: TrialRecord) -> Iterator[tuple[Path, frozenset[str]]]:
        """Yield the folders of a trial, each with the names in it that are not of that trial."""
        fit = self.folder.fit_folder(record.arm, record.fit_id)
        if fit.is_dir():
            others = (one.name for one in fit.iterdir() if PLACE.fullmatch(one.name))
            yield fit, frozenset((*others, "scratch"))
        trial = self.folder.trial_folder(record.arm, record.fit_id, record.trial_id)
        if trial.is_dir():
            yield trial, frozenset()

    def shared(self, room: str) -> dict[str, Path]:
        """Return the folders of a room of `SHARED`, by name."""
        place = self.folder.path / room
        return {one.name: one for one in sorted(place.iterdir())} if place.is_dir() else {}


def opened_source(path: Path) -> Source:
    """Read a folder to merge.

    Raises:
        RunFolderError: it is no run folder, it is damaged, or something in it leads out of it.
    """
    if not path.is_dir():
        fix = "name the folder that `python -m harness run` printed"
        raise RunFolderError(f"{path}: there is no such folder → {fix}")
    folder = RunFolder(path)
    folder.check_places()
    header = folder.last_header()
    plans = {plan.trial_id: plan for plan in (*header.trials, *header.curve)}
    for plan in plans.values():
        _check_name(folder, plan)
    again = AGAIN.format(folder=path)
    lost = folder.lost()
    if problem := next((lost[one] for one in plans if one in lost), None):
        raise RunFolderError(f"{problem} → {again}")
    records = {one: found for one, found in folder.trials().items() if one in plans}
    odd = (one for one, found in records.items() if not _is_of(found, plans[one]))
    if (one := next(odd, None)) is not None:
        raise RunFolderError(f"{folder.records}: trial {one[:12]} is not as planned → {again}")
    began = folder.first_headers()
    source = Source(folder, header, records, began, folder.own_keys())
    _check_whole(source, again)
    return source


def _is_of(record: TrialRecord, plan: PlannedTrial) -> bool:
    return (record.arm, record.fit_id) == (plan.arm, plan.fit_id)


def _check_name(folder: RunFolder, plan: PlannedTrial) -> None:
    """Check that a trial's folder lies where those of trials lie, whatever its names are.

    Raises:
        RunFolderError: they are none.
    """
    is_name = plan.arm not in ("", ".", "..") and not re.search(r"[/\\\0]", plan.arm)
    if not is_name or not all(map(ID.fullmatch, (plan.fit_id, plan.trial_id))):
        raise RunFolderError(
            f"{folder.records}: the trial of '{plan.arm}' has a name that no run gives → leave this"
            " folder out"
        )


def _check_whole(source: Source, again: str) -> None:
    """Check that all that is going to be copied is there, as recorded, and in the folder.

    Raises:
        RunFolderError: something is not.
    """
    folder, files = source.folder, source.header.files
    for file in (folder.truth, folder.documents, folder.splits, folder.own_worths):
        if file.is_symlink() or file.exists():
            list(entries(file, folder.path))
        if file.exists() and not is_as_recorded(file, files.get(file.name, sha256_now(file))):
            raise RunFolderError(f"{file} is not what was recorded → {again}")
    if folder.own_worths.exists() and not read_worths(folder.own_worths):
        raise RunFolderError(f"{folder.own_worths} is not what was recorded → {again}")
    for room in SHARED:
        for place in source.shared(room).values():
            list(entries(place, folder.path))
    for record in source.records.values():
        for place, without in source.units(record):
            list(entries(place, folder.path, without))
        for file in damaged_files(folder, record):
            raise RunFolderError(f"{file} is not what was recorded → {again}")
