"""A few answers of an arm that cites, each with the documents that it names as its sources.

The first test rows in their order, never picked by what the answers are worth. The questions are
left out: their text may be private, and their ids find them.
"""

from __future__ import annotations

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.base import Conclusion

SHOWN = 3
"""Rows of each arm: enough to see what its citations look like."""
LONGEST = 160
"""Characters of an answer that are kept."""


class CitedAnswer(Conclusion):
    """An answer with its sources."""

    item: str
    """Id of the test row."""
    answer: str | None
    """On one line, its end cut off where it is long; None: answering failed."""
    sources: tuple[str, ...] = ()
    """Ids of the documents that it names, the most telling first."""


def cited_answers(evidence: Evidence, arm: ArmEvidence) -> tuple[CitedAnswer, ...]:
    """Return an arm's first answers, under its first seed; nothing of an arm that never cites."""
    if not arm.cites:
        return ()
    first = zip(evidence.truth.ids[:SHOWN], arm.predictions[0], strict=False)
    return tuple(
        CitedAnswer(item=item, answer=None)
        if given.error
        else CitedAnswer(
            item=item, answer=_short(given.text), sources=tuple(map(str, given.sources or ()))
        )
        for item, given in first
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1].rstrip()}…"
