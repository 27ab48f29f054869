"""What a trial scores as soon as it has ended, before the analysis of the whole run.

The same metric on the same answers as the report's, without intervals. A metric of the task's own
is not run here: its code runs in a process of its own when the run is over.
"""

from __future__ import annotations

from collections import defaultdict
from math import isnan

from harness.files.python_file import names_file
from harness.metrics import find
from harness.metrics.items import items_of
from harness.store.predictions_file import read_predictions
from harness.store.records import TrialRecord
from harness.store.run_folder import RunFolder
from harness.task import Task

ANSWERS = "predictions.jsonl"


class CurrentScores:
    """Scores of a run's trials by the task's metric, as they end."""

    def __init__(self, task: Task, folder: RunFolder):
        self.metric = task.spec.metric
        self._task = task
        self._folder = folder
        self._found: defaultdict[str, list[float]] = defaultdict(list)

    def of(self, record: TrialRecord) -> float | None:
        """Return the score of a trial; None: it has none, or none can be told yet."""
        if record.status != "ok" or record.rows is not None or names_file(self.metric):
            return None
        found = self._score(record)
        if found is not None:
            self._found[record.arm].append(found)
        return found

    def mean_of(self, arm: str) -> tuple[float, int] | None:
        """Return the mean score of an arm's trials and how many there are, once all have one."""
        found = self._found[arm]
        if len(found) < len(self._task.seeds_of(arm)):
            return None
        return sum(found) / len(found), len(found)

    def _score(self, record: TrialRecord) -> float | None:
        path = self._folder.trial_folder(record.arm, record.fit_id, record.trial_id) / ANSWERS
        truth = self._task.truth
        try:
            by_id = read_predictions(path, prompts=False)
            items = items_of(
                [row.id for row in truth],
                [by_id[row.id] for row in truth],
                [tuple(row.targets) for row in truth],
                self._task.info,
                {document.id: document for document in self._task.documents},
                [tuple(row.evidence) for row in truth],
            )
            value = find(self.metric).value(items)
        except (OSError, ValueError, TypeError, KeyError):  # the report says what is wrong with it
            return None
        return None if isnan(value) else value
