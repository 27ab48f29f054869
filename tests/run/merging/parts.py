"""Cuts a run folder into parts, as if several machines had each done some of its trials."""

from __future__ import annotations

import shutil

from harness.store.record_lines import HEADER
from harness.store.run_folder import RunFolder


def part_of(whole, path, has, **header):
    """Write a folder with the trials of a run for which `has` is true; it plans only their seeds
    and sizes, and selects only their arms.

    Args:
        whole: the run's folder.
        path: the part's.
        has: told a planned trial, says whether the part did it.
        **header: fields of the part's header that are others than the whole's.
    """
    newest = whole.last_header()
    shutil.copytree(whole.path, path, ignore=lambda *_: {"trials", "records.jsonl", ".lock"})
    did = [plan for plan in (*newest.trials, *newest.curve) if has(plan)]
    seeds = {plan.seed for plan in did if plan.rows is None}
    sizes = {plan.rows.size for plan in did if plan.rows is not None}
    ids = {plan.trial_id for plan in did}
    main = [plan for plan in newest.trials if plan.seed in seeds]
    curve = [plan for plan in newest.curve if plan.rows.size in sizes]
    task = {
        **newest.task,
        "seeds": [seed for seed in newest.task["seeds"] if seed in seeds] or [0],
        "curve": {**newest.task["curve"], "sizes": sorted(sizes)} if sizes else None,
    }
    selected = [
        tuple(plan.model_copy(update={"selected": plan.trial_id in ids}) for plan in plans)
        for plans in (main, curve)
    ]
    update = {"task": task, "trials": selected[0], "curve": selected[1], **header}
    folder, records = RunFolder(path), whole.trials()
    told = newest.model_copy(update=update)
    of_part = [records[plan.trial_id] for plan in did]
    for record in of_part:
        at = whole.fit_folder(record.arm, record.fit_id)
        shutil.copytree(at, folder.fit_folder(record.arm, record.fit_id), dirs_exist_ok=True)
    write(folder, [told, *of_part])
    return folder


def write(folder, records):
    """Write records in place of a folder's, signed, with checksums and an index, as a run would."""
    own = {getattr(record, "trial_id", HEADER) for record in records}
    folder.lay_down(records, own)
    return folder


def changed(folder, **header):
    """Write other fields of the newest header over a folder's."""
    told = folder.last_header().model_copy(update=header)
    return write(folder, [told, *folder.trials().values()])


def tree(path):
    """The bytes of every file of a run folder but its lock and its index, by place."""
    left_out = (".lock", "records.index.json")
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file() and file.name not in left_out
    }
