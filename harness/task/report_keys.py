"""The key `report` of the task file: what a report shows of single test rows."""

from __future__ import annotations

from typing import Literal

from harness.task.spec import Spec


class Report(Spec):
    """What a report shows of single test rows. It may be sent on: their texts may be private."""

    examples: Literal["none", "ids", 12, "all"] = 12
    """none: nothing of single rows. ids: their ids, scores and, of choices, labels; no text. 12:
    also the texts of twelve rows, picked by rule. all: the texts of every row. Rows for groups
    (`data.groups`) have texts with `all` alone. `report RUN_DIR --examples …` says it anew."""
