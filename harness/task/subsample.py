"""Cuts the test split down to a seeded sample, the same for every arm."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace

from harness.errors import UserError
from harness.task.audit import findings as audit
from harness.task.load import Task
from harness.task.validate import nothing_to_score

SEED = 0


def limited(task: Task, limit: int) -> Task:
    """Return the task with at most `limit` test rows, stratified by answer where it is a choice.

    The rows keep their order; a larger limit contains the rows of a smaller one of each label
    as far as the shares allow.

    Raises:
        UserError: the primary metric scores none of the rows that would be left.
    """
    n = len(task.test)
    if limit >= n:
        return task
    strata: dict[str, list[int]] = defaultdict(list)
    for position, example in enumerate(task.test):
        strata[example.targets[0] if task.labels else ""].append(position)
    order = random.Random(SEED)
    ranked: list[tuple[float, int]] = []
    for label in sorted(strata):
        positions = strata[label]
        order.shuffle(positions)
        # The k-th of m rows stands at share (k + ½) / m, so any cut takes labels in proportion.
        ranked += [((k + 0.5) / len(positions), p) for k, p in enumerate(positions)]
    chosen = sorted(position for _, position in sorted(ranked)[:limit])
    truth = tuple(task.truth[position] for position in chosen)
    if nothing := nothing_to_score(task.spec, task.folder, truth):
        raise UserError(f"--limit {limit}: {nothing.what} of this sample → raise --limit")
    test = replace(task.test, examples=tuple(task.test.examples[p] for p in chosen))
    splits = {"train": task.train, "validation": task.validation, "test": test}
    clusters = {**task.clusters, "test": tuple(row.cluster for row in truth)}
    spec, total = task.spec, task.data.test_total_n
    data = audit.data_summary(splits, clusters, task.corpus, task.labels, spec.margin, total)
    data = data.model_copy(update={"findings": (*task.said, *data.findings)})
    return replace(task, test=test, truth=truth, clusters=clusters, data=data)
