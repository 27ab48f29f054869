"""What findings say, for tests that look at their words."""

from __future__ import annotations

from collections.abc import Iterable

from harness.store.finding import Finding


def sentences(findings: Iterable[Finding]) -> list[str]:
    """Return each finding as a sentence with its remedy."""
    return [finding.sentence for finding in findings]
