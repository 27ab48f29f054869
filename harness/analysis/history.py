"""Runs of a folder over time: what each arm scored and cost, as each run's comparison.json says.

Reads comparison.json alone, so that many runs are quick. A folder counts with its newest run.
Scores of two runs are not compared here: they may have other test rows (compare_runs does that).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.analysis.schema.comparison import Comparison
from harness.analysis.schema.scores import Score
from harness.errors import RunFolderError
from harness.store.checksum import DamagedError, checked
from harness.store.records import Status
from harness.store.run_folder import RunFolder

DEPTH = 2
"""How far below the folder run folders are looked for: `runs/NAME`, `runs/TASK/NAME`."""


@dataclass(frozen=True)
class PastArm:
    """One arm of one run."""

    name: str
    status: Status
    error: str | None
    score: Score | None
    usd: float | None
    """Over the horizon; None: not known."""
    machine_s: float | None
    """Machine time over the horizon, whatever it costs."""
    chosen: bool


@dataclass(frozen=True)
class PastRun:
    """One run, as far as its history tells."""

    name: str
    """Its folder, as seen from the one that was named."""
    task: str
    metric: str
    started_at: str
    """ISO 8601; empty: not on record."""
    test_rows: str | None
    """Hash of the test rows; None: not on record."""
    arms: tuple[PastArm, ...]

    @property
    def when(self) -> str:
        """The minute in which it began, in the time zone of the record; "–": not on record."""
        return self.started_at[:16].replace("T", " ") or "–"


@dataclass(frozen=True)
class Timeline:
    """Runs of one task by one metric, the oldest first."""

    task: str
    metric: str
    runs: tuple[PastRun, ...]

    @property
    def other_rows(self) -> tuple[str, ...]:
        """Names of the runs that have other test rows than the run before them."""
        pairs = zip(self.runs, self.runs[1:], strict=False)
        return tuple(now.name for was, now in pairs if _differ(was.test_rows, now.test_rows))

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of all arms, those of the newest run first."""
        return tuple(dict.fromkeys(arm.name for run in reversed(self.runs) for arm in run.arms))


@dataclass(frozen=True)
class History:
    """All runs of a folder."""

    path: str
    """The folder that was named."""
    timelines: tuple[Timeline, ...]
    """One for each task and metric, in the order of the tasks' names."""
    left_out: tuple[str, ...]
    """Folders of runs that tell nothing yet, with what to do; each a sentence."""


def history_of(folder: Path, arm: str | None = None) -> History:
    """Return the runs in a folder, or of it.

    Args:
        folder: a run folder, or one that holds run folders at most two levels down.
        arm: leave out all others; None: all.

    Raises:
        RunFolderError: it is no folder, no run in it has a verdict, or none has that arm.
    """
    if not folder.is_dir():
        raise RunFolderError(f"{folder}: there is no such folder → name the one that holds runs")
    runs: list[PastRun] = []
    left_out: list[str] = []
    for place in _run_folders(folder, DEPTH):
        try:
            runs.append(_past_run(place, folder))
        except _UntoldError as problem:
            left_out.append(str(problem))
    if not runs:
        why = f" ({left_out[0]})" if left_out else ""
        fix = "name the folder that holds what `python -m harness run` wrote"
        raise RunFolderError(f"{folder}: there is no run with a verdict in it{why} → {fix}")
    if arm is not None:
        known = sorted({one.name for run in runs for one in run.arms})
        if arm not in known:
            raise RunFolderError(f"{folder}: no run has an arm '{arm}' → {', '.join(known)}")
        runs = [_only(run, arm) for run in runs if any(one.name == arm for one in run.arms)]
    return History(str(folder), tuple(_timelines(runs)), tuple(left_out))


class _UntoldError(Exception):
    """A run folder that tells nothing, in a sentence."""


def _differ(was: str | None, now: str | None) -> bool:
    return None not in (was, now) and was != now


def _run_folders(folder: Path, depth: int) -> Iterator[Path]:
    """Yield run folders: this one, or those below it; none is looked for inside another."""
    known = RunFolder(folder)
    if known.comparison.is_file() or known.records.is_file():
        yield folder
    elif depth:
        for place in sorted(folder.iterdir()):
            if place.is_dir() and not place.name.startswith("."):
                yield from _run_folders(place, depth - 1)


def _past_run(place: Path, folder: Path) -> PastRun:
    file = RunFolder(place).comparison
    if not file.is_file():
        raise _UntoldError(f"{place} has no verdict yet → run its task again")
    try:
        values = checked(file.read_bytes())
        found = Comparison.model_validate(values)
        task, metric = str(found.task["name"]), str(found.task["metric"])
    except (OSError, DamagedError, ValidationError, KeyError, TypeError):
        again = f"write it anew: python -m harness report {place}"
        raise _UntoldError(f"{file} is not what was written → {again}") from None
    choice = found.recommendation.choice
    return PastRun(
        name=str(place.relative_to(folder)) if place != folder else folder.resolve().name,
        task=task,
        metric=metric,
        started_at=str(found.run.get("started_at") or ""),
        test_rows=_hash_of_test(found.run),
        arms=tuple(
            PastArm(
                one.strategy,
                one.status,
                one.error,
                one.score,
                one.total_usd,
                one.cost.machine_s,
                one.strategy == choice,
            )
            for one in found.arms
        ),
    )


def _hash_of_test(run: dict[str, Any]) -> str | None:
    data = run.get("data")
    hashes = data.get("sha256") if isinstance(data, dict) else None
    found = hashes.get("test") if isinstance(hashes, dict) else None
    return None if found is None else str(found)


def _only(run: PastRun, arm: str) -> PastRun:
    arms = tuple(one for one in run.arms if one.name == arm)
    return PastRun(run.name, run.task, run.metric, run.started_at, run.test_rows, arms)


def _timelines(runs: Sequence[PastRun]) -> Iterator[Timeline]:
    for task, metric in sorted({(run.task, run.metric) for run in runs}):
        of_it = [run for run in runs if (run.task, run.metric) == (task, metric)]
        of_it.sort(key=lambda run: (run.started_at, run.name))
        yield Timeline(task, metric, tuple(of_it))
