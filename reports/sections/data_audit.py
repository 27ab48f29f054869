"""The audit of the data: what was found before anything ran, the gravest first."""

from __future__ import annotations

from harness.analysis import Comparison
from harness.store.finding import gravest_first
from harness.wording import numbers
from harness.wording.sentences import counted
from reports.section import Section, Table, Text

NOTE = (
    "Found before anything ran. Severe: a figure would mislead, or somebody would be harmed"
    " (`check --strict` refuses it); warning: a figure may mislead; note: good to know."
    " `check --deep` looks further: for near duplicates and likely label errors."
)


def data_audit(comparison: Comparison) -> Section | None:
    """A table of what was found in the data, each finding with its count and its remedy."""
    if not comparison.audit:
        return None
    rows = tuple(
        (
            finding.severity,
            finding.kind,
            "" if finding.count is None else numbers.count(finding.count),
            finding.text,
            finding.remedy or "",
        )
        for finding in gravest_first(comparison.audit)
    )
    table = Table(("severity", "finding", "count", "what", "remedy"), rows)
    blocks = (table, Text(NOTE, small=True))
    finding = f"{counted(len(comparison.audit), 'finding')} in the data."
    return Section("audit", "J", "Data audit", blocks, finding, closed=True)
