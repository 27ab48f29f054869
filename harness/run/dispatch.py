"""Makes the jobs of a task's trials, each with just the rows that it may see, and has them done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

from harness.machine.secrets import HUB_TOKENS, PROXIES
from harness.run.answer_room import asked
from harness.run.environment import Setting
from harness.run.fingerprints import reads_documents
from harness.run.job import JOB, WRITTEN, FinishedFit, Inputs, Job, Kind, SearchPlan
from harness.run.launchers.base import Begun, Launcher, unheard
from harness.run.outcome import examined
from harness.store.fit_account import TRAIN_LOG
from harness.store.recorded_files import sha256_now
from harness.store.records import PlannedTrial, WorkerResult
from harness.store.run_folder import RunFolder
from harness.store.search_record import SEARCH, read_search
from harness.task import Task
from harness.types import ModelRef

OF_TEST_ROWS = ("serve", "floor", "likelihood")
"""Kinds of jobs that leave one line for each test row."""


MOST_ROWS = 200
"""Validation rows that candidates over a language model are compared on, at the most."""
MOST_ROWS_WITHOUT = 2_000
"""The same of candidates without one, which answer in no time."""


def most_rows(needs_model: bool) -> int:
    """Return how many validation rows an arm's candidates are compared on, at the most."""
    return MOST_ROWS if needs_model else MOST_ROWS_WITHOUT


def _timeout_s(timeout_s: float, plan: SearchPlan | None) -> float:
    """Return a job's time: a fit that tries several has that of one for each, or its effort's."""
    if plan is None:
        return timeout_s
    each = timeout_s * (plan.trials + 1)
    return each if plan.seconds is None else min(each, plan.seconds + 2 * timeout_s)


def _expected_bytes(trial: PlannedTrial, kind: Kind) -> int | None:
    """Return the peak that is forecast of a job; of a diagnostic it is that of serving."""
    forecast = trial.forecast
    if forecast is None:
        return None
    return forecast.fit_peak_bytes if kind == "fit" else forecast.predict_peak_bytes


class Dispatcher:
    """One task, one run folder, one setting, and the launcher that does their jobs."""

    def __init__(self, task: Task, folder: RunFolder, setting: Setting, launcher: Launcher) -> None:
        self.task = task
        self.folder = folder
        self.setting = setting
        self.launcher = launcher

    def job(
        self, trial: PlannedTrial, kind: Kind, folder: Path, finished: Iterable[FinishedFit] = ()
    ) -> Job:
        """Return the job of one part of a trial, to be done in a folder of the run folder."""
        fit_folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        limits, searched = self.task.spec.run, None
        if trial.arm in self.task.searches:
            searched = read_search(fit_folder)
        plan = self._plan(trial) if kind == "fit" and searched is None else None
        memory = int(limits.memory_gib * 2**30) if limits.memory_gib else None
        return Job(
            kind=kind,
            strategy=trial.strategy,
            strategy_base=str(self.task.folder.resolve()),
            params=trial.params | (searched.params if searched else {}),
            task=asked(self._rows_of(trial), trial.arm, self.setting.answer_room).info,
            metric=self.task.spec.metric,
            model=self._model(trial, plan),
            models=self._beside(trial, kind),
            seed=trial.seed,
            device=self.setting.device,
            dtype=self.setting.dtype,
            budget_bytes=memory,
            expected_bytes=_expected_bytes(trial, kind),
            folder=self.inside(folder),
            artifact=self.inside(fit_folder / "artifact"),
            documents=reads_documents(self.task, self.task.profiles[trial.arm]),
            finished=tuple(finished),
            search=plan,
            own_secrets=self._secrets(trial, kind),
            other_secrets=tuple(
                ref.hosted.key_env
                for ref in self.setting.models.values()
                if ref.hosted is not None and ref.hosted.key_env
            ),
            timeout_s=_timeout_s(limits.timeout_min * 60, plan),
            memory_bytes=memory,
        )

    def _rows_of(self, trial: PlannedTrial) -> Task:
        """Return the task as the job is told of it: what it learns from says what answers are."""
        return self.task if trial.rows is None else self.task.of_seed(trial.seed, trial.rows)

    def _plan(self, trial: PlannedTrial) -> SearchPlan | None:
        """Return what a fit may spend on choosing parameters; None where it has those it has."""
        search = self.task.searches.get(trial.arm)
        if search is None:
            return None
        return SearchPlan(
            family=search.family,
            sharing=search.sharing,
            effort=dict(search.effort),
            space=search.space,
            trials=search.trials,
            seconds=search.seconds,
            usd=search.usd,
            races=trial.learns != "weights",
            most_rows=most_rows(trial.needs_model),
        )

    def _model(self, trial: PlannedTrial, plan: SearchPlan | None) -> ModelRef | None:
        """Return a trial's model; one whose charges end a search, with what it charges."""
        model, prices = self.setting.models.get(trial.model or ""), self.task.prices
        if plan is None or plan.usd is None or model is None or prices is None:
            return model
        return replace(model, hosted=prices.priced(model))

    def _beside(self, trial: PlannedTrial, kind: Kind) -> dict[str, ModelRef]:
        """Return the models beside the arm's own that a job may use; a teacher serves nobody."""
        names = trial.models if kind in ("fit", "floor") else trial.serves_with
        return {name: self.setting.models[name] for name in names if name in self.setting.models}

    def _secrets(self, trial: PlannedTrial, kind: Kind) -> tuple[str, ...]:
        """Name the variables with secrets that a job needs: keys, and what leads to a server."""
        own = self.setting.models.get(trial.model or "")
        refs = [*([own] if own else []), *self._beside(trial, kind).values()]
        hosted = [ref.hosted for ref in refs if ref.hosted is not None]
        names = list(dict.fromkeys(one.key_env for one in hosted if one.key_env))
        # Embedders and rerankers are fetched where they are used; other models by this process.
        beside = self.task.profiles[trial.arm].models
        fetches = any("/" in name and not Path(name).expanduser().is_dir() for name in beside)
        if fetches:
            names += HUB_TOKENS
        if fetches or hosted:
            names += PROXIES
        return tuple(names)

    def inside(self, path: Path) -> PurePosixPath:
        """Return a path below the run folder as jobs hold it."""
        return PurePosixPath(path.relative_to(self.folder.path))

    def work(self, job: Job, inputs: Inputs, begun: Begun = unheard) -> WorkerResult:
        """Have a job done with these inputs, and the task's documents if it is to have them.

        Args:
            job: what to do.
            inputs: the rows that it may see.
            begun: told when it begins.

        Returns:
            How it went; "ok" only if what it left can be used.
        """
        if job.documents:
            inputs = {"documents": map(asdict, self.task.documents), **inputs}
        result = self.launcher.run(job, inputs, begun)
        asked = [row.query.id for row in self.task.test] if job.kind in OF_TEST_ROWS else []
        result = examined(job, self.folder.path, result, asked)
        return result.model_copy(update={"files": self._left(job)})

    def _left(self, job: Job) -> dict[str, str]:
        """Return the hashes of what a job left in its folder and somebody reads, by name.

        The job itself is read by whoever serves an arm later on.
        """
        names = {"fit": (TRAIN_LOG, SEARCH), "serve": (JOB, WRITTEN["serve"])}
        folder = self.folder.path / job.folder
        found = {
            name: sha256_now(folder / name) for name in names.get(job.kind) or (WRITTEN[job.kind],)
        }
        return {name: sha256 for name, sha256 in found.items() if sha256 is not None}
