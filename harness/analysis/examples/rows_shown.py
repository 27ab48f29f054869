"""Single rows of one analysis: which are picked, and all of them for the browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.analysis.examples.all_rows import AllRows, all_rows
from harness.analysis.examples.make import Shop, examples_of
from harness.analysis.examples.picked import Pick, picked
from harness.analysis.examples.prompts import prompts_of
from harness.analysis.examples.row_table import RowTable
from harness.analysis.examples.shown import Policy
from harness.analysis.schema.examples import Examples, Shown
from harness.analysis.schema.scores import SliceScore
from harness.store.run_folder import RunFolder


@dataclass(frozen=True)
class RowsShown:
    """What is shown of single rows."""

    table: RowTable
    folder: RunFolder
    """Where prompts lie."""
    shown: Shown
    choice: str | None
    """The chosen arm."""
    worst: SliceScore | None
    """Its worst slice."""

    @property
    def examples(self) -> Examples:
        """The picked rows."""
        return examples_of(self._shop, self._picks)

    @property
    def all(self) -> AllRows | None:
        """All rows, for the browser; None where none is shown."""
        return all_rows(self._shop, self._picks, self.choice)

    @property
    def scores(self) -> Iterator[dict[str, Any]]:
        """A line for each test row: its id and what each arm's answer to it is worth."""
        for row, row_id in enumerate(self.table.run.gold.ids):
            scores = {arm.name: arm.answers[row].score for arm in self.table.arms}
            yield {"id": row_id, "metric": self.table.metric.name, "scores": scores}

    @cached_property
    def _picks(self) -> list[Pick]:
        return picked(self.table, self.choice, self.worst)

    @cached_property
    def _shop(self) -> Shop:
        policy = Policy(self.shown)
        arms = self.table.arms if policy.shows_texts else ()
        prompts = {arm.name: prompts_of(self.folder, arm.arm.trials[arm.place]) for arm in arms}
        return Shop(self.table, policy, prompts)
