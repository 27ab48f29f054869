"""Which trial of several folders counts for each arm, seed and kind of rows, and what to say of it.

One that ended ok counts before one that failed, then the one of the folder that was named first.
Trials are the same measurement if what was prepared and served is on record alike; else they are
two, and their answers decide whether they agree. Answers of two kinds of machine may differ in the
last digit of a sum, and so now and then in a word: no reason to refuse both, and one to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from harness.errors import RunFolderError
from harness.run.job import WRITTEN
from harness.run.merging.source import Source
from harness.store.merged import TwoAnswers, served_sha256
from harness.store.predictions_file import read_predictions
from harness.store.records import PlannedTrial, TrialRecord
from harness.store.rows_variant import RowsVariant
from harness.store.search_record import SEARCH, read_search

DIAGNOSTICS = ("likelihood", "probe", "robustness")
"""What is measured when a trial has ended, maybe by a later run."""


class Key(NamedTuple):
    """What tells trials of a task from each other, whichever machine does them."""

    arm: str
    seed: int
    rows: RowsVariant | None

    @property
    def words(self) -> str:
        """Which trial it is."""
        more = "" if self.rows is None else f", {self.rows.words}"
        return f"{self.arm} (seed {self.seed}{more})"


@dataclass(frozen=True)
class Candidate:
    """A trial as one of the folders has it."""

    source: Source
    plan: PlannedTrial
    record: TrialRecord | None

    @property
    def rank(self) -> int:
        """The less, the sooner it counts: an answer that a server failed to give may yet come."""
        if self.record is None:
            return 3
        if self.record.status != "ok":
            return 2
        halves = filter(None, (self.record.fit, self.record.serve))
        return int(any(half.unanswered for half in halves))

    @cached_property
    def chosen(self) -> dict[str, Any] | None:
        """The parameters that a search chose which are not defaults; None: none was made."""
        if self.record is None or self.record.fit is None or SEARCH not in self.record.fit.files:
            return None
        fit = self.source.folder.fit_folder(self.record.arm, self.record.fit_id)
        search = read_search(fit)
        return None if search is None else search.params

    @property
    def measured(self) -> str:
        """Where and when it was measured, in words."""
        assert self.record is not None
        on = [hardware.name for hardware in self.record.hardware]
        return f"{' and '.join(on) or 'a machine that is not on record'}, {self.record.finished_at}"


@dataclass
class Selection:
    """What counts, and what is to be said of the rest."""

    kept: dict[Key, Candidate] = field(default_factory=dict)
    asked: dict[Key, bool] = field(default_factory=dict)
    """Whether any of the folders selected the trial."""
    told: list[str] = field(default_factory=list)
    """A line for each duplicate and each conflict."""
    two_answers: list[TwoAnswers] = field(default_factory=list)
    shared_n: int = 0
    """Records that stand alike in several folders: copies of one measurement."""


def selected(sources: Sequence[Source]) -> Selection:
    """Choose among the trials of several folders.

    Args:
        sources: in the order in which they were named.

    Raises:
        RunFolderError: answers that have to be compared cannot be read.
    """
    found = Selection()
    every: dict[Key, list[Candidate]] = {}
    for source in sources:
        for plan in source.plans:
            one = Candidate(source, plan, source.records.get(plan.trial_id))
            every.setdefault(Key(plan.arm, plan.seed, plan.rows), []).append(one)
    for key, candidates in every.items():
        found.asked[key] = any(one.plan.selected for one in candidates)
        kept = min(candidates, key=lambda one: one.rank)  # the first of equals
        if kept.record is None:  # one who would have run it knows its forecast
            kept = next((one for one in candidates if one.plan.selected), kept)
        for other in candidates:
            if other is not kept and other.record is not None and kept.record is not None:
                kept = _told(found, key, kept, other)
        found.kept[key] = kept
    return found


def _told(found: Selection, key: Key, kept: Candidate, other: Candidate) -> Candidate:
    """Say what follows from two records of a trial; return the candidate that counts."""
    assert kept.record is not None
    assert other.record is not None
    mine, theirs = kept.record, other.record
    if _is_same_measurement(mine, theirs):
        found.shared_n += 1
        return other if _diagnosed(theirs) > _diagnosed(mine) else kept
    names = f"{kept.source.name} and in {other.source.name}"
    if theirs.status != "ok":
        how = "failed" if mine.status != "ok" else "ended ok"
        both = f"{key.words} {how} in {kept.source.name}"
        and_failed = f"failed in {other.source.name} ({_one_line(theirs.error)})"
        found.told.append(f"{both} and {and_failed}: the record of {kept.source.name} is kept")
        return kept
    if kept.chosen != other.chosen:
        found.told.append(
            f"{key.words} has parameters of another search in {other.source.name} than in"
            f" {kept.source.name}: the record of {kept.source.name} is kept"
        )
        return kept
    differ, n = _differing(kept, other)
    if not differ:
        found.told.append(
            f"{key.words} was measured in {names}, with the same answers: the figures of"
            f" {kept.source.name} ({kept.measured}) are kept"
        )
        return kept
    what = f"{key.words} has two answers to {differ} of {n} test rows"
    found.told.append(
        f"conflict: {what}, in {names}: those of {kept.source.name} ({kept.measured}) count, and"
        f" those of {other.source.name} ({other.measured}) do not"
    )
    found.two_answers.append(
        TwoAnswers(
            trial_id=mine.trial_id,
            served_sha256=served_sha256(mine.serve),
            text=f"{what}: those of {kept.measured} count, and those of {other.measured} do not",
        )
    )
    return kept


def _is_same_measurement(one: TrialRecord, other: TrialRecord) -> bool:
    """Tell whether two records are of one measurement, whatever was added to either later."""
    without = dict.fromkeys(DIAGNOSTICS)
    return one.model_copy(update=without) == other.model_copy(update=without)


def _diagnosed(record: TrialRecord) -> int:
    results = (getattr(record, name) for name in DIAGNOSTICS)
    return sum(result is not None and result.status == "ok" for result in results)


def _differing(one: Candidate, other: Candidate) -> tuple[int, int]:
    """Return to how many test rows two trials gave other answers, and how many there are."""
    first, second = _answers(one), _answers(other)
    ids = dict.fromkeys((*first, *second))
    return sum(first.get(row) != second.get(row) for row in ids), len(ids)


def _answers(one: Candidate) -> dict[str, tuple[object, ...]]:
    """Return what a trial answered, by the row's id: not how long it took, nor how sure it was."""
    assert one.record is not None
    folder, record = one.source.folder, one.record
    path = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / WRITTEN["serve"]
    try:
        read = read_predictions(path, prompts=False)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
        raise RunFolderError(
            f"{path} cannot be read ({problem}) → run the task again with --out {folder.path}, then"
            " merge"
        ) from None
    return {row: (given.text, given.error, given.sources) for row, given in read.items()}


def _one_line(error: str | None) -> str:
    return " ".join((error or "no reason is recorded").split())
