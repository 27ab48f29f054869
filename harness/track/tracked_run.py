"""A run that is told to trackers too: each trial as it ends, and what was found in the end.

Stands between a run and its screen. Trackers are told between trials, when no worker runs, so none
of it is in any figure. What a tracker raises is said once, and the run goes on without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from harness.analysis import Comparison
from harness.run.progress import Progress
from harness.store.fit_account import TRAIN_LOG
from harness.store.records import PlannedTrial, TrialRecord
from harness.store.run_folder import TRACK, RunFolder, each_row
from harness.track.tracked_trial import TrackedTrial, arm_figures, tracked_trial
from harness.track.tracker import Tracker, new_tracker


class TrackedRun:
    """Tells a screen how a run goes, and trackers what came of it.

    Args:
        names: of the trackers, as the task file has them.
        folder: of the run.
        task: its name.
        screen: is told all that a run tells.
    """

    def __init__(self, names: Sequence[str], folder: RunFolder, task: str, screen: Progress):
        self.screen = screen
        self._names, self._folder, self._task = names, folder, task
        self._trackers: dict[str, Tracker] | None = None
        self._trials: list[TrackedTrial] = []

    def start(
        self, trial: PlannedTrial, number: int, total: int, doing: str, node: str | None = None
    ) -> None:
        """A part of a trial begins."""
        self.screen.start(trial, number, total, doing, node)

    def pause(self, trial: PlannedTrial) -> None:
        """A part of a trial is over."""
        self.screen.pause(trial)

    def tick(self) -> None:
        """About half a second has passed."""
        self.screen.tick()

    def say(self, text: str) -> None:
        """Something is worth knowing before a trial begins."""
        self.screen.say(text)

    def end(self, record: TrialRecord, reused: bool) -> None:
        """A trial is over: the screen is told, then each tracker."""
        self.screen.end(record, reused)
        if not self._names:
            return
        trial = tracked_trial(record, self._log(record))
        self._trials.append(trial)
        self._tell(lambda tracker: tracker.trial(trial))

    def found(self, comparison: Comparison) -> None:
        """Tell trackers what the analysis found, and end them."""
        arms = {arm.strategy: arm for arm in comparison.arms}
        for trial in self._trials:
            if (arm := arms.get(trial.arm)) is not None:
                figures = arm_figures(arm, trial.seed)
                self._tell(lambda tracker, t=trial, f=figures: tracker.found(t, f))  # type: ignore[misc]
        self._tell(lambda tracker: tracker.close())

    def _tell(self, tell: Callable[[Tracker], None]) -> None:
        """Tell every tracker something; one that fails is told nothing more."""
        for name, tracker in list(self._made().items()):
            self._guarded(name, lambda one=tracker: tell(one))  # type: ignore[misc]

    def _made(self) -> Mapping[str, Tracker]:
        """Make the trackers when the first trial has ended: their libraries take seconds."""
        if self._trackers is None:
            self._trackers = {}
            for name in self._names:
                self._guarded(name, lambda name=name: self._make(name))  # type: ignore[misc]
        return self._trackers

    def _make(self, name: str) -> None:
        assert self._trackers is not None
        folder = self._folder.path / TRACK / name
        self._trackers[name] = new_tracker(name, self._task, folder)

    def _guarded(self, name: str, do: Callable[[], None]) -> None:
        """Do something with a tracker; where that fails, say so and be done with it."""
        assert self._trackers is not None
        try:
            do()
        except ImportError as problem:
            self._trackers.pop(name, None)
            fix = f"pip install 'worth-tuning[{name}]'"
            self.screen.say(f"track: {name} is not installed ({problem}) → {fix}; the run goes on")
        except Exception as problem:  # whatever a foreign library or its server does
            self._trackers.pop(name, None)
            what = f"{type(problem).__name__}: {str(problem)[:300]}"
            self.screen.say(f"track: {name} failed ({what}); the run goes on without it")

    def _log(self, record: TrialRecord) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of a trial's training log; none where there is none, or it is damaged."""
        try:
            yield from each_row(self._folder.fit_folder(record.arm, record.fit_id) / TRAIN_LOG)
        except (OSError, ValueError):
            return
