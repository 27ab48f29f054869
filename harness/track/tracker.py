"""What a tracker must do, and which there are.

Each lies in a file of its own and imports its library when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Protocol

from harness.track.tracked_trial import TrackedTrial


class Tracker(Protocol):
    """Takes what is told of trials. Whatever it raises ends it for this run, and no trial."""

    def trial(self, trial: TrackedTrial) -> None:
        """Write a trial that has ended. One that it was told before replaces what it wrote."""

    def found(self, trial: TrackedTrial, figures: Mapping[str, float]) -> None:
        """Write what the analysis found of the arm that a trial is of."""

    def close(self) -> None:
        """Finish writing."""


NewTracker = Callable[[str, Path], Tracker]
"""Makes one, given the task's name and a folder of its own. Raises ImportError without its
library."""

TRACKERS: Mapping[str, str] = {
    "tensorboard": "harness.track.tensorboard_tracker:TensorBoardTracker",
    "mlflow": "harness.track.mlflow_tracker:MlflowTracker",
}
"""Trackers by the names that `track` of a task file may say."""


def new_tracker(name: str, task: str, folder: Path) -> Tracker:
    """Make a tracker.

    Args:
        name: of `TRACKERS`.
        task: its name.
        folder: where it may write.

    Raises:
        ImportError: its library is not installed.
    """
    module, made = TRACKERS[name].split(":")
    make: NewTracker = getattr(import_module(module), made)
    return make(task, folder)
