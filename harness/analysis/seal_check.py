"""Whether a verdict rests on the criteria that were sealed before anything ran.

Reads the task of each header as it was sealed: the hash is of the keys on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.analysis.recorded_task import RecordedTask
from harness.files.python_file import names_file
from harness.prices import Prices
from harness.store.criteria_seal import seal
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder


def not_as_sealed(folder: RunFolder, header: RunHeader, other_prices: bool) -> Iterator[str]:
    """Yield what a verdict rests on that is not as it was sealed, in sentences.

    Args:
        folder: of the run.
        header: of its newest invocation, as it is on record.
        other_prices: whether the price rows that apply are not those of the run.
    """
    if other_prices:
        yield (
            "The prices are not those that were sealed before anything ran: the seal does not cover"
            " what the verdict says of money."
        )
    if edited(header):
        task = RecordedTask.of(header.task)
        files = [name for name in (task.metric, *task.also) if names_file(name)]
        metric = f", or {' or '.join(files)}," if files else ""
        yield (
            f"The success criteria on record{metric} were changed after they had been sealed: the"
            " verdict does not rest on what was agreed before anything ran."
        )
    yield from _sealed_anew(folder, header)


def _sealed_anew(folder: RunFolder, header: RunHeader) -> Iterator[str]:
    """Say so where an earlier invocation ran arms of this one under other criteria."""
    first = folder.first_headers()
    earlier = {
        trial.arm: first[trial.trial_id]
        for trial in header.trials
        if trial.trial_id in first and _other_criteria(first[trial.trial_id], header)
    }
    if not earlier:
        return
    changed = sorted({key for before in earlier.values() for key in _changed(before, header)})
    arms = len({trial.arm for trial in header.trials})
    yield (
        f"The success criteria ({', '.join(changed) or 'the file of a metric'}) were changed and"
        f" sealed anew after {len(earlier)} of {arms} arms had run: the verdict does not rest on"
        " what was agreed before anything ran."
    )


def _other_criteria(before: RunHeader, now: RunHeader) -> bool:
    """Tell whether two invocations sealed different criteria; not known where versions differ.

    Each sealed the prices of its own machines. That another machine came to be used changes none:
    then the criteria of now, with the prices of then, have the hash of then.
    """
    if before.sealed != now.sealed or before.criteria_sha256 == now.criteria_sha256:
        return False
    then, since = (Prices.model_validate(header.prices or {}) for header in (before, now))
    rows = then.for_machine(before.machine), since.for_machine(before.machine)
    if rows[0] != rows[1] or then.hosted != since.hosted:
        return True
    folder = Path(now.task_folder) if now.task_folder else None
    try:
        return seal(now.task, before.prices, folder, now.sealed) != before.criteria_sha256
    except OSError:
        return True


def _changed(before: RunHeader, now: RunHeader) -> Iterator[str]:
    """Yield the keys of the task that differ, and "prices"."""
    yield from (key for key in now.sealed if before.task[key] != now.task[key])
    if before.prices != now.prices:
        yield "prices"


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
