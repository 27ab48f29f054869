"""What a report may show of single rows, as `report.examples` and `data.groups` say.

One place decides for the picked rows, for the browser over all rows, and for the documents that
answers name. Nothing else here may look at the policy.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis.schema.examples import Shown
from harness.types import Document, Query

MOST_CHARACTERS = 20_000
"""Of one text; what is longer is cut, and says so. A page of a hundred times that opens nowhere."""
IDS_ONLY = "report.examples is 'ids'"
FOR_GROUPS = "the row is for groups (data.groups): set report.examples to 'all' to show it"
NOT_PICKED = "report.examples is 12: the texts of picked rows alone are shown"
NOT_KEPT = "an earlier version ran this, and kept no inputs: run the task again"


@dataclass(frozen=True)
class Policy:
    """What is shown."""

    shown: Shown

    @property
    def rows(self) -> bool:
        """Whether single rows are shown at all, if only by their ids."""
        return self.shown != "none"

    @property
    def shows_texts(self) -> bool:
        """Whether texts of any row are shown."""
        return self.shown in (12, "all")

    @property
    def every_text(self) -> bool:
        """Whether texts of rows that were not picked are shown."""
        return self.shown == "all"

    def withheld(self, asked: Query | None, *, was_picked: bool) -> str | None:
        """Return why a row's texts are not shown; None: they are.

        Args:
            asked: the row; None: it was not kept.
            was_picked: whether it is one of the twelve.
        """
        if not self.shows_texts:
            return IDS_ONLY
        if asked is not None and asked.groups and not self.every_text:
            return FOR_GROUPS
        if not (was_picked or self.every_text):
            return NOT_PICKED
        return NOT_KEPT if asked is None else None

    def shows(self, document: Document) -> bool:
        """Tell whether a document's title and text are shown."""
        return self.every_text or (self.shown == 12 and document.allow is None)


def cut(text: str) -> str:
    """Return a text, its end left out where it is very long."""
    if len(text) <= MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}… ({len(text) - MOST_CHARACTERS:,} more characters)"
