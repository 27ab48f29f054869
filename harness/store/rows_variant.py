"""Which rows a trial learns from, where they are not all that the task gives.

Knows what was asked for, and nothing of how rows are drawn (harness/task/training_rows.py).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.store.base import Record


class RowsVariant(Record):
    """Fewer rows, some wrong labels, or further rows made of those that there are."""

    size: Annotated[int, Field(gt=0)] | None = None
    """Labelled rows, those of train and validation together; None: all."""
    repeat: Annotated[int, Field(ge=0)] = 0
    """Which of several draws; each has an order of rows of its own, and its smaller sizes lie
    within the larger ones."""
    noise: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the training rows that have another answer than theirs."""
    factor: Annotated[int, Field(ge=1)] = 1
    """Training rows for each one that there is: itself, and those that are made of it."""
    kinds: tuple[str, ...] = ()
    """What they are made by, in turn: "typo", "paraphrase"."""
    paraphrases: str | None = None
    """Hash of the paraphrases that there are; None: none are used."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Decides all draws, with the rows themselves."""

    @property
    def words(self) -> str:
        """What it is, in a few words: "50 labels, repeat 2"."""
        parts = [] if self.size is None else [f"{self.size:,} labels"]
        parts += [f"{100 * self.noise:g}% wrong labels"] if self.noise else []
        parts += [f"{self.factor} × rows by {', '.join(self.kinds)}"] if self.factor > 1 else []
        return ", ".join([*parts, f"repeat {self.repeat + 1}"])
