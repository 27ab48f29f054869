"""Who watches a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from harness.store.records import PlannedTrial, TrialRecord

Doing = Callable[[str, str | None], None]
"""Told which part of a trial begins, and on which node of several; None: on this machine."""


class Progress(Protocol):
    """Is told how a run goes; never by two at once, but of trials that are under way at once."""

    def start(
        self, trial: PlannedTrial, number: int, total: int, doing: str, node: str | None = None
    ) -> None:
        """A part of a trial begins; on a node of that name, if there are several machines."""

    def pause(self, trial: PlannedTrial) -> None:
        """A part of a trial is over; the next one begins when its turn comes."""

    def tick(self) -> None:
        """About half a second has passed."""

    def end(self, record: TrialRecord, reused: bool) -> None:
        """A trial is over."""

    def say(self, text: str) -> None:
        """Something is worth knowing before a trial begins."""
