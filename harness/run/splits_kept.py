"""Keeps what is known of a run's rows: who is in which split, what changed, what leaked.

The right answers of test rows are not among it, not even as hashes: workers could read them there.
Where those changed is told from `truth.jsonl`, which a run lays down when all is over.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from harness.files.atomic import atomic_write
from harness.files.hashing import sha256_of
from harness.store.recorded_files import is_as_recorded
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder, each_row
from harness.store.split_record import SplitsRecord, changes, recorded_splits, target_hash
from harness.task import Task
from harness.task.audit.leaks import leak_sources


def keep_splits(task: Task, folder: RunFolder) -> None:
    """Write which rows are in which split.

    Args:
        task: with the rows as they are used.
        folder: of the run.
    """
    record = recorded_splits(task.splits, whole=_is_whole(task))
    atomic_write(folder.splits, record.model_dump_json() + "\n")


def data_changes(task: Task, folder: RunFolder, earlier: RunHeader | None) -> Iterator[str]:
    """Say what of the rows differs from a folder's last run, in sentences.

    Args:
        task: with the rows as they are used now.
        folder: of the run.
        earlier: the header of its last run; None: it has none.
    """
    if earlier is None or earlier.data.sha256 == task.data.sha256:
        return
    try:
        before = SplitsRecord.model_validate_json(folder.splits.read_bytes())
    except (OSError, ValidationError):
        differ = [name for name, sha in task.data.sha256.items() if sha != _sha(earlier, name)]
        yield f"the rows of {' and '.join(differ)} differ from the run before; which is unknown"
        return
    test = before.splits.get("test")
    if test is not None and (known := _right_answers(folder, earlier)):
        hashes = tuple(known.get(row_id, "") for row_id in test.ids)
        test = test.model_copy(update={"targets": hashes})
        before = before.model_copy(update={"splits": {**before.splits, "test": test}})
    now = recorded_splits(task.splits, whole=_is_whole(task), test_targets=True)
    lines = list(changes(before, now))
    if lines:
        yield f"the data changed since the run before: {'; '.join(lines)}"


def with_leaks(task: Task, plan: RunHeader, earlier: RunHeader | None) -> RunHeader:
    """Return the plan with the test rows that stand in what its arms may use.

    They are looked for again only where rows, documents or arms are others than in the run before.
    """
    arms = {arm.name: [task.profiles[arm.name].sha256, task.params[arm.name]] for arm in task.arms}
    texts = [task.spec.instruction, task.spec.system, plan.files.get("documents.jsonl")]
    reading = {trial.arm: trial.reads for trial in plan.trials}
    of = sha256_of([task.data.sha256, texts, arms, reading])
    known = earlier is not None and earlier.leaks_of == of
    leaks = earlier.leaks if earlier is not None and known else leak_sources(task)
    return plan.model_copy(update={"leaks": leaks, "leaks_of": of})


def _sha(header: RunHeader, name: str) -> str | None:
    return header.data.sha256.get(name)


def _is_whole(task: Task) -> bool:
    return task.data.test_n == task.data.test_total_n


def _right_answers(folder: RunFolder, earlier: RunHeader) -> dict[str, str]:
    """Return the hash of each test row's right answers in the last run, by id; none if lost."""
    try:
        if not is_as_recorded(folder.truth, earlier.files.get(folder.truth.name)):
            return {}
        return {row["id"]: target_hash(row["targets"]) for row in each_row(folder.truth)}
    except (OSError, ValueError, TypeError, KeyError):
        return {}
