"""What a diagnostic left on disk beside its values: what was asked, and how that went."""

from __future__ import annotations

from pathlib import Path

from harness.files.atomic import atomic_write
from harness.store.base import Record
from harness.store.checksum import checked, with_checksum
from harness.store.recorded_files import is_as_recorded
from harness.store.records import WorkerResult

MEASURED = "measured.json"


class Measured(Record):
    """What a process that measured a diagnostic left beside its values, as measured.json."""

    of: str
    """Hash of what was asked: with other questions it is measured again."""
    engine: str | None = None
    """Hash of the source that computed it, where it belongs to no fit, whose id would hold that."""
    result: WorkerResult
    sample: tuple[str, ...] = ()
    """Ids of the test rows that were perturbed, where it is about those."""

    def stands(self, path: Path) -> bool:
        """Tell whether the file of its values is what was recorded of it."""
        return is_as_recorded(path, self.result.files.get(path.name))


def write_measured(folder: Path, measured: Measured) -> None:
    """Lay what was asked and how that went beside the values."""
    atomic_write(folder / MEASURED, with_checksum(measured.model_dump_json(indent=1)))


def read_measured(folder: Path) -> Measured | None:
    """Return what lies beside a diagnostic's values; None where nothing does, or it is damaged."""
    try:
        return Measured.model_validate(checked((folder / MEASURED).read_bytes()))
    except (OSError, ValueError):
        return None
