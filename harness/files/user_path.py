"""Paths as users write them, with `~` for their home folder, which not every user has."""

from __future__ import annotations

import os
from pathlib import Path


def user_path(text: str | Path) -> Path:
    """Return a path with `~` written out; as it stands where there is no such home.

    A path that stays so is not found, and whoever looks for it names it as the user wrote it.
    """
    return Path(os.path.expanduser(text))


def has_home() -> bool:
    """Tell whether this user has a home folder: HOME is set, or the user database has an entry."""
    return os.path.expanduser("~") != "~"
