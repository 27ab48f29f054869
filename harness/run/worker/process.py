"""The process in which one half of a trial runs: reads a job, does it, writes what it took.

Started by `spawn.py` as a fresh interpreter. Sees rows to learn from, or queries to answer, and
no test target. Knows nothing of scores and prices.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Sequence
from functools import partial
from math import isfinite
from pathlib import Path

from harness import registry
from harness.errors import StrategyError, is_out_of_memory, says_out_of_memory
from harness.files.atomic import atomic_write
from harness.probes import perturbations as perturb
from harness.run.job import INPUTS_PREFIX, LATENCY_QUERIES, WARM_UPS, Job
from harness.run.worker.clock import Clock
from harness.run.worker.context import Outfit
from harness.run.worker.diagnostics import answers_to, answers_when_reordered, scored
from harness.run.worker.energy import counter
from harness.run.worker.measure import Ruler
from harness.run.worker.predict import describe, predict_all, timed
from harness.store.records import LoadedModel, Status, WorkerResult
from harness.store.run_folder import read_jsonl, write_jsonl, write_predictions
from harness.strategy import Strategy
from harness.types import (
    RESUMED_S,
    Document,
    Example,
    Query,
    Split,
    read_prompt,
)

UNANSWERED = (
    "requests that the server failed to answer: {n} → run again, and only these are asked again"
)


def main(job_path: str, lifeline: str, spawned_at_unix_s: str) -> None:
    """Do the job at `job_path`; die when the pipe `lifeline` closes: the parent is gone then."""
    ruler = Ruler()
    ruler.record_start(float(spawned_at_unix_s))
    job = Job.model_validate_json(Path(job_path).read_text())
    ruler.read_joules = counter(job.device)
    watch = threading.Thread(target=_die_with_parent, args=(int(lifeline), job.inputs), daemon=True)
    watch.start()
    result = Worker(job, ruler).run()
    atomic_write(job.result, result.model_dump_json(indent=1))


class Worker:
    """One job with its outfit and rulers."""

    def __init__(self, job: Job, ruler: Ruler):
        self.job = job
        self.ruler = ruler
        self.outfit = Outfit(job)
        self.warm_walls_s: list[float] = []
        self.cold_walls_s: list[float] = []
        self.predictions_sha256: str | None = None
        self.load_average = os.getloadavg()[0]

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
            }[self.job.kind]()
        except Exception as problem:
            traceback.print_exc()
            status = "out_of_memory" if is_out_of_memory(problem) else "failed"
            error = describe(problem)
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

    def _loaded_models(self) -> tuple[LoadedModel, ...]:
        """Return the models of this process, and hosted ones that an adopted fit has asked.

        Notes what was asked of a server in vain.
        """
        lm = sys.modules.get("harness.lm")
        loaded: tuple[LoadedModel, ...] = lm.loaded_models() if lm else ()
        loaded += tuple(model for done in self.outfit.adopted for model in done.hosted)
        for model in loaded:
            if model.unanswered:
                self.outfit.note("hosted", UNANSWERED.format(n=model.unanswered))
        return loaded

    def _fit(self) -> None:
        strategy = self.outfit.strategy()
        train, validation = self._split("train"), self._split("validation")
        before = train.sha256, validation.sha256
        base = Path(self.job.strategy_base)
        composed = registry.with_parts(type(strategy), strategy.params, base)
        if tuners := [(one, params) for one, params in composed if one.learns == "weights"]:
            reads = any("corpus" in one.needs(params) for one, params in tuners)
            self._tell_what_is_closed(train, self.outfit.documents if reads else ())
        with self.ruler.phase("fit"), Clock() as clock:
            strategy.fit(train, validation, self.job.artifact)
        if clock.replayed_s:
            self.ruler.add_wall_s(clock.replayed_s)
        for file in self.job.scratch.rglob(RESUMED_S) if self.job.scratch else ():
            self.ruler.add_wall_s(sum(map(float, file.read_text().split())))
        for done in self.outfit.adopted:
            self.ruler.take_over(done.measurement)
        if (train.sha256, validation.sha256) != before:
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
        queries = [Query.from_row(row) for row in read_jsonl(self.job.inputs / "queries.jsonl")]
        with self.ruler.phase("load"):
            strategy.load(self.job.artifact)
        with self.ruler.phase("latency"):
            self._measure_latency(strategy, queries)
        _clear_prefixes()
        replays = self.outfit.replays
        with self.ruler.phase("predict"):
            predictions = predict_all(strategy, queries, replays)
        assert self.job.predictions is not None
        self.predictions_sha256 = write_predictions(
            self.job.predictions, [query.id for query in queries], predictions
        )
        errors = [prediction.error for prediction in predictions if prediction.error]
        if errors and len(errors) == len(predictions):
            what = f"all {len(errors)} predictions failed, the first with: {errors[0]}"
            memory = all(map(says_out_of_memory, errors))
            raise MemoryError(what) if memory else StrategyError(what)

    def _likelihood(self) -> None:
        strategy = self.outfit.strategy()
        rows = read_jsonl(self.job.inputs / "answers.jsonl")
        with self.ruler.phase("load"):
            strategy.load(self.job.artifact)
        prompts = [read_prompt(row["prompt"]) for row in rows]
        answers = [row["answer"] for row in rows]
        with self.ruler.phase("log_likelihood"):
            found = strategy.log_likelihood(prompts, answers)
        if len(found) != len(rows) or not all(map(isfinite, found)):
            raise StrategyError("log_likelihood must return a finite number for each prompt")
        assert self.job.predictions is not None
        pairs = zip(rows, found, strict=True)
        write_jsonl(
            self.job.predictions, ({"id": row["id"], "log_likelihood": v} for row, v in pairs)
        )

    def _probe(self) -> None:
        strategy = self.outfit.strategy()
        items = read_jsonl(self.job.inputs / "probe.jsonl")
        with self.ruler.phase("load"):
            strategy.load(self.job.artifact)
        with self.ruler.phase("log_likelihood"):
            found = scored(strategy, items)
        assert self.job.predictions is not None
        write_jsonl(self.job.predictions, found)

    def _robustness(self) -> None:
        strategy = self.outfit.strategy()
        perturbed, listed = (
            read_jsonl(self.job.inputs / f"{name}.jsonl") for name in ("perturbed", "listed")
        )
        with self.ruler.phase("load"):
            strategy.load(self.job.artifact)
        with self.ruler.phase("predict"):
            rows = answers_to(perturbed, partial(predict_all, strategy))
        if listed:
            del strategy  # or two models would be in memory at once
            gc.collect()
            job = self.job.model_copy(update={"task": perturb.reordered(self.job.task)})
            other = Outfit(job).strategy()
            with self.ruler.phase("load"):
                other.load(job.artifact)
            with self.ruler.phase("predict"):
                rows += answers_when_reordered(listed, partial(predict_all, other))
        assert self.job.predictions is not None
        write_jsonl(self.job.predictions, rows)

    def _measure_latency(self, strategy: Strategy, queries: Sequence[Query]) -> None:
        """Time single requests: warm (the constant prefix kept, as by a server), then cold."""
        chosen = random.Random(0).sample(queries, min(LATENCY_QUERIES, len(queries)))
        for query in chosen[:WARM_UPS]:
            timed(strategy, query)
        self.warm_walls_s = [timed(strategy, query) for query in chosen]
        for query in chosen:
            _clear_prefixes()
            self.cold_walls_s.append(timed(strategy, query))

    def _split(self, name: str) -> Split:
        rows = read_jsonl(self.job.inputs / f"{name}.jsonl")
        examples = [Example(Query.from_row(row["query"]), tuple(row["targets"])) for row in rows]
        return Split(name, tuple(examples))


def _clear_prefixes() -> None:
    lm = sys.modules.get("harness.lm")
    if lm is not None:
        lm.clear_prefixes()


def _die_with_parent(lifeline: int, inputs: Path) -> None:
    os.read(lifeline, 1)  # returns when the parent's end closes, however the parent ended
    if inputs.name.startswith(INPUTS_PREFIX):  # the parent can no longer take them away
        shutil.rmtree(inputs, ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
