"""Floors: cheap strategies that an arm is not below where it works (`Strategy.floors`).

Has their answers made when all arms' are closed: once for all arms that share one, kept in the run
folder, in no time, memory or cost. Knows nothing of scores.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from harness import registry
from harness.errors import HarnessError
from harness.files.removal import emptied
from harness.run.diagnostics import Question, put, write_down
from harness.run.dispatch import Dispatcher
from harness.run.fingerprints import reads_documents
from harness.run.trial import is_done, refused_is_failed, rows_to_learn_from
from harness.store.planned_floor import PlannedFloor
from harness.store.records import PlannedTrial, RunHeader, WorkerResult
from harness.strategy import Params, Strategy
from harness.task import Task
from harness.workload import Embedding, Estimate, Prospect

MOST_CHARACTERS = 5_000_000
"""That a floor may embed on a CPU: about ten minutes of two cores with the built-in model, at
a quarter of a token a character, 2 × 10.6 million operations a token and 45 GFLOP/s."""
PASSES = 3
"""Forward passes that an epoch of tuning on a text costs (Kaplan et al. 2020, arXiv 2001.08361)."""
TIMEOUT_S = 900.0
"""After which a floor is stopped, whatever its estimate said; `run.timeout_min` if that is less."""
TOO_LARGE = (
    "it would embed {found:,} characters, and one that embeds more than"
    f" {MOST_CHARACTERS:,} on a CPU is left out → enter it as an arm"
)


Tell = Callable[[PlannedTrial, str | None], None]


class FloorRunner:
    """Has the answers made of the floors of arms that finished."""

    def __init__(self, dispatcher: Dispatcher):
        self.dispatcher = dispatcher
        self.task = dispatcher.task
        self.folder = dispatcher.folder

    def run(self, plan: RunHeader, tell: Tell) -> None:
        """Answer as each floor would, unless an arm did, or this folder holds it.

        Args:
            plan: of all trials; their records are on disk.
            tell: called when the floor of a trial begins, with its node.
        """
        records = self.folder.trials()
        done = {t for t, record in records.items() if is_done(self.folder, record)}
        unfinished = {trial.arm for trial in plan.trials if trial.trial_id not in done}
        seen = set()
        for trial in plan.trials:
            if not trial.selected or trial.arm in unfinished:
                continue
            for floor in trial.floors:
                answered = floor.arm is not None and floor.arm not in unfinished
                if floor.undefined is None and not answered and floor.key not in seen:
                    seen.add(floor.key)
                    answer = partial(self._answer, trial, floor, tell)
                    refused_is_failed(answer, lambda failed: None)  # its files lack, and tell it

    def _answer(self, trial: PlannedTrial, floor: PlannedFloor, tell: Tell) -> None:
        """Have one floor answer all test rows in a process of its own."""
        folder, queries = self.folder.floor_folder(floor.key), self.task.test.queries
        strategy = registry.find(floor.strategy, self.task.folder)
        params = registry.resolved_params(strategy, floor.params, self.task.folder)
        profile = registry.profile(strategy, params, self.task.folder)
        rows = {
            **rows_to_learn_from(self.task.of_seed(trial.seed), profile),
            "queries": map(asdict, queries),
        }
        question = Question("floor", folder, rows, floor.key)
        if question.standing() is not None:
            return
        characters = _characters(self.task, strategy, params)
        if self.dispatcher.setting.device == "cpu" and characters > MOST_CHARACTERS:
            emptied(folder, self.folder.path)
            why = TOO_LARGE.format(found=characters)
            write_down(question, WorkerResult(status="skipped", error=why))
            return
        job = self.dispatcher.job(trial, "floor", folder)
        update = {
            "strategy": floor.strategy,
            "params": floor.params,
            "artifact": self.dispatcher.inside(folder / "artifact"),
            "documents": reads_documents(self.task, profile),
            "model": job.model if "model" in profile.needs else None,
            "timeout_s": min(TIMEOUT_S, job.timeout_s or TIMEOUT_S),
        }
        try:
            put(self.dispatcher, question, job.model_copy(update=update), partial(tell, trial))
        finally:
            shutil.rmtree(folder / "artifact", ignore_errors=True)  # nobody serves from it


def _characters(task: Task, strategy: type[Strategy], params: Params) -> int:
    """Return how many characters a floor would embed, by its own estimate; what it does not say
    is 0, and the time limit holds it.
    """

    def part(name: str, given: Mapping[str, Any], prospect: Prospect) -> Estimate:
        found = registry.find(name, task.folder)
        params = registry.resolved_params(found, given, task.folder)
        return registry.estimate(found, params, prospect)

    prospect = Prospect(
        task=task.info,
        train=task.train,
        validation=task.validation,
        queries=task.test.queries,
        documents=task.documents,
        seed=task.spec.first_seed,
        part=part,
    )
    try:
        estimate = registry.estimate(strategy, params, prospect)
    except HarnessError:  # an estimate costs no run
        return 0
    return sum(
        sum(map(len, work.texts)) * (1 + PASSES * work.epochs)
        for work in (*(estimate.fit or ()), *(estimate.serve or ()))
        if isinstance(work, Embedding)
    )
