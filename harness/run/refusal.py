"""Why one arm cannot use a model that others can."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ArmRefusal:
    """An examination's word on one arm."""

    arm: str
    why: str
    """The reason and the remedy."""
