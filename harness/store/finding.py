"""What an audit finds: one record for each, so that whoever prints it can sort, count and act.

Knows nothing of how anything is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from harness.store.base import Record

FindingSeverity = Literal["severe", "warning", "note"]
SEVERITIES: tuple[FindingSeverity, ...] = ("severe", "warning", "note")
"""The gravest first."""
MOST_ROWS = 20
"""Ids that a record keeps of the rows it is about."""
ARROW = " → "
"""Stands between what was found and what to do."""
SENTENCE = "sentence"
"""The kind of what was kept as a sentence alone."""


class Finding(Record):
    """Something of the data, the task or a model that is worth knowing before a run."""

    kind: str
    """What it is, in a few words: "near duplicates". The same for all findings of a kind."""
    text: str
    """What was found, with its figures, as a sentence without a full stop."""
    count: int | None = None
    """Rows, labels or documents that it is about; None: not a matter of a number."""
    rows: tuple[str, ...] = ()
    """Ids of these rows, at most `MOST_ROWS`."""
    severity: FindingSeverity = "note"
    """Severe: a figure of the run would mislead, or somebody would be harmed; `check --strict`
    refuses it. Warning: a figure may mislead. Note: good to know."""
    remedy: str | None = None
    """What to do; None where nothing need be done."""

    @classmethod
    def of(cls, kind: str, text: str, ids: Sequence[str], **more: Any) -> Finding:
        """Return a finding about rows: their number is its count, the first of them are its rows.

        Args:
            kind: what it is.
            text: what was found.
            ids: of all rows that it is about.
            more: its other fields.
        """
        return cls(kind=kind, text=text, **{"count": len(ids), **more}, rows=tuple(ids[:MOST_ROWS]))

    @classmethod
    def of_sentence(
        cls, sentence: str, kind: str = SENTENCE, severity: FindingSeverity = "note"
    ) -> Finding:
        """Return the finding that a sentence tells; what stands behind its arrow is the remedy."""
        text, _, remedy = sentence.partition(ARROW)
        return cls(kind=kind, text=text, severity=severity, remedy=remedy or None)

    @property
    def sentence(self) -> str:
        """What was found and what to do."""
        return self.text + (f"{ARROW}{self.remedy}" if self.remedy else "")

    @property
    def line(self) -> str:
        """The sentence behind its severity, as the terminal has it."""
        return f"{self.severity}: {self.sentence}"


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of their severity; equally severe ones keep theirs."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
