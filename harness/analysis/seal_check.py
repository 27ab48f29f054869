"""Whether a verdict rests on the criteria that were sealed before anything ran.

Reads the task of each header as it was sealed: the hash is of the keys on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.analysis.recorded_task import RecordedTask
from harness.files.python_file import names_file
from harness.prices import Prices
from harness.store.criteria_seal import (
    COVERS_THE_LIST,
    edited_since_sealed,
    metric_hashes,
    seal,
    seal_of_earlier_versions,
)
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
    ran = {trial.arm: first[trial.trial_id] for trial in header.trials if trial.trial_id in first}
    if unknown := [arm for arm, before in ran.items() if before is None]:
        yield (
            f"Whether {', '.join(unknown)} ran under the same success criteria is not known: a line"
            f" of {folder.records} that may say it cannot be read."
        )
    known = {arm: before for arm, before in ran.items() if before is not None}
    if not edited(header) and any(map(edited_since_sealed, known.values())):
        yield (
            "The success criteria that an earlier invocation had sealed were changed on record: the"
            " verdict does not rest on what was agreed before anything ran."
        )
    earlier = {arm: before for arm, before in known.items() if _other_criteria(before, header)}
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
    """Tell whether two invocations sealed different criteria; not known of very early versions.

    Each sealed the prices of its own machines. That another machine came to be used changes none:
    then the criteria of now, with the prices of then, have the hash of then.
    """
    if before.criteria_sha256 == now.criteria_sha256 or not _is_sealed(before):
        return False
    then, since = (Prices.model_validate(header.prices or {}) for header in (before, now))
    rows = then.for_machine(before.machine), since.for_machine(before.machine)
    asked = before.models.values()  # arms that came later may ask others
    charged = [(then.for_hosted(model), since.for_hosted(model)) for model in asked]
    if rows[0] != rows[1] or any(first != second for first, second in charged):
        return True
    sealed_now = now.model_copy(update={"prices": before.prices, "sealed": before.sealed})
    return _sealed_as(before, sealed_now) != before.criteria_sha256


def _changed(before: RunHeader, now: RunHeader) -> Iterator[str]:
    """Yield the keys of the task that differ, and "prices"."""
    yield from (key for key in now.sealed if before.task.get(key) != now.task.get(key))
    if before.prices != now.prices:
        yield "prices"


def edited(header: RunHeader) -> bool:
    """Tell whether the criteria on record have another hash than was sealed.

    So has a list of keys that was edited, and the file of a metric. False where that is not known:
    a very early version sealed them, or the file of a metric is gone.
    """
    if not _is_sealed(header):
        return False
    sealed = _sealed_as(header, header)
    return sealed not in (None, header.criteria_sha256) or _metric_was_changed(header)


def _is_sealed(header: RunHeader) -> bool:
    return bool(header.sealed) or header.criteria_sha256.startswith(COVERS_THE_LIST)


def _sealed_as(model: RunHeader, header: RunHeader) -> str | None:
    """Return the seal of a header's criteria in the way that another was sealed.

    None where that way reads the file of a metric, and it is gone.
    """
    if model.criteria_sha256.startswith(COVERS_THE_LIST):
        return seal(header.task, header.prices, header.metric_sha256, header.sealed)
    folder = Path(header.task_folder) if header.task_folder else None
    try:
        return seal_of_earlier_versions(header.task, header.prices, folder, header.sealed)
    except OSError:
        return None


def _metric_was_changed(header: RunHeader) -> bool:
    folder = Path(header.task_folder) if header.task_folder else None
    for name, sha256 in header.metric_sha256.items():
        try:
            if metric_hashes({"metric": name, "also": ()}, folder)[name] != sha256:
                return True
        except (OSError, KeyError):
            continue  # gone, so not known
    return False
