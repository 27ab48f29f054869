"""Whether a judgement rests on what was sealed before anything ran; says so where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.criteria import seal
from harness.pyfile import names_file
from harness.records import RunHeader


def not_as_sealed(header: RunHeader, other_prices: bool) -> Iterator[str]:
    """Yield what a judgement rests on that is not as it was sealed, in sentences.

    Args:
        header: of the run, as it is on record.
        other_prices: whether the price rows that apply are not those of the run.
    """
    if other_prices:
        yield (
            "Judged with other prices than those that were sealed before anything ran: the seal"
            " does not cover what the verdict says of money."
        )
    if edited(header):
        files = [name for name in (header.task["metric"], *header.task["also"]) if names_file(name)]
        metric = f", or {' or '.join(files)}," if files else ""
        yield (
            f"The success criteria on record{metric} were changed after they had been sealed: the"
            " verdict does not rest on what was agreed before anything ran."
        )


def edited(header: RunHeader) -> bool:
    """Tell whether the criteria on record have another hash than was sealed.

    False where that is not known: an earlier version sealed them, or the file of a metric is gone.
    """
    if not header.sealed:
        return False
    folder = Path(header.task_folder) if header.task_folder else None
    try:
        now = seal(header.task, header.prices, folder, header.sealed)
    except OSError:
        return False
    return now != header.criteria_sha256
