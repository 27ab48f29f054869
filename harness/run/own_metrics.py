"""Applies a task's own metrics to all answers of a run when it ends, for reports to read.

Running a task is an act of trust, reading its folder is none: so the function runs now, in a
process of its own, and what it found is kept. Knows nothing of scores.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.errors import UserError
from harness.files.hashing import sha256_of_file
from harness.files.python_file import names_file, path_of
from harness.metrics.apart import find_metric_apart
from harness.metrics.items import items_of
from harness.metrics.metric import Items, Metric
from harness.store.own_worths import Worths, answer_key, write_worths
from harness.store.predictions_file import read_predictions
from harness.store.records import RunHeader
from harness.store.run_folder import RunFolder, read_jsonl
from harness.task import Task
from harness.types import Prediction

Answer = tuple[str, str, tuple[str, ...]]
"""The id of a row, what it was answered as that is read, and what is accepted."""
AT_ONCE = 1000
"""Answers that a function is sent at once."""
MOST_PROBLEMS = 10
"""Answers that a function may fail on before it is asked no more: each may take its whole time."""
GIVEN_UP = "it had failed on {n} answers before, and was asked no more"


def keep_worths(task: Task, folder: RunFolder, plan: RunHeader) -> None:
    """Write what every answer of a run is worth by each metric of the task's own."""
    names = [name for name in (task.spec.metric, *task.spec.also) if names_file(name)]
    if not names:
        folder.own_worths.unlink(missing_ok=True)
        return
    answers: dict[str, Answer] = {}
    for key, answer in _answers(task, folder, plan):
        answers.setdefault(key, answer)
    write_worths(folder.own_worths, {name: _worths(name, task.folder, answers) for name in names})


def _worths(name: str, base: Path, answers: Mapping[str, Answer]) -> Worths:
    """Return what answers are worth.

    Args:
        name: of the metric.
        base: folder of the task.
        answers: by key.
    """
    sha256 = sha256_of_file(path_of(name, base))
    worths: dict[str, float] = {}
    problems: dict[str, str] = {}
    metric, keys = find_metric_apart(name, base), list(answers)
    for begin in range(0, len(keys), AT_ONCE):
        some = keys[begin : begin + AT_ONCE]
        try:
            worths |= _applied(metric, answers, some)
            continue
        except UserError:
            pass  # which of them it fails on, each by itself will tell
        for key in some:
            if len(problems) >= MOST_PROBLEMS:
                problems[key] = f"metric '{name}': {GIVEN_UP.format(n=MOST_PROBLEMS)}"
                continue
            try:
                worths |= _applied(metric, answers, [key])
            except UserError as problem:
                problems[key] = str(problem)
    return Worths(source_sha256=sha256, worths=worths, problems=problems)


def _applied(
    metric: Metric, answers: Mapping[str, Answer], keys: Sequence[str]
) -> dict[str, float]:
    """Return what some answers are worth, by key.

    Raises:
        UserError: the function fails on one of them.
    """
    ids, texts, targets = zip(*(answers[key] for key in keys), strict=True)
    found = metric.statistics(Items(texts=texts, targets=targets, ids=ids))[:, 0]
    return dict(zip(keys, found.tolist(), strict=True))


def _answers(task: Task, folder: RunFolder, plan: RunHeader) -> Iterator[tuple[str, Answer]]:
    """Yield every answer of a run that has a text, with its key."""
    targets = {row.id: tuple(row.targets) for row in task.truth}
    for ids, predictions in _predictions(folder, plan):
        known = [(i, p) for i, p in zip(ids, predictions, strict=True) if i in targets]
        accepted = [targets[i] for i, _ in known]
        read = items_of([i for i, _ in known], [p for _, p in known], accepted, task.info, {})
        for row, text, right in zip(read.ids, read.texts, read.targets, strict=True):
            if text is not None:
                yield answer_key(text, right), (row, text, right)


def _predictions(
    folder: RunFolder, plan: RunHeader
) -> Iterator[tuple[Sequence[str], Sequence[Prediction]]]:
    """Yield the ids and answers of each file of them: of trials, perturbed rows and floors."""
    for trial in (*plan.trials, *plan.curve):
        here = folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        floors = [folder.floor_folder(floor.key) for floor in trial.floors if floor.key]
        for place in (here, *floors):
            yield from _read(place / "predictions.jsonl")
        try:
            rows = read_jsonl(here / "robustness" / "answers.jsonl")
            given = [{k: v for k, v in row.items() if k != "perturbation"} for row in rows]
            ids = [row.pop("id") for row in given]
            yield ids, [Prediction.from_row(row) for row in given]
        except (OSError, ValueError, TypeError, KeyError):
            continue  # none was measured, or the report says that it is damaged


def _read(path: Path) -> Iterator[tuple[Sequence[str], Sequence[Prediction]]]:
    try:
        found = read_predictions(path)
    except (OSError, ValueError, TypeError, KeyError):
        return
    yield list(found), list(found.values())
