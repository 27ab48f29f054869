"""The trials of a run as steps: what is prepared, served and asked, and what waits for what.

Knows nothing of threads; whoever does steps side by side finds that they share nothing but the run
folder and the watcher, which are told one at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from harness.run.crew import Step
from harness.run.diagnostics import DiagnosticsRunner
from harness.run.progress import Doing, Progress
from harness.run.shared_fits import parts_first
from harness.run.trial import Fitted, TrialRunner, refused_is_failed
from harness.store.records import PlannedTrial, TrialRecord
from harness.store.run_folder import RunFolder

PREPARED, SERVED, CLOSED = range(3)
"""The stages. What is measured has a machine to itself, so it waits for whoever prepares something
there: in stages it waits once, and not after every trial."""


@dataclass
class Course:
    """How far one trial is."""

    trial: PlannedTrial
    number: int
    record: TrialRecord | None
    """None: not served yet."""
    reused: bool
    """Whether it was done before."""
    kept: TrialRecord | None
    """What of it is on record."""
    fitted: Fitted | None = None


@dataclass
class TrialSteps:
    """Makes the steps of trials, and keeps what comes of them."""

    folder: RunFolder
    progress: Progress
    total: int
    """Trials of the run."""
    done: Mapping[str, TrialRecord]
    """Records that stand, by trial id."""
    in_stages: bool
    """Whether all that is prepared comes first; else trial by trial."""
    _turn: threading.RLock = field(default_factory=threading.RLock)

    def of(
        self, runner: TrialRunner, before: int, diagnostics: DiagnosticsRunner | None = None
    ) -> list[Step]:
        """Return the steps of a runner's trials, trial by trial.

        Args:
            runner: of trials on the same kind of rows.
            before: trials of the run that come before these.
            diagnostics: completes their records; None: nobody does.
        """
        found: list[Step] = []
        ordered = parts_first(runner.task, runner.plan)
        for number, trial in enumerate(ordered, start=before + 1):
            if not trial.selected or trial.refused:
                continue
            record = self.done.get(trial.trial_id)
            course = Course(trial, number, record, reused=record is not None, kept=record)
            found += self._of_one(course, runner, diagnostics)
        return found

    def _of_one(
        self, course: Course, runner: TrialRunner, diagnostics: DiagnosticsRunner | None
    ) -> Iterator[Step]:
        trial = course.trial
        fit, serve, close = (f"{part} {trial.trial_id}" for part in ("fit", "serve", "close"))
        if course.record is None:
            first = frozenset(f"fit {other.trial_id}" for other in runner.comes_after(trial))
            yield Step(fit, partial(self._fit, course, runner), first, PREPARED)
            yield Step(serve, partial(self._serve, course, runner), frozenset([fit]), SERVED)
        yield Step(close, partial(self._close, course, diagnostics), frozenset([serve]), CLOSED)

    def _fit(self, course: Course, runner: TrialRunner) -> None:
        course.fitted = runner.fit(course.trial, partial(self._tell, course))
        with self._turn:
            self.progress.pause(course.trial)

    def _serve(self, course: Course, runner: TrialRunner) -> None:
        assert course.fitted is not None
        course.record = runner.serve(course.trial, course.fitted, partial(self._tell, course))
        with self._turn:
            if self.in_stages:  # until its turn comes again much may happen
                self._keep(course, course.record)
            self.progress.pause(course.trial)

    def _close(self, course: Course, diagnostics: DiagnosticsRunner | None) -> None:
        """Have the diagnostics measured that the record lacks, and tell that the trial is over."""
        assert course.record is not None
        record = course.record
        try:
            if diagnostics is not None:
                record = _completed(diagnostics, course.trial, record, partial(self._tell, course))
        finally:  # interrupted while a diagnostic is measured, a trial is not lost
            with self._turn:
                self._keep(course, record)
        with self._turn:
            self.progress.end(record, course.reused)

    def _keep(self, course: Course, record: TrialRecord) -> None:
        """Record a trial, unless it is on record as it is."""
        if record is not course.kept:
            self.folder.append(record)
            course.kept = record

    def _tell(self, course: Course, doing: str, node: str | None) -> None:
        with self._turn:
            self.progress.start(course.trial, course.number, self.total, doing, node)


def _completed(
    diagnostics: DiagnosticsRunner,
    trial: PlannedTrial,
    record: TrialRecord,
    tell: Doing,
) -> TrialRecord:
    """Return a record with its diagnostics; without, where an arm spoilt what they are made of."""
    return refused_is_failed(lambda: diagnostics.complete(trial, record, tell), lambda _: record)
