"""Where a run's jobs are done: who does them, and on what."""

from __future__ import annotations

from dataclasses import dataclass

from harness.run.launchers.base import NewLauncher
from harness.run.launchers.local import LocalLauncher
from harness.store.machine import Hardware


@dataclass(frozen=True)
class Site:
    """A place to run at; by default this machine, each job in a fresh interpreter."""

    launcher: NewLauncher = LocalLauncher
    hardware: tuple[Hardware, ...] = ()
    """What a cluster has, each kind once, first what trials are planned for. Empty: not known, or
    what this machine has."""


HERE = Site()
