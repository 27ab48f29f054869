"""Test rows that stand, exactly or nearly, in what one arm or another may use.

Inputs are the same as same_input.py has it, and nearly the same as near_duplicates.py has it. Rows
of validation on which an arm only chooses settings are not what it uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.store.leaks import LeakSource
from harness.task.audit.near_duplicates import nearly_in
from harness.task.audit.within_texts import TELLING_CHARACTERS, ids_within
from harness.task.load import Task
from harness.task.same_input import key_of
from harness.types import Query


def reads(task: Task, arm: str) -> tuple[str, ...]:
    """Return what an arm may use of what test rows may stand in, by the names of `LeakSource`.

    Args:
        task: its rows, as they are given.
        arm: its name.
    """
    profile = task.profiles[arm]
    found = []
    if "train" in profile.needs or (profile.replays and "weights" in profile.needs):
        found.append("train")
        cut_anew = any(task.seeds_of(arm)) and not task.is_by_time
        if profile.refits or profile.replays or cut_anew:
            found.append("validation")
    if "corpus" in profile.needs:
        found.append("documents")
    if "model" in profile.needs:
        found.append("instruction")
    found += (_of_file(file) for file in profile.rows_files)
    if list(_texts(task.params[arm])):
        found.append(_of_params(arm))
    return tuple(dict.fromkeys(found))


def leak_sources(task: Task) -> tuple[LeakSource, ...]:
    """Return the test rows that stand in each thing that any arm may use."""
    wanted = dict.fromkeys(source for arm in task.arms for source in reads(task, arm.name))
    return tuple(_found(task, source) for source in wanted)


def _found(task: Task, source: str) -> LeakSource:
    tests = task.test.queries
    if source in task.splits:
        return _among(source, tests, task.splits[source].queries)
    if source == "documents":
        return _in_texts(source, tests, [document.text for document in task.documents])
    if source == "instruction":
        texts = [task.spec.instruction, *([task.spec.system] if task.spec.system else [])]
        return _in_texts(source, tests, texts)
    for file, read in task.unlabelled.items():
        if source == _of_file(file):
            return _among(source, tests, read.queries)
    arm = next(arm.name for arm in task.arms if source == _of_params(arm.name))
    return _in_texts(source, tests, list(_texts(task.params[arm])))


def _among(source: str, tests: Sequence[Query], others: Sequence[Query]) -> LeakSource:
    known = {key_of(query) for query in others}
    exact = [query.id for query in tests if key_of(query) in known]
    return LeakSource(source=source, exact=tuple(exact), near=_near(tests, others, exact))


def _near(tests: Sequence[Query], others: Sequence[Query], exact: Sequence[str]) -> tuple[str, ...]:
    known = set(exact)
    return tuple(nearly_in([query for query in tests if query.id not in known], others))


def _in_texts(source: str, tests: Sequence[Query], texts: Sequence[str]) -> LeakSource:
    """Return the test rows that stand in longer texts, or nearly are one of them by itself."""
    exact = ids_within(tests, texts)
    longest = 2 * max((len(query.text) for query in tests), default=0)
    alone = [Query(str(n), text) for n, text in enumerate(texts) if len(text) <= longest]
    bare = [replace(query, fields={}) for query in tests]
    return LeakSource(source=source, exact=tuple(exact), near=_near(bare, alone, exact))


def _texts(params: Any) -> Iterator[str]:
    """Yield the texts of parameters, however deep, that are long enough to be an input."""
    if isinstance(params, str):
        if len(params) > TELLING_CHARACTERS and not Path(params).is_absolute():
            yield params
    elif isinstance(params, Mapping):
        for value in params.values():
            yield from _texts(value)
    elif isinstance(params, list | tuple):
        for value in params:
            yield from _texts(value)


def _of_file(file: str) -> str:
    return f"file {Path(file).name}"


def _of_params(arm: str) -> str:
    return f"parameters of {arm}"
