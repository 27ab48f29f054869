"""A task as commands load it: its own code is tried in a process of its own first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.plain import complain

if TYPE_CHECKING:
    from harness.task import Task


def loaded(path: Path, paraphrased: bool = True) -> Task:
    """Load a task; its own code is named, and tried in a process of its own, before it is run.

    Args:
        path: of the task file.
        paraphrased: whether its paraphrases are read; not where they are yet to be written.
    """
    from harness.task import load_task
    from harness.task.code_check import CodeCheck

    return load_task(path, CodeCheck(complain), paraphrased=paraphrased)
