"""What a diagnostic left on disk beside its values: what was asked, and how that went."""

from __future__ import annotations

from harness.store.base import Record
from harness.store.records import WorkerResult


class Measured(Record):
    """What a process that measured a diagnostic left beside its values, as measured.json."""

    of: str
    """Hash of what was asked: with other questions it is measured again."""
    engine: str | None = None
    """Hash of the source that computed it, where it belongs to no fit, whose id would hold that."""
    result: WorkerResult
    sample: tuple[str, ...] = ()
    """Ids of the test rows that were perturbed, where it is about those."""
