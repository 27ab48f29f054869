"""Runs a task: plans its trials, reuses what is done, runs the rest and records everything.

Knows nothing of scores and prices; leaves records in the run folder for the analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from itertools import groupby

from harness.errors import UnknownNameError
from harness.files.removal import remove
from harness.run.crew import Crew, Step
from harness.run.diagnostics import DiagnosticsRunner
from harness.run.dispatch import Dispatcher
from harness.run.earlier_report import without_rows
from harness.run.environment import Setting, header, make_ready, resolved_setting
from harness.run.floors import FloorRunner
from harness.run.own_metrics import keep_worths
from harness.run.planned import kind_of_rows, variants_asked
from harness.run.preflight import preflight
from harness.run.progress import Progress
from harness.run.site import HERE, Site
from harness.run.splits_kept import data_changes, keep_splits, with_leaks
from harness.run.steps import TrialSteps
from harness.run.trial import (
    TrialRunner,
    damaged_files,
    is_done,
    is_validated,
    now,
)
from harness.run.truth_rows import truth_rows
from harness.store.fit_account import ARTIFACT
from harness.store.record_lines import HEADER
from harness.store.records import Forecast, PlannedTrial, RunHeader, TrialRecord
from harness.store.run_folder import RunFolder, write_jsonl
from harness.store.validation_score import validated
from harness.task import Task

Foresee = Callable[[frozenset[str]], Mapping[str, Forecast]]
"""Forecasts the arms named, by name."""


class Runner:
    """Runs a task into a run folder.

    Args:
        task: what to run.
        folder: where records and artifacts go.
        progress: told how it goes.
        only: the arms to run; none named: all.
        foresee: forecasts just the arms that have something to run, recorded before it does; what
            is done keeps the forecast on record.
        site: where its jobs are done.

    Raises:
        UnknownNameError: `only` names an arm that the task does not have.
    """

    def __init__(
        self,
        task: Task,
        folder: RunFolder,
        progress: Progress,
        only: Sequence[str] = (),
        foresee: Foresee | None = None,
        site: Site = HERE,
    ):
        self.task = task
        self.folder = folder
        self.progress = progress
        self.only = frozenset(only)
        self.foresee = foresee or (lambda arms: {})
        self.site = site
        names = [arm.name for arm in task.arms]
        for name in sorted(self.only - set(names)):
            raise UnknownNameError("arm", name, names)

    def run(self, quick: bool = False) -> RunHeader:
        """Run every selected trial that is not done yet.

        Args:
            quick: whether `only` leaves the others out to save time; recorded.

        Returns:
            The header that was recorded for this invocation.

        Raises:
            RunFolderError: the folder's records are of a newer version of this harness.
        """
        earlier = next(reversed(self.folder.headers()), None)
        on = self.site.hardware[0] if self.site.hardware else None
        day = self.folder.prompt_date()
        setting = resolved_setting(self.task, self.only, earlier, day, on)
        recorded = self.folder.trials()
        known_on = [on for record in recorded.values() for on in record.hardware]
        measured_on = [one.machine for one in (*known_on, *self.site.hardware)]
        plan = header(self.task, setting, self.only, now(), measured_on, quick)
        plan = with_leaks(self.task, self._with_changes(plan, earlier), earlier)
        if quick and (left_out := variants_asked(self.task)):
            self.progress.say(f"--quick: {left_out} left out; run without it for them")
        # First what is done: forecasts and weights in 4 bits take seconds, and torch, and only
        # what is going to run needs them.
        every = (*plan.trials, *plan.curve)
        planned = {trial.trial_id for trial in every}
        known = {trial_id: recorded[trial_id] for trial_id in planned & set(recorded)}
        done = {trial_id: r for trial_id, r in known.items() if self._stands(r, setting)}
        self._tell_of_damage(plan, known)
        plan = self._foreseen(plan, done, earlier)
        refused = {trial.trial_id: trial for trial in plan.trials if trial.refused}
        running = _running(every, {**done, **refused})
        setting = self._examined(setting, running)
        make_ready(self.task, setting, running)
        self.folder.append(plan)
        keep_splits(self.task, self.folder)
        if self.task.documents:  # `predict` hands them to a strategy when the data is gone
            write_jsonl(self.folder.documents, map(asdict, self.task.documents))
        else:
            remove(self.folder.documents)
        crew = Crew(self.progress.tick)
        launcher = self.site.launcher(self.folder.path, crew.tick)
        dispatcher = Dispatcher(self.task, self.folder, setting, launcher)
        in_stages = launcher.slots > 1
        trials = TrialSteps(self.folder, self.progress, len(every), done, in_stages)
        # No worker may find the answers in the run folder: they are laid down when all is over.
        without_rows(self.folder)
        try:
            runner = TrialRunner(dispatcher, plan.trials)
            main = trials.of(runner, 0, DiagnosticsRunner(dispatcher))
            crew.do(main, launcher.slots)
            FloorRunner(dispatcher).run(plan, partial(self._tell_of_floor, len(every)))
            crew.do(self._variants(trials, dispatcher, plan), launcher.slots)
        finally:
            launcher.close()
            write_jsonl(self.folder.truth, truth_rows(self.task))
            keep_worths(self.task, self.folder, plan)
        return plan

    def _with_changes(self, plan: RunHeader, earlier: RunHeader | None) -> RunHeader:
        """Return the plan with what of the rows differs from the folder's last run, and tell it."""
        found = tuple(data_changes(self.task, self.folder, earlier))
        for line in found:
            self.progress.say(line)
        return plan.model_copy(update={"data_changes": found})

    def _stands(self, record: TrialRecord, setting: Setting) -> bool:
        """Tell whether a trial is done; an arm that is named (`only`) is to have its artifact.

        One that was served before there were several trainings to choose from is served again, for
        its score on validation rows.
        """
        of_several = record.rows is None and is_validated(self.task, record.arm, setting.models)
        if of_several and validated(record) is None:
            return False
        artifact = self.folder.fit_folder(record.arm, record.fit_id) / ARTIFACT
        named = record.rows is None and record.arm in self.only
        wanted = named and not artifact.is_dir()
        return is_done(self.folder, record) and not wanted

    def _tell_of_damage(self, plan: RunHeader, known: Mapping[str, TrialRecord]) -> None:
        """Say which records are lost, and which files of trials are not what was recorded."""
        lost = self.folder.lost()
        if HEADER in lost:
            self.progress.say(f"{lost[HEADER]}; it is written anew")
        for trial in (*plan.trials, *plan.curve):
            if trial.trial_id in lost:
                self.progress.say(f"{lost[trial.trial_id]}; {trial.arm} is run again")
            elif (record := known.get(trial.trial_id)) is not None:
                for path in damaged_files(self.folder, record):
                    self.progress.say(f"{path} is not what was recorded; {trial.arm} is run again")

    def _variants(self, trials: TrialSteps, dispatcher: Dispatcher, plan: RunHeader) -> list[Step]:
        """Return the steps of the trials on other rows, those on the same kind together.

        So a trial finds the fits of its parts, and the parameters that were chosen, among trials on
        as many rows as it has itself.
        """
        found: list[Step] = []
        before = len(plan.trials)
        for _, together in groupby(plan.curve, key=kind_of_rows):
            group = list(together)
            found += trials.of(TrialRunner(dispatcher, group), before)
            before += len(group)
        return found

    def _tell_of_floor(self, total: int, trial: PlannedTrial, node: str | None) -> None:
        self.progress.start(trial, total, total, "floor", node)

    def _examined(self, setting: Setting, running: frozenset[str]) -> Setting:
        """Return the setting without the models that no arm can use, and tell of the others."""
        if not running:
            return setting
        found = preflight(self.task, setting.models, running)
        for remark in (*found.problems, *found.remarks):
            self.progress.say(remark)
        problems = {**setting.problems, **found.refused}
        return replace(setting, problems=problems, arm_problems=found.refused_arms)

    def _foreseen(
        self, plan: RunHeader, done: Mapping[str, TrialRecord], earlier: RunHeader | None
    ) -> RunHeader:
        """Return the plan with forecasts: those on record, and new ones of arms that will run."""
        recorded = {trial_id: record.forecast for trial_id, record in done.items()}
        for trial in earlier.trials if earlier else ():
            if trial.refused and trial.forecast:  # it was never run, and will not be
                recorded.setdefault(trial.trial_id, trial.forecast)
        new = self.foresee(arms) if (arms := _running(plan.trials, recorded)) else {}
        by_id = {
            t.trial_id: recorded.get(t.trial_id, new.get(t.arm)) for t in plan.trials if t.selected
        }
        trials = (t.model_copy(update={"forecast": by_id.get(t.trial_id)}) for t in plan.trials)
        return plan.model_copy(update={"trials": tuple(trials)})


def _running(trials: Iterable[PlannedTrial], known: Mapping[str, object]) -> frozenset[str]:
    """Return the selected arms of which not every one of these trials is known already."""
    return frozenset(t.arm for t in trials if t.selected and t.trial_id not in known)
