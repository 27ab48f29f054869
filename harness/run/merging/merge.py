"""Merges run folders of one task into a new one.

All is read and checked before anything is written. The folders that it is made of stay as they are.
Runs no code of theirs. Knows nothing of scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.errors import RunFolderError
from harness.run.folder_lock import undisturbed
from harness.run.merging.alike import check_alike
from harness.run.merging.contents import Contents, contents_of
from harness.run.merging.selection import Candidate, Selection, selected
from harness.run.merging.source import AGAIN, Source, opened_source
from harness.run.merging.union import own_of, united_records
from harness.run.merging.writing import OTHER_OUT, write
from harness.store.records import RunHeader, TrialRecord
from harness.store.run_folder import RunFolder


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
        _check_files(sources)
        records = united_records(sources, selection)
        contents = contents_of(sources, selection)
        if not (was_there := _holds(out, records, contents)):
            write(out, contents, records, own_of(sources, selection))
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


def _check_files(sources: Sequence[Source]) -> None:
    """Check that one of the runs at least has each file that a run lays down beside its records.

    What is right is laid down by a run that ended, and by no other.

    Raises:
        RunFolderError: none has one of them.
    """
    first = sources[0]
    if not any(source.folder.truth.is_file() for source in sources):
        alone = "not there: the run was killed before it ended → run it again"
        several = (
            "not there, nor in another folder: all runs were killed before they ended → run one of"
            " them again"
        )
        raise RunFolderError(
            f"{first.folder.truth}: {alone if len(sources) == 1 else several}"
            f" (--out {first.name}); what is done is kept"
        )
    having = [one for one in sources if one.folder.documents.name in one.header.files]
    if having and not any(source.folder.documents.is_file() for source in having):
        again = AGAIN.format(folder=having[0].name)
        raise RunFolderError(f"{having[0].folder.documents}: not there → {again}")


def _check_searches(kept: Sequence[Candidate]) -> None:
    """Check that each arm's parameters were chosen once: all its seeds are to have the same.

    Raises:
        RunFolderError: two runs chose an arm's parameters each for itself, and otherwise.
    """
    first: dict[str, Candidate] = {}
    for one in kept:
        ok = one.record is not None and one.record.status == "ok"
        if not ok or one.plan.rows is not None or one.chosen is None:
            continue
        earlier = first.setdefault(one.plan.arm, one)
        if one.chosen != earlier.chosen:
            here, there, arm = earlier.source.name, one.source.name, one.plan.arm
            raise RunFolderError(
                f"{arm}: its parameters were chosen in {here} ({earlier.chosen}) and again in"
                f" {there} ({one.chosen}), so its seeds are two arms → run all its seeds in one of"
                f" the two (--only {arm} --out {here}), then merge"
            )


def _holds(out: Path, records: Sequence[RunHeader | TrialRecord], contents: Contents) -> bool:
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
    for path in contents.missing(folder):
        raise RunFolderError(
            f"{path} is gone, or was changed since it was merged → take {out} away, then merge"
            " again"
        )
    return True


def _notes(sources: Sequence[Source], selection: Selection) -> Iterator[str]:
    """Say what else a reader of the merged run must know of how it came about."""
    first = sources[0]
    if n := selection.shared_n:
        said = "1 record stands" if n == 1 else f"{n} records stand"
        yield f"note: {said} in several folders, as {'a copy' if n == 1 else 'copies'}"
    using = [
        source
        for source in sources
        if any(one.source is source and one.record for one in selection.kept.values())
    ]
    for source in using:
        if lacking := sorted(source.header.metric_sha256.keys() - source.worths.keys()):
            by, again = " and ".join(lacking), AGAIN.format(folder=source.name)
            yield (
                f"note: {source.name} does not say what its answers are worth by {by}, so its arms"
                f" may have no score → {again}"
            )
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
