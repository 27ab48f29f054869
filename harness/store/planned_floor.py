"""A floor of an arm as an invocation planned it: what an arm is not below where it works."""

from __future__ import annotations

from typing import Any

from harness.store.base import Record


class PlannedFloor(Record):
    """A cheap strategy that an arm is not below where it works (`Strategy.floors`)."""

    strategy: str
    params: dict[str, Any]
    """Every parameter as resolved, defaults included."""
    what: str
    means: str
    key: str = ""
    """Hash of what decides its answers: its folder's name."""
    arm: str | None = None
    """The arm of the task that is the same; None: none is."""
    undefined: str | None = None
    """Why nothing can answer in its name."""
