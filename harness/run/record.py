"""Asks a hosted model for its answers on the test rows once, and keeps them in a file.

What `run` measures of an arm it measures of answers; a model that will be switched off gives none
later. So they are kept with their times, tokens and charges, and a `predictions` arm replays them.
Answers that stand in the file are not asked for again. Knows nothing of scores.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import NamedTuple

from filelock import FileLock, Timeout

from harness.errors import EndpointError, StrategyError, UnknownNameError, UserError
from harness.files.hashing import sha256_of
from harness.files.temporary_folder import temporary_folder
from harness.run.dispatch import Dispatcher
from harness.run.environment import Setting, header, make_ready, resolved_setting
from harness.run.job import Workspace, latency_sample
from harness.run.launchers.base import handed_over
from harness.run.launchers.in_process import InProcessLauncher
from harness.run.opening import server_said
from harness.run.planned import refusal
from harness.run.trial import now, rows_to_learn_from
from harness.run.worker.context import Outfit
from harness.run.worker.predict import predict_all
from harness.store.fit_account import ARTIFACT
from harness.store.recorded_answers import Recorded, RecordedAnswers, Recording
from harness.store.records import PlannedTrial
from harness.store.run_folder import RunFolder
from harness.task import Task
from harness.task.model_spec import Hosted
from harness.task.recorded_files import OTHER_PROMPT, prompt_sha256
from harness.task.schema import Arm
from harness.types import ModelRef, Prediction, Query

HERE = 32
"""Queries that a model which runs here is asked at a time: what they come to is then kept."""
OF_TUNED = "ft:"
"""How OpenAI's names of tuned models begin."""
Tell = Callable[[str], None]
"""Is told what is worth knowing, before it happens."""
Priced = Callable[[Task], str]
"""Says what it will cost to ask a task's test rows."""


class Request(NamedTuple):
    """What a user asks to have recorded."""

    arm: str
    base_url: str | None = None
    """Ask this server, and not the one that the task names."""
    key_env: str | None = None
    """Variable with the key for that server; None: none is sent."""


@dataclass(frozen=True)
class Account:
    """What was recorded."""

    file: Path
    rows_n: int
    """Test rows that were to be answered."""
    asked_n: int
    """Those that were asked for now."""
    failed: Mapping[str, str]
    """Id to error of the rows that have no answer."""
    cut_n: int
    """Answers that were cut at the most tokens that they may have."""
    median_s: float | None
    usd: float | None
    """Charges of all answers; None: not known of one of them."""
    notes: tuple[str, ...]
    tuned: bool
    """Whether the model's name says that it is a tuned one."""


def to_record(task: Task, request: Request) -> Task:
    """Return the task with the arm as it is to be asked.

    Raises:
        UnknownNameError: the task has no such arm.
        UserError: the arm asks no server, or cannot run on this task.
    """
    arm = arm_named(task, request.arm)
    if not isinstance(arm.model, Hosted):
        others = [one.name for one in task.arms if isinstance(one.model, Hosted)]
        fix = (
            f"name one that does: {', '.join(others)}"
            if others
            else ("give it one: model: {provider: openai, base_url: https://…/v1, model: …}")
        )
        raise UserError(f"the arm '{arm.name}' has no hosted model → {fix}")
    if why := refusal(task, arm):
        raise UserError(f"the arm '{arm.name}' {why}")
    asked = arm.model_copy(update={"model": at_server(arm.model, request)})
    changed = tuple(asked if one.name == arm.name else one for one in task.arms)
    return replace(task, arms=changed)


def arm_named(task: Task, name: str) -> Arm:
    """Return an arm of a task.

    Raises:
        UnknownNameError: it has none of this name.
    """
    arms = {arm.name: arm for arm in task.arms}
    if name not in arms:
        raise UnknownNameError("arm", name, arms)
    return arms[name]


def at_server(model: Hosted, request: Request) -> Hosted:
    """Return a hosted model at the server that the user names, if any is named."""
    if request.base_url is None:
        return model
    return model.model_copy(update={"base_url": request.base_url, "key_env": request.key_env})


def record(task: Task, name: str, file: Path, tell: Tell, priced: Priced) -> Account:
    """Ask for what the file does not hold yet.

    Args:
        task: as `to_record` gives it; its test rows are asked for.
        name: the arm's.
        file: where answers are kept.
        tell: told which server is asked, and what it will cost, before that.
        priced: says what a task's test rows will cost to ask.

    Raises:
        EndpointError: the server cannot be asked, or stopped answering; what it answered is kept.
        UserError: the file holds answers of another arm, or to another prompt.
    """
    setting = _with_prices(task, resolved_setting(task, frozenset({name})))
    plan = header(task, setting, frozenset({name}), now())
    trial = next(one for one in plan.trials if one.arm == name)
    used = [trial.model or "", *trial.models]
    for problem in filter(None, map(setting.problems.get, used)):
        raise EndpointError(problem)
    recording = _recording(task, trial, setting)
    with _locked(file):
        kept = RecordedAnswers(file)
        if kept.recording is not None:
            recording = _the_same(kept.recording, recording, file)
        queries = task.test.queries
        wanted = [query for query in queries if _is_missing(query, kept)]
        if done := len(queries) - len(wanted):
            tell(f"{done} of {len(queries)} answers stand in {file}, and are not asked for again")
        notes: tuple[str, ...] = ()
        if wanted:
            for ref in filter(None, map(setting.models.get, used)):
                if ref.hosted is not None:
                    tell(server_said(ref))
            rows = {query.id for query in wanted}
            left = replace(task.test, examples=tuple(r for r in task.test if r.query.id in rows))
            tell(priced(replace(task, test=left)))
            kept.begin(recording)
            notes = _recorded(task, setting, trial, wanted, kept)
        return _account(task, kept, len(wanted), notes, recording.model)


def _recorded(
    task: Task,
    setting: Setting,
    trial: PlannedTrial,
    wanted: Sequence[Query],
    kept: RecordedAnswers,
) -> tuple[str, ...]:
    """Ask, and leave the file in order however that ends; return what is to be said of it."""
    make_ready(task, setting, frozenset({trial.arm}))
    try:
        with temporary_folder() as folder, redirect_stdout(sys.stderr):
            run = RunFolder(folder)
            launcher = InProcessLauncher(folder)
            return _ask(Dispatcher(task, run, setting, launcher), trial, wanted, kept)
    except EndpointError as problem:
        left = sum(_is_missing(query, kept) for query in wanted)
        raise EndpointError(
            f"{problem}; {len(wanted) - left} of {len(wanted)} answers were recorded, and the same"
            f" command then asks for the other {left} alone"
        ) from None
    finally:
        kept.settle(query.id for query in task.test.queries)


def _ask(
    dispatcher: Dispatcher, trial: PlannedTrial, wanted: Sequence[Query], kept: RecordedAnswers
) -> tuple[str, ...]:
    """Prepare the arm and have it answer; return what is to be said of how it did.

    Raises:
        StrategyError: it cannot be prepared.
        EndpointError: the server cannot be asked.
    """
    task, run = dispatcher.task, dispatcher.folder
    here = run.fit_folder(trial.arm, trial.fit_id)
    (here / ARTIFACT).mkdir(parents=True)
    profile = task.profiles[trial.arm]
    rows = rows_to_learn_from(task.of_seed(trial.seed), profile)
    fitted = dispatcher.work(dispatcher.job(trial, "fit", here), rows)
    if fitted.status != "ok":
        raise StrategyError(f"the arm '{trial.arm}' cannot be prepared: {fitted.error}")
    place = run.trial_folder(trial.arm, trial.fit_id, trial.trial_id)
    job = dispatcher.job(trial, "serve", place)
    documents = {"documents": map(asdict, task.documents)} if job.documents else {}
    with handed_over(documents) as inputs:
        outfit = Outfit(Workspace(job, run.path.resolve(), inputs))
        strategy = outfit.strategy()
        # How sure the model was of its words nobody can ask it later.
        strategy.context = replace(strategy.context, logprobs=True)
        strategy.load(here / ARTIFACT)
        for some in _batches(task.test.queries, wanted, job.model):
            answers = [_charged(one, job.model) for one in predict_all(strategy, some)]
            pairs = zip(some, answers, strict=True)
            kept.add({q.id: Recorded(one, q.sha256, now()) for q, one in pairs})
    notes = (*fitted.notes, *outfit.notes)
    return tuple(dict.fromkeys(note.text for note in notes))


def _batches(
    test: Sequence[Query], wanted: Sequence[Query], model: ModelRef | None
) -> Iterator[Sequence[Query]]:
    """Yield queries as they are asked: alone those that `run` times alone, then several at once.

    `run` draws the same ones of the same test rows, so the latency of a replay is that of single
    requests.
    """
    timed = {query.id for query in latency_sample(test)}
    alone = [query for query in wanted if query.id in timed]
    yield from ([query] for query in alone)
    others = [query for query in wanted if query.id not in timed]
    together = HERE if model is None or model.hosted is None else model.hosted.concurrency
    for start in range(0, len(others), together):
        yield others[start : start + together]


def _charged(answer: Prediction, model: ModelRef | None) -> Prediction:
    """Return an answer with its charge, where a price is known and the client did not know it."""
    if answer.usd is not None or answer.error or model is None or model.hosted is None:
        return answer
    return replace(answer, usd=model.hosted.charge_usd(answer))


def _is_missing(query: Query, kept: RecordedAnswers) -> bool:
    """Tell whether a row has no answer yet: none was asked for, it failed, or the row changed."""
    known = kept.answers.get(query.id)
    return known is None or known.query_sha256 != query.sha256 or bool(known.prediction.error)


def _with_prices(task: Task, setting: Setting) -> Setting:
    """Return the setting with what hosted models charge, where the task's price file says it."""
    if (prices := task.prices) is None:
        return setting
    models = {name: replace(ref, hosted=prices.priced(ref)) for name, ref in setting.models.items()}
    return replace(setting, models=models)


def _recording(task: Task, trial: PlannedTrial, setting: Setting) -> Recording:
    """Return how the answers are asked for."""
    model = setting.models[trial.model or ""]
    hosted = model.hosted
    learnt = trial.rows_sha256 if "train" in task.profiles[trial.arm].needs else {}
    place = model.location if hosted else model.sha256 or model.revision
    asked = [trial.strategy, trial.params, trial.seed, model.name, place]
    return Recording(
        task=task.spec.name,
        arm=trial.arm,
        model=model.name,
        base_url=model.location if hosted else None,
        started_on=now()[:10],
        prompt_sha256=prompt_sha256(task.spec, task.labels, task.schema),
        arm_sha256=sha256_of([*asked, dict(hosted.extra) if hosted else {}, dict(learnt)]),
        max_new_tokens=setting.answer_room[trial.model or ""].max_new_tokens,
    )


def _the_same(kept: Recording, now_asked: Recording, file: Path) -> Recording:
    """Return how a file's answers were asked for, once it is clear that the others will be alike.

    Raises:
        UserError: they would not.
    """
    fix = "put it back, or record into another file (--out)"
    if kept.prompt_sha256 != now_asked.prompt_sha256:
        raise UserError(f"{file} {OTHER_PROMPT} → {fix}")
    if kept.arm_sha256 != now_asked.arm_sha256:
        raise UserError(
            f"{file} holds the answers of '{kept.arm}' ({_who(kept)}), which was asked in another"
            f" way than '{now_asked.arm}' ({_who(now_asked)}) is now → {fix}"
        )
    return kept


def _who(asked: Recording) -> str:
    return f"{asked.model} at {asked.base_url}" if asked.base_url else f"{asked.model} here"


def _account(
    task: Task, kept: RecordedAnswers, asked_n: int, notes: tuple[str, ...], model: str
) -> Account:
    """Sum up what stands in the file of the test rows."""
    given = {query.id: kept.answers[query.id].prediction for query in task.test.queries}
    failed = {row_id: one.error for row_id, one in given.items() if one.error}
    good = [one for one in given.values() if not one.error]
    walls = [one.wall_s for one in good if one.wall_s is not None]
    charges = [one.usd for one in good if one.usd is not None]
    return Account(
        file=kept.path,
        rows_n=len(given),
        asked_n=asked_n,
        failed=failed,
        cut_n=sum(one.finish_reason == "length" for one in good),
        median_s=median(walls) if walls else None,
        usd=sum(charges) if good and len(charges) == len(good) else None,
        notes=notes,
        tuned=model.startswith(OF_TUNED),
    )


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a file of answers for this process: two that record into it would pay twice.

    Raises:
        UserError: another process records into it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    place = file.with_name(f".{file.name}.lock")
    lock = FileLock(place, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{file} is being recorded by another process → wait for it, or choose another --out"
        ) from None
    try:
        yield
    finally:
        lock.release()
        place.unlink(missing_ok=True)
