"""Which commit a folder is at, asked of git without running anything that the folder brings.

A repository names programs in its own configuration: hooks, a file system monitor, filters that
`git status` puts changed files through, a pager, helpers to fetch what is missing. None of them is
started. A repository of another user is unknown, as git itself has it (`safe.directory`).
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

DEADLINE_S = 10.0
"""A repository on a disk that hangs is unknown."""
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # nothing is fetched, whatever is missing
    "GIT_OPTIONAL_LOCKS": "0",
}
OFF = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}", "core.untrackedCache=false")
FILTERS = {"clean": "", "smudge": "", "process": "", "required": "false"}
"""What switches a filter off. Files that pass through one (Git LFS) are compared as they are: one
that was touched since counts as changed."""


def git_commit(folder: Path) -> str | None:
    """Return the commit that `folder` is at, with "+changes" if files differ; None if unknown."""
    try:
        off = [*OFF, *_filters_off(folder)]
        commit = _git(folder, off, "rev-parse", "HEAD")
        tracked = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
        changed = _git(folder, off, "status", *tracked)
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _filters_off(folder: Path) -> Iterator[str]:
    """Yield settings without which a filter of the repository's own configuration would run."""
    names = _git(folder, OFF, "config", "--includes", "--list", "--name-only", "-z").split("\0")
    own = {name[: name.rindex(".")] for name in names if name.startswith("filter.")}
    for filter in sorted(own):
        yield from (f"{filter}.{key}={value}" for key, value in FILTERS.items())


def _git(folder: Path, settings: Iterator[str] | list[str] | tuple[str, ...], *words: str) -> str:
    command = ["git", "--no-pager", "--no-optional-locks"]
    for setting in settings:
        command += ["-c", setting]
    # What the user's own environment says of git (GIT_DIR, GIT_EXTERNAL_DIFF) is of another folder.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        [*command, "-C", str(folder), *words],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=True,
        stdin=subprocess.DEVNULL,
        timeout=DEADLINE_S,
        env=kept | ENVIRONMENT,
    )
    return done.stdout.strip()
