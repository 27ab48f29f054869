"""What a merged folder holds besides its records: which folder each part of it is copied from.

The same list says what is written, and whether a folder holds it already. Knows no records of runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.run.merging.copying import copied, entries
from harness.run.merging.selection import Selection
from harness.run.merging.source import SHARED, Source
from harness.store.measured import read_measured
from harness.store.own_worths import Worths, read_worths, write_worths
from harness.store.recorded_files import is_as_recorded, sha256_now
from harness.store.run_folder import RunFolder


@dataclass(frozen=True)
class Part:
    """A file or a folder that is copied."""

    source: Source
    place: Path
    without: frozenset[str] = frozenset()
    """Names in the folder that are left out."""

    @property
    def at(self) -> Path:
        """Where it lies in a run folder."""
        return self.place.relative_to(self.source.folder.path)


@dataclass(frozen=True)
class Contents:
    """All that a merged folder holds besides its records."""

    parts: Sequence[Part]
    """Each at another place."""
    worths: Mapping[str, Worths]
    """What answers are worth by metrics of the task's own, by the metric's name."""

    def write(self, folder: RunFolder) -> None:
        """Copy all of it into a new folder."""
        for part in self.parts:
            copied(part.place, folder.path / part.at, part.source.folder.path, part.without)
        if self.worths:
            write_worths(folder.own_worths, self.worths)

    def missing(self, folder: RunFolder) -> Iterator[Path]:
        """Yield the files of it that a folder lacks, or has with other content."""
        for part in self.parts:
            for path, link in entries(part.place, part.source.folder.path, part.without):
                there = folder.path / part.at / path.relative_to(part.place)
                if link is None and not path.is_dir() and sha256_now(there) != sha256_now(path):
                    yield there
        if self.worths and read_worths(folder.own_worths) != self.worths:
            yield folder.own_worths


def contents_of(sources: Sequence[Source], selection: Selection) -> Contents:
    """Return what the merged folder of some runs holds."""
    found: dict[Path, Part] = {}
    for part in (*_of_trials(selection), *_shared(sources)):
        found.setdefault(part.at, part)
    return Contents(tuple(found.values()), _worths(sources))


def _of_trials(selection: Selection) -> Iterator[Part]:
    for one in selection.kept.values():
        if one.record is not None:
            for place, without in one.source.units(one.record):
                yield Part(one.source, place, without)


def _shared(sources: Sequence[Source]) -> Iterator[Part]:
    """Yield what is of no trial alone: of several, what the first run has that has it whole."""
    for room in SHARED:
        for name, source in _measured_in(sources, room).items():
            yield Part(source, source.shared(room)[name])
    for source in sources:
        had = source.folder
        yield from (
            Part(source, file) for file in (had.truth, had.documents, had.splits) if file.is_file()
        )


def _measured_in(sources: Sequence[Source], room: str) -> dict[str, Source]:
    """Return whose folder of each name is copied: the first run's that ended well, or the first."""
    found: dict[str, Source] = {}
    for source in sources:
        for name, place in source.shared(room).items():
            before = found.setdefault(name, source)
            if not _is_whole(before.shared(room)[name]) and _is_whole(place):
                found[name] = source
    return found


def _is_whole(place: Path) -> bool:
    """Tell whether what was measured went well, and its files are what was recorded."""
    measured = read_measured(place)
    return (
        measured is not None
        and measured.result.status == "ok"
        and all(is_as_recorded(place / name, sha) for name, sha in measured.result.files.items())
    )


def _worths(sources: Sequence[Source]) -> dict[str, Worths]:
    """Return what answers are worth by metrics of the task's own: what any of the runs found."""
    found: dict[str, Worths] = {}
    for source in sources:
        for name, worths in source.worths.items():
            earlier = found.get(name, worths)
            known = {**worths.worths, **earlier.worths}
            problems = {**worths.problems, **earlier.problems}
            update = {
                "worths": known,
                "problems": {key: why for key, why in problems.items() if key not in known},
            }
            found[name] = earlier.model_copy(update=update)
    return found
