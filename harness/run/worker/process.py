"""Does one job and writes its account: a half of a trial, or a diagnostic of a finished one.

Sees rows to learn from, or queries to answer, and no test target. Knows nothing of scores and
prices, nor of who started it.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness import registry
from harness.errors import StrategyError, is_out_of_memory, says_out_of_memory
from harness.files.atomic import atomic_write
from harness.probes import perturbations as perturb
from harness.run.job import (
    JOB,
    RESULT,
    WARM_UPS,
    Job,
    Workspace,
    latency_sample,
)
from harness.run.worker.claims import is_amount
from harness.run.worker.clock import Clock
from harness.run.worker.context import Outfit
from harness.run.worker.diagnostics import (
    answers_to,
    answers_when_reordered,
    likelihoods,
    scored,
)
from harness.run.worker.energy import counter
from harness.run.worker.measure import Ruler
from harness.run.worker.order import ENDED_BEFORE, Served, checked
from harness.run.worker.predict import describe, predict_all, timed
from harness.run.worker.search import Search, count_search
from harness.store.order_check import OrderCheck
from harness.store.predictions_file import write_predictions
from harness.store.records import LoadedModel, Status, WorkerResult
from harness.store.run_folder import read_jsonl, write_jsonl
from harness.store.validation_score import ValidationScore
from harness.strategy import Strategy
from harness.types import RESUMED_S, Document, Example, Query, Split, read_prompt

UNANSWERED = (
    "requests that the server failed to answer: {n} → run again, and only these are asked again"
)


def main(root: str, folder: str, inputs: str, spawned_at_s: str, keeper: str = "") -> None:
    """Do the job of a folder as a process of its own: `python -m harness.run.worker` and these.

    Args:
        root: what the job's paths start from.
        folder: the job's, below the root.
        inputs: folder of the rows that it may see.
        spawned_at_s: when this process was started, by the clock that only goes on
            (`time.monotonic`, which Linux has in common for all processes).
        keeper: the id of the process that keeps this one (`harness/run/keeper.py`); none where it
            was started by hand.
    """
    ruler = Ruler(keeper=int(keeper) if keeper else None)
    ruler.record_start(float(spawned_at_s))
    job = Job.model_validate_json((Path(root) / folder / JOB).read_text(encoding="utf-8"))
    try:
        work(Workspace(job, Path(root), Path(inputs)), ruler)
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)  # whatever threads and handlers the strategy leaves behind


def work(workspace: Workspace, ruler: Ruler) -> None:
    """Do a job and write its account, complete or not at all.

    Whether answers depend on the order of their queries is tried when the account stands, and
    validation rows are answered then: whatever becomes of that, a crash or the end of the time
    included, the arm has what it measured.
    """
    ruler.read_joules = counter(workspace.job.device)
    worker, account = Worker(workspace, ruler), workspace.folder / RESULT
    result = worker.run()
    if worker.served is None:
        atomic_write(account, result.model_dump_json(indent=1))
        return
    unknown = result.model_copy(update={"order": OrderCheck(undefined=ENDED_BEFORE)})
    atomic_write(account, unknown.model_dump_json(indent=1))
    found = result.model_copy(update={"order": checked(worker.served)})
    atomic_write(account, found.model_dump_json(indent=1))
    if workspace.job.validates:
        found = found.model_copy(update={"validation": worker.validated(worker.served)})
        atomic_write(account, found.model_dump_json(indent=1))


class Worker:
    """One job with its outfit and rulers."""

    def __init__(self, workspace: Workspace, ruler: Ruler):
        self.workspace = workspace
        self.job = workspace.job
        self.ruler = ruler
        self.outfit = Outfit(workspace)
        self.warm_walls_s: list[float] = []
        self.cold_walls_s: list[float] = []
        self.predictions_sha256: str | None = None
        self.load_average = os.getloadavg()[0]
        self.served: Served | None = None
        """What answered, and how, once that is written."""

    def run(self) -> WorkerResult:
        """Do the job and say how it went, whatever happened."""
        status: Status = "ok"
        error = None
        try:
            {
                "fit": self._fit,
                "serve": self._serve,
                "likelihood": self._likelihood,
                "probe": self._probe,
                "robustness": self._robustness,
                "floor": self._floor,
            }[self.job.kind]()
        except Exception as problem:
            traceback.print_exc()
            status = "out_of_memory" if is_out_of_memory(problem) else "failed"
            written = (self.workspace.folder, Path(tempfile.gettempdir()))
            error = describe(problem, written)
        torch = sys.modules.get("torch")
        loaded = self._loaded_models()
        return WorkerResult(
            status=status,
            error=error,
            measurements=tuple(self.ruler.measurements),
            warm_walls_s=tuple(self.warm_walls_s),
            cold_walls_s=tuple(self.cold_walls_s),
            predictions_sha256=self.predictions_sha256,
            notes=tuple(self.outfit.notes),
            loaded_models=loaded,
            threads=torch.get_num_threads() if torch else None,
            cores=len(os.sched_getaffinity(0)),
            load_average=self.load_average,
        )

    def validated(self, served: Served) -> ValidationScore:
        """Score what was served on the validation rows; a failure is a reason, not an error."""
        rows = self._split("validation")
        try:
            answers = predict_all(served.strategy, rows.queries, served.replays)
            value = self.outfit.metric(answers, rows)
        except Exception as problem:
            traceback.print_exc()
            return ValidationScore(undefined=describe(problem))
        return ValidationScore(value=value, n=len(rows))

    def _loaded_models(self) -> tuple[LoadedModel, ...]:
        """Return the models of this process, and hosted ones that an adopted fit has asked.

        Notes what was asked of a server in vain.
        """
        lm = sys.modules.get("harness.lm")
        loaded: tuple[LoadedModel, ...] = lm.loaded_models() if lm else ()
        if self.job.search is not None:  # the same model was loaded for every candidate
            here = tuple(dict.fromkeys(model for model in loaded if model.hosted_at is None))
            loaded = here + tuple(model for model in loaded if model.hosted_at is not None)
        loaded += tuple(model for done in self.outfit.adopted for model in done.hosted)
        for model in loaded:
            if model.unanswered:
                self.outfit.note("hosted", UNANSWERED.format(n=model.unanswered))
        return loaded

    def _fit(self) -> None:
        strategy = self.outfit.strategy()
        train, validation = self._split("train"), self._split("validation")
        before = self.outfit.rows = train.sha256, validation.sha256
        base = Path(self.job.strategy_base)
        composed = registry.with_parts(type(strategy), strategy.params, base)
        if tuners := [built for built in composed if built.strategy.learns == "weights"]:
            reads = any("corpus" in built.strategy.needs(built.params) for built in tuners)
            self._tell_what_is_closed(train, self.outfit.documents if reads else ())
        with self.ruler.phase("fit"), Clock() as clock:
            if self.job.search is None:
                strategy.fit(train, validation, self.workspace.artifact)
            else:
                Search(self.outfit, self.job.search, train, validation).run()
        if clock.replayed_s:
            self.ruler.add_wall_s(clock.replayed_s)
        scratch = self.workspace.scratch
        for file in scratch.rglob(RESUMED_S) if scratch else ():
            self.ruler.add_wall_s(_resumed_s(file))
        for done in self.outfit.adopted:
            self.ruler.take_over(done.measurement)
        if self.job.search is None:
            count_search(self.outfit, self.ruler)
        if (replace(train).sha256, replace(validation).sha256) != before:  # hashed anew
            raise StrategyError("fit changed its training or validation rows")

    def _tell_what_is_closed(self, train: Split, documents: Sequence[Document]) -> None:
        """Note what only some may read and all may be told, since weights know no groups."""
        closed = {
            "training rows": sum(bool(row.query.groups) for row in train),
            "documents": sum(document.allow is not None for document in documents),
        }
        said = " and ".join(f"{count} of the {what}" for what, count in closed.items() if count)
        if said:
            self.outfit.note(
                "access", f"{said} are for groups and were learnt: any asker may be told of them"
            )

    def _serve(self) -> None:
        strategy = self.outfit.strategy()
        queries = self._queries()
        with self.ruler.phase("load"):
            strategy.load(self.workspace.artifact)
        with self.ruler.phase("latency"):
            self._measure_latency(strategy, queries)
        _clear_prefixes()
        replays = self.outfit.replays
        with self.ruler.phase("predict"):
            predictions = predict_all(strategy, queries, replays)
        self.predictions_sha256 = write_predictions(
            self.workspace.written, [query.id for query in queries], predictions
        )
        errors = [prediction.error for prediction in predictions if prediction.error]
        if errors and len(errors) == len(predictions):
            what = f"all {len(errors)} predictions failed, the first with: {errors[0]}"
            memory = all(map(says_out_of_memory, errors))
            raise MemoryError(what) if memory else StrategyError(what)
        self.served = Served(strategy, queries, predictions, replays)

    def _likelihood(self) -> None:
        strategy = self.outfit.strategy()
        rows = read_jsonl(self.workspace.inputs / "answers.jsonl")
        with self.ruler.phase("load"):
            strategy.load(self.workspace.artifact)
        prompts = [read_prompt(row["prompt"]) for row in rows]
        answers = [row["answer"] for row in rows]
        with self.ruler.phase("log_likelihood"):
            found = strategy.log_likelihood(prompts, answers)
        pairs = zip(rows, likelihoods(found, len(rows)), strict=True)
        write_jsonl(
            self.workspace.written, ({"id": row["id"], "log_likelihood": v} for row, v in pairs)
        )

    def _probe(self) -> None:
        strategy = self.outfit.strategy()
        items = read_jsonl(self.workspace.inputs / "probe.jsonl")
        with self.ruler.phase("load"):
            strategy.load(self.workspace.artifact)
        with self.ruler.phase("log_likelihood"):
            found = scored(strategy, items)
        write_jsonl(self.workspace.written, found)

    def _robustness(self) -> None:
        strategy = self.outfit.strategy()
        perturbed, listed = (
            read_jsonl(self.workspace.inputs / f"{name}.jsonl") for name in ("perturbed", "listed")
        )
        with self.ruler.phase("load"):
            strategy.load(self.workspace.artifact)
        with self.ruler.phase("predict"):
            rows = answers_to(perturbed, partial(predict_all, strategy))
        if listed:
            del strategy  # or two models would be in memory at once
            gc.collect()
            job = self.job.model_copy(update={"task": perturb.reordered(self.job.task)})
            other = Outfit(replace(self.workspace, job=job)).strategy()
            with self.ruler.phase("load"):
                other.load(self.workspace.artifact)
            with self.ruler.phase("predict"):
                rows += answers_when_reordered(listed, partial(predict_all, other))
        write_jsonl(self.workspace.written, rows)

    def _floor(self) -> None:
        """Learn and answer in one process: nobody asks what a floor takes."""
        strategy = self.outfit.strategy()
        artifact = self.workspace.artifact
        artifact.mkdir(parents=True, exist_ok=True)
        strategy.fit(self._split("train"), self._split("validation"), artifact)
        del strategy  # or two models would be in memory at once
        gc.collect()
        served = self.outfit.strategy()
        served.load(artifact)
        queries = self._queries()
        answers = predict_all(served, queries, self.outfit.replays)
        self.predictions_sha256 = write_predictions(
            self.workspace.written, [query.id for query in queries], answers
        )

    def _measure_latency(self, strategy: Strategy, queries: Sequence[Query]) -> None:
        """Time single requests: warm (the constant prefix kept, as by a server), then cold."""
        chosen = latency_sample(queries)
        for query in chosen[:WARM_UPS]:
            timed(strategy, query)
        self.warm_walls_s = [timed(strategy, query) for query in chosen]
        for query in chosen:
            _clear_prefixes()
            self.cold_walls_s.append(timed(strategy, query))

    def _queries(self) -> list[Query]:
        return list(map(Query.from_row, read_jsonl(self.workspace.inputs / "queries.jsonl")))

    def _split(self, name: str) -> Split:
        rows = read_jsonl(self.workspace.inputs / f"{name}.jsonl")
        examples = [Example(Query.from_row(row["query"]), tuple(row["targets"])) for row in rows]
        return Split(name, tuple(examples))


def _resumed_s(file: Path) -> float:
    """Return the seconds of earlier attempts that a fit went on from.

    Raises:
        StrategyError: a line of the file is no time.
    """
    try:
        seconds = [float(line) for line in file.read_text(encoding="utf-8").split()]
    except ValueError:
        seconds = [-1.0]
    if not all(map(is_amount, seconds)):
        raise StrategyError(f"{RESUMED_S} must hold seconds, finite and not negative, one a line")
    return sum(seconds)


def _clear_prefixes() -> None:
    lm = sys.modules.get("harness.lm")
    if lm is not None:
        lm.clear_prefixes()
