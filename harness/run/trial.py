"""One trial: an arm with a seed, prepared by one job and served by another, and its record."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from harness.errors import ClusterLostError, HarnessError
from harness.files.refusals import words_of
from harness.files.removal import emptied, remove
from harness.registry import Profile
from harness.run.dispatch import Dispatcher
from harness.run.fingerprints import evidence_of, reads_evidence
from harness.run.job import WRITTEN, FinishedFit
from harness.run.launchers.base import Begun
from harness.run.progress import Doing
from harness.run.shared_fits import built_by
from harness.store.fit_account import (
    ARTIFACT,
    TRAIN_LOG,
    FitAccount,
    read_account,
    standing_fit,
    write_account,
)
from harness.store.order_check import KILLED_BEFORE
from harness.store.recorded_files import folder_sha256, is_as_recorded, is_sound
from harness.store.records import PlannedTrial, TrialRecord, WorkerResult
from harness.store.run_folder import RunFolder, folder_bytes
from harness.store.search_record import SEARCH
from harness.task import Task
from harness.task.model_spec import name_of
from harness.types import RESUMED_S, ModelRef

T = TypeVar("T")


class Fitted(NamedTuple):
    """A trial that was prepared."""

    result: WorkerResult
    reused: bool
    """Whether the same fit was done before."""


class TrialRunner:
    """Runs trials of one task into one folder."""

    def __init__(self, dispatcher: Dispatcher, plan: Sequence[PlannedTrial]):
        self.dispatcher = dispatcher
        self.task = dispatcher.task
        self.folder = dispatcher.folder
        self.plan = plan

    def fit(self, trial: PlannedTrial, doing: Doing) -> Fitted:
        """Fit, unless the same fit was done before.

        Args:
            trial: what to run.
            doing: told "fit" when it begins.
        """
        setting = self.dispatcher.setting
        used = (trial.model or "", *trial.models)
        problems = (setting.problems.get(name) for name in used)
        problem = next(filter(None, problems), None) or setting.arm_problems.get(trial.arm)
        if problem:
            return Fitted(WorkerResult(status="failed", error=problem), reused=False)
        begun = partial(doing, "fit")
        fit = partial(self._fit, trial, begun)
        return refused_is_failed(fit, lambda failed: Fitted(failed, False))

    def serve(self, trial: PlannedTrial, fitted: Fitted, doing: Doing) -> TrialRecord:
        """Serve what was fitted, and return the record of both.

        Args:
            trial: what to run.
            fitted: how its fit went.
            doing: told "serve" when it begins.
        """
        serve = None
        if fitted.result.status == "ok":
            work = partial(self._serve, trial, partial(doing, "serve"))
            serve = refused_is_failed(work, lambda failed: failed)
        return self._record(trial, fitted.result, serve, fitted.reused)

    def _fit(self, trial: PlannedTrial, begun: Begun) -> Fitted:
        """Fit, or find the same fit done before."""
        folder = self.folder.fit_folder(trial.arm, trial.fit_id)
        standing = standing_fit(folder, trial.fit_id)
        if standing is not None and _is_final(folder, standing):
            return Fitted(self._placed(standing.result), reused=True)
        if (folder / "scratch").is_dir():
            _clear(folder, {"scratch", TRAIN_LOG})
        else:
            emptied(folder, self.folder.path)
        for said in (folder / "scratch").rglob(RESUMED_S):
            said.unlink()  # each attempt says its own
        artifact = folder / ARTIFACT
        artifact.mkdir()
        self._hand_on_search(trial, folder)
        job = self.dispatcher.job(trial, "fit", folder, self._finished(trial))
        profile = self.task.profiles[trial.arm]
        rows = rows_to_learn_from(self.task.of_seed(trial.seed, trial.rows), profile)
        result = self.dispatcher.work(job, rows, begun)
        if result.status == "ok":
            known = FitAccount(
                fit_id=trial.fit_id,
                result=result,
                artifact_bytes=folder_bytes(artifact),
                artifact_sha256=folder_sha256(artifact),
            )
            write_account(folder, known)
            shutil.rmtree(folder / "scratch", ignore_errors=True)
        else:
            remove(artifact)
        return Fitted(result, reused=False)

    def comes_after(self, trial: PlannedTrial) -> Iterator[PlannedTrial]:
        """Yield the trials whose fit is to be done before that of a trial: it takes it over, or the
        parameters that it chose, or it is the same one.
        """
        yield from built_by(self.task, trial, self.plan)
        first = next(other for other in self.plan if other.arm == trial.arm)
        if trial.arm in self.task.searches and first.trial_id != trial.trial_id:
            yield first
        for other in self.plan:
            if other.trial_id == trial.trial_id:
                return
            if other.fit_id == trial.fit_id:
                yield other

    def _hand_on_search(self, trial: PlannedTrial, folder: Path) -> None:
        """Give a fit the parameters that the fit of the arm's first seed chose, if that has ended.

        So an arm is searched once and has the same parameters with all seeds.
        """
        first = next(other for other in self.plan if other.arm == trial.arm)
        if trial.arm not in self.task.searches or first.fit_id == trial.fit_id:
            return
        there = self.folder.fit_folder(first.arm, first.fit_id)
        standing = standing_fit(there, first.fit_id)
        if standing is not None and _keeps_search(there, standing.result):
            shutil.copyfile(there / SEARCH, folder / SEARCH)

    def _placed(self, fit: WorkerResult) -> WorkerResult:
        """Return a fit that was done before, with what it ran on.

        The account of an earlier version does not say it; a trial on record with that fit does.
        """
        if fit.hardware is not None:
            return fit
        recorded = (record.fit for record in self.folder.trials().values() if record.fit)
        same = (it for it in recorded if fit == it.model_copy(update={"hardware": None}))
        return next(same, fit)

    def _serve(self, trial: PlannedTrial, begun: Begun) -> WorkerResult:
        folder = self.folder.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
        emptied(folder, self.folder.path)
        job = self.dispatcher.job(trial, "serve", folder)
        rows: dict[str, Iterable[dict[str, Any]]] = {"queries": map(asdict, self.task.test.queries)}
        # Which training is shipped is chosen among those on all rows.
        models = self.dispatcher.setting.models
        if trial.rows is None and is_validated(self.task, trial.arm, models):
            job = job.model_copy(update={"validates": True})
            learnt_from = rows_to_learn_from(
                self.task.of_seed(trial.seed), self.task.profiles[trial.arm]
            )
            rows |= {name: rows_ for name, rows_ in learnt_from.items() if name != "train"}
        return self.dispatcher.work(job, rows, begun)

    def _finished(self, trial: PlannedTrial) -> Iterator[FinishedFit]:
        """Yield the finished fits of other arms that a trial would do again."""
        for other in built_by(self.task, trial, self.plan):
            folder = self.folder.fit_folder(other.arm, other.fit_id)
            standing = standing_fit(folder, other.fit_id)
            if standing is None:
                continue
            result = standing.result
            [took] = [m for m in result.measurements if m.phase == "fit"]
            yield FinishedFit(
                arm=other.arm,
                strategy=other.strategy,
                params=other.params,
                artifact=self.dispatcher.inside(folder / ARTIFACT),
                model=self.dispatcher.setting.models.get(other.model or ""),
                measurement=took,
                hosted=tuple(m for m in result.loaded_models if m.hosted_at is not None),
            )

    def _record(
        self, trial: PlannedTrial, fit: WorkerResult, serve: WorkerResult | None, reused: bool
    ) -> TrialRecord:
        last = serve or fit
        half = "" if serve else "in preparation: "
        known = read_account(self.folder.fit_folder(trial.arm, trial.fit_id))
        return TrialRecord(
            fit_id=trial.fit_id,
            trial_id=trial.trial_id,
            arm=trial.arm,
            strategy=trial.strategy,
            params=trial.params,
            seed=trial.seed,
            rows=trial.rows,
            status=last.status,
            error=f"{half}{last.error}" if last.error else None,
            fit=fit,
            serve=serve,
            fit_reused=reused,
            artifact_bytes=known and known.artifact_bytes,
            artifact_sha256=known and known.artifact_sha256,
            finished_at=now(),
            forecast=trial.forecast,
        )


def refused_is_failed(do: Callable[[], T], account: Callable[[WorkerResult], T]) -> T:
    """Do a part of a trial; where that cannot be done, it has failed and others go on.

    Whatever the system refuses or an arm did to the files around it; a mistake of ours among them
    shows its traceback.

    Args:
        do: has a job done.
        account: puts a failed account into the form that `do` returns.

    Raises:
        ClusterLostError: what does the jobs is gone, for all of them.
    """
    try:
        return do()
    except ClusterLostError:
        raise
    except Exception as problem:
        if isinstance(problem, OSError):
            error = words_of(problem)
        elif isinstance(problem, HarnessError):
            error = str(problem)
        else:
            traceback.print_exc()
            error = f"{type(problem).__name__}: {problem}"
        return account(WorkerResult(status="failed", error=error))


def rows_to_learn_from(task: Task, profile: Profile) -> dict[str, Iterable[dict[str, Any]]]:
    """Return the inputs of a fit: labelled rows, and their gold documents if they are wanted; and
    the inputs without answers that a strategy with this profile learns from.

    No row of the test split is in either. The task is that of the trial's seed.
    """
    rows: dict[str, Iterable[dict[str, Any]]] = {
        split.name: map(asdict, split) for split in (task.train, task.validation)
    }
    if unlabelled := task.unlabelled_of(profile):
        rows["unlabelled"] = (
            {"file": file, "query": asdict(query)}
            for file, queries in unlabelled.items()
            for query in queries
        )
    if reads_evidence(task, profile):
        rows["evidence"] = ({"id": id, "evidence": e} for id, e in evidence_of(task).items())
    return rows


def is_validated(task: Task, arm: str, models: Mapping[str, ModelRef]) -> bool:
    """Tell whether an arm's trials are scored on validation rows: it is trained several times.

    By that score the one to ship is chosen. Rows that an arm learnt from say nothing of it, and
    requests to a hosted model cost money that no figure would hold.

    Args:
        task: whose arm it is.
        arm: its name.
        models: those of the task that are known, by name.
    """
    profile = task.profiles[arm]
    named = next(one.model for one in task.arms if one.name == arm)
    asked = None if named is None else models.get(name_of(named))
    return (
        profile.is_random
        and not profile.refits
        and (asked is None or asked.hosted is None)
        and len(task.seeds_of(arm)) > 1
        and len(task.validation) > 0
    )


def is_done(folder: RunFolder, earlier: TrialRecord) -> bool:
    """Tell whether a trial's record still stands: it ended ok, and what it left is as it was left.

    An artifact may be gone, which nobody needs for an answer that was given; a damaged one may not
    stay. One with requests that a hosted model's server failed to answer does not stand either:
    those are asked again, and what was answered is replayed. Nor does one whose process was killed
    before it was known whether its answers depend on their order.
    """
    if earlier.status != "ok" or earlier.serve is None:
        return False
    if earlier.serve.order is not None and earlier.serve.order.undefined == KILLED_BEFORE:
        return False
    if earlier.serve.unanswered or (earlier.fit and earlier.fit.unanswered):
        return False
    return not any(damaged_files(folder, earlier))


def damaged_files(folder: RunFolder, record: TrialRecord) -> Iterator[Path]:
    """Yield what a trial that ended ok left and is needed, and is no longer what was recorded."""
    if record.status != "ok" or record.serve is None:
        return
    fit = folder.fit_folder(record.arm, record.fit_id)
    if not is_sound(fit / ARTIFACT, record.artifact_sha256):
        yield fit / ARTIFACT
    if record.fit and not _keeps_search(fit, record.fit):
        yield fit / SEARCH
    trial = folder.trial_folder(record.arm, record.fit_id, record.trial_id)
    left = {**record.serve.files, WRITTEN["serve"]: record.serve.predictions_sha256}
    yield from (
        trial / name for name, sha256 in left.items() if not is_as_recorded(trial / name, sha256)
    )


def _is_final(folder: Path, account: FitAccount) -> bool:
    """Tell whether a fit need not be done again: its server answered, its choices are on record."""
    return not account.result.unanswered and _keeps_search(folder, account.result)


def _keeps_search(folder: Path, fit: WorkerResult) -> bool:
    """Tell whether a fit that chose parameters still has on record which: who serves it asks."""
    return SEARCH not in fit.files or is_as_recorded(folder / SEARCH, fit.files[SEARCH])


def _clear(folder: Path, keep: set[str]) -> None:
    """Empty a folder but for the names to keep."""
    for entry in folder.glob("*"):
        if entry.name not in keep:
            remove(entry)


def now() -> str:
    """Return the present moment as the records have it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
