"""The command to give next, when a run's verdict is known."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import NamedTuple

from harness.analysis import Comparison

LEFT_OUT = ("left out by --quick", "left out by --only")


class NextStep(NamedTuple):
    """A command, and what it is for."""

    why: str
    command: str


def next_step(comparison: Comparison, folder: Path, task: Path | None) -> NextStep | None:
    """Return what to do about a verdict.

    Args:
        comparison: with the verdict.
        folder: the run's.
        task: the task file; None: it is not known, as in a report of an old run.
    """
    found, arms = comparison.recommendation, comparison.arms
    where = shlex.quote(str(folder))
    again = f"python -m harness run {shlex.quote(str(task))}" if task is not None else None
    if again is not None and any(arm.error in LEFT_OUT for arm in arms):
        return NextStep("run the arms that were left out", again)
    if all(arm.status != "ok" for arm in arms):
        return None if again is None else NextStep("mend what failed, then go on", again)
    if found.verdict == "not_enough_evidence" and again is not None:
        return NextStep("add test rows, then run again", again)
    if found.choice is None:
        why = "change a limit or a price in the task, then write the report anew"
        return NextStep(why, again or f"python -m harness report {where}")
    why = f"answer new inputs with {found.choice}"
    return NextStep(why, f"python -m harness predict {where} NEW.jsonl")
