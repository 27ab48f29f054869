"""Merges run folders of one task into a new one.

All is read and checked before anything is written; the new folder is made beside its place and
renamed into it, so that whoever looks finds nothing or all of it. The folders that it is made of
stay as they are. Runs no code of theirs. Knows nothing of scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RunFolderError
from harness.files.atomic import flush_to_disk
from harness.files.temporary_folder import temporary_folder
from harness.run.folder_lock import undisturbed
from harness.run.merging.alike import check_alike
from harness.run.merging.copying import copied
from harness.run.merging.selection import Candidate, Selection, selected
from harness.run.merging.source import SHARED, Source, opened_source
from harness.run.merging.union import own_of, united_records
from harness.run.trial import damaged_files
from harness.store.measured import read_measured
from harness.store.own_worths import Worths, read_worths, write_worths
from harness.store.records import RunHeader, TrialRecord
from harness.store.run_folder import RunFolder
from harness.store.search_record import SEARCH, read_search

OTHER_OUT = "choose another --out"


@dataclass(frozen=True)
class Account:
    """What was merged."""

    folder: RunFolder
    trials_n: int
    """Trials on record in the merged folder."""
    planned_n: int
    told: tuple[str, ...]
    """Duplicates, conflicts and notes, a line each."""
    conflicts: tuple[str, ...]
    """Where two runs gave a trial different answers, in this merge or an earlier one."""
    was_there: bool
    """The folder had held all of it before, and is as it was."""


def merge(paths: Sequence[Path], out: Path) -> Account:
    """Make one run folder of several.

    Args:
        paths: the folders; of two records of a trial that are equally good, the one in the folder
            that is named first counts.
        out: the new folder.

    Raises:
        RunFolderError: one of them is no whole run folder, they are not of one task, or `out`
            holds something else. Nothing has been written.
    """
    places = list({path.resolve(): path for path in reversed(paths)}.values())[::-1]
    _check_out(places, out)
    with ExitStack() as stack:
        for place in places:
            if place.is_dir():
                stack.enter_context(undisturbed(place))
        sources = [opened_source(place) for place in places]
        check_alike(sources)
        selection = selected(sources)
        kept = list(selection.kept.values())
        _check_searches(kept)
        _check_gold(sources)
        records = united_records(sources, selection)
        if not (was_there := _holds(out, records, kept)):
            _written(out, sources, selection, records)
    header = records[-1]
    assert isinstance(header, RunHeader)
    assert header.merged is not None
    return Account(
        folder=RunFolder(out),
        trials_n=sum(one.record is not None for one in kept),
        planned_n=len(kept),
        told=(*selection.told, *_notes(sources, selection)),
        conflicts=tuple(one.text for one in header.merged.two_answers),
        was_there=was_there,
    )


def _check_out(places: Sequence[Path], out: Path) -> None:
    """Check that the new folder is none of those that it is made of, nor in one, nor around one.

    Raises:
        RunFolderError: it is.
    """
    new = out.resolve()
    for place in places:
        old = place.resolve()
        if new == old:
            what = f"--out {out} is one of the folders to merge"
        elif new.is_relative_to(old):
            what = f"--out {out} lies in {place}, one of the folders to merge"
        elif old.is_relative_to(new):
            what = f"{place}, one of the folders to merge, lies in --out {out}"
        else:
            continue
        raise RunFolderError(f"{what} → {OTHER_OUT}")


def _check_gold(sources: Sequence[Source]) -> None:
    """Check that one of the runs at least ended: only then it lays down what is right.

    Raises:
        RunFolderError: none did.
    """
    if not any(source.folder.truth.is_file() for source in sources):
        first = sources[0]
        raise RunFolderError(
            f"{first.folder.truth}: not there, nor in the other folders: all runs were killed"
            f" before they ended → run one of them again (--out {first.name}); what is done is kept"
        )


def _check_searches(kept: Sequence[Candidate]) -> None:
    """Check that each arm's parameters were chosen once: all its seeds are to have the same.

    Raises:
        RunFolderError: two runs chose an arm's parameters each for itself, and otherwise.
    """
    chosen: dict[str, tuple[Candidate, object]] = {}
    for one in kept:
        if one.record is None or one.record.status != "ok" or one.plan.rows is not None:
            continue
        fit = one.source.folder.fit_folder(one.record.arm, one.record.fit_id)
        search = read_search(fit) if one.record.fit and SEARCH in one.record.fit.files else None
        if search is None:
            continue
        earlier, params = chosen.setdefault(one.plan.arm, (one, search.params))
        if params != search.params:
            first, second = earlier.source.name, one.source.name
            raise RunFolderError(
                f"{one.plan.arm}: its parameters were chosen in {first} ({params}) and again in"
                f" {second} ({search.params}), so its seeds are two arms → run all its seeds in one"
                f" of the two (--only {one.plan.arm} --out {first}), then merge"
            )


def _holds(
    out: Path, records: Sequence[RunHeader | TrialRecord], kept: Sequence[Candidate]
) -> bool:
    """Tell whether a folder holds just what is going to be written; False: it is new or empty.

    Raises:
        RunFolderError: it holds something else.
    """
    if not out.exists() and not out.is_symlink():
        return False
    if not out.is_dir():
        raise RunFolderError(f"--out {out} is not a folder → {OTHER_OUT}")
    if not any(out.iterdir()):
        return False
    folder = RunFolder(out)
    if not folder.records.is_file() or not folder.holds_records():
        held = sorted(path.name for path in out.iterdir())[0]
        raise RunFolderError(f"--out {out} holds other files ({held}, …) → {OTHER_OUT}")
    if not folder.holds_just(records):
        raise RunFolderError(
            f"--out {out} holds another run → {OTHER_OUT}; name {out} among the folders to merge to"
            " have what it holds in the new one too"
        )
    for one in kept:
        for path in damaged_files(folder, one.record) if one.record else ():
            raise RunFolderError(
                f"{path} is not what was recorded → take {out} away, then merge again"
            )
    return True


def _written(
    out: Path,
    sources: Sequence[Source],
    selection: Selection,
    records: Sequence[RunHeader | TrialRecord],
) -> None:
    """Lay a whole run folder down in its place.

    Raises:
        RunFolderError: a file was changed while it was copied.
    """
    place = out.resolve()
    place.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(place.parent) as beside:
        folder = RunFolder(beside / "run")
        folder.path.mkdir()
        for one in selection.kept.values():
            if one.record is not None:
                _copy_trial(one.source, one.record, folder)
        _copy_shared(sources, folder)
        # Last, so that what a killed merge leaves is no run folder to anybody.
        folder.lay_down(records, own_of(sources, selection))
        flush_to_disk(folder.path)
        folder.path.rename(place)
        flush_to_disk(place.parent)


def _copy_trial(source: Source, record: TrialRecord, folder: RunFolder) -> None:
    for place, without in source.units(record):
        to = folder.path / place.relative_to(source.folder.path)
        copied(place, to, source.folder.path, without)
    for path in damaged_files(folder, record):
        there = source.folder.path / path.relative_to(folder.path)
        raise RunFolderError(f"{there} was changed while it was copied → merge again")


def _copy_shared(sources: Sequence[Source], folder: RunFolder) -> None:
    """Copy what is of no trial alone: of several, what the first run has that has it whole."""
    for room in SHARED:
        for name, source in _measured_in(sources, room).items():
            place = source.shared(room)[name]
            copied(place, folder.path / room / name, source.folder.path)
    for source in sources:
        had = source.folder
        for file in (had.truth, had.documents, had.splits):
            if file.is_file():
                copied(file, folder.path / file.name, had.path)
    if worths := _worths(sources):
        write_worths(folder.own_worths, worths)


def _measured_in(sources: Sequence[Source], room: str) -> dict[str, Source]:
    """Return whose folder of each name is copied: the first run's that ended well, or the first."""
    found: dict[str, Source] = {}
    for source in sources:
        for name, place in source.shared(room).items():
            before = found.setdefault(name, source)
            if not _is_ok(before.shared(room)[name]) and _is_ok(place):
                found[name] = source
    return found


def _is_ok(place: Path) -> bool:
    measured = read_measured(place)
    return measured is not None and measured.result.status == "ok"


def _worths(sources: Sequence[Source]) -> dict[str, Worths]:
    """Return what answers are worth by metrics of the task's own: what any of the runs found."""
    found: dict[str, Worths] = {}
    for source in sources:
        for name, worths in read_worths(source.folder.own_worths).items():
            earlier = found.get(name, worths)
            if earlier.source_sha256 != worths.source_sha256:
                continue
            known = {**worths.worths, **earlier.worths}
            problems = {**worths.problems, **earlier.problems}
            update = {
                "worths": known,
                "problems": {key: why for key, why in problems.items() if key not in known},
            }
            found[name] = earlier.model_copy(update=update)
    return found


def _notes(sources: Sequence[Source], selection: Selection) -> Iterator[str]:
    """Say what else a reader of the merged run must know of how it came about."""
    first = sources[0]
    if selection.shared_n:
        yield f"note: {selection.shared_n} records stand in several folders, as copies"
    using = [
        source
        for source in sources
        if any(one.source is source and one.record for one in selection.kept.values())
    ]
    for source in using:
        mine, theirs = first.header.packages, source.header.packages
        differ = [
            f"{name} {mine[name]} and {theirs[name]}"
            for name in sorted(mine.keys() & theirs.keys())
            if mine[name] != theirs[name]
        ]
        if differ:
            yield f"note: {first.name} and {source.name} ran with {', '.join(differ)}"
        days = first.folder.prompt_date(), source.folder.prompt_date()
        if None not in days and days[0] != days[1] and _asks(source, selection):
            yield (
                f"note: chat templates that print the day printed {days[0]} in {first.name} and"
                f" {days[1]} in {source.name}"
            )


def _asks(source: Source, selection: Selection) -> bool:
    """Tell whether trials of a run that count put prompts to a model."""
    kept = selection.kept.values()
    return any(one.source is source and one.record and one.plan.model for one in kept)
