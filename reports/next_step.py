"""What to do next, given a verdict: in words, and as a command. Page and terminal say the same.

Where nobody names the run folder and the task file, they are taken from the recorded command.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from harness.analysis import Comparison
from harness.wording import numbers

LEFT_OUT = ("left out by --quick", "left out by --only")
"""Errors of arms that nobody let run: a verdict without them is not the task's."""


@dataclass(frozen=True)
class NextStep:
    """What to do, and the command that does it."""

    text: str
    command: str


def next_step(
    comparison: Comparison, folder: Path | None = None, task: Path | None = None
) -> NextStep:
    """Return the step that acts on a comparison's verdict.

    Args:
        comparison: with its verdict.
        folder: the run folder; None: the one that the recorded command names.
        task: the task file; None: likewise.
    """
    found = comparison.recommendation
    named, out = _places(comparison)
    where = shlex.quote(str(folder or out))
    again = f"python -m harness run {shlex.quote(str(task or named))}"
    if any(arm.error in LEFT_OUT for arm in comparison.arms):
        return NextStep("Run the arms that were left out", again)
    if all(arm.status != "ok" for arm in comparison.arms):
        return NextStep("Mend what failed, then run again", again)
    match found.verdict:
        case "choose" if found.choice:
            return NextStep(
                f"Answer new inputs with {found.choice}",
                f"python -m harness predict {where} inputs.jsonl",
            )
        case "tie":
            return NextStep(
                "Take the simplest of them, or add test rows to tell them apart",
                f"python -m harness predict {where} inputs.jsonl",
            )
        case "not_enough_evidence":
            return NextStep(f"{_more_rows(comparison)}, then run again", again)
        case _:
            return NextStep("Change a limit, or add an arm that may meet it, then run again", again)


def _more_rows(comparison: Comparison) -> str:
    """Say how many rows more would decide, where a number would."""
    n = comparison.run["data"]["test_n"]
    needed = [rows for rows in comparison.recommendation.rows_needed.values() if rows is not None]
    if not needed or max(needed) <= n:
        return "Add test rows"
    return f"Add about {numbers.count(float(f'{max(needed) - n:.2g}'))} test rows"


def _places(comparison: Comparison) -> tuple[str, str]:
    """Return the task file and the run folder that the recorded command names."""
    default = f"runs/{comparison.task['name']}"
    try:
        words = shlex.split(str(comparison.run["command"]))
    except ValueError:  # somebody else's text, with a quotation mark that nothing closes
        words = []
    out = next((words[at + 1] for at, word in enumerate(words[:-1]) if word == "--out"), default)
    out = next((word.removeprefix("--out=") for word in words if word.startswith("--out=")), out)
    ran = words.index("run") + 1 if "run" in words[:-1] else None
    return (words[ran] if ran else "task.yaml"), out
