"""The contract of a strategy as a test: `check_strategy(cls)` runs it the way the harness does.

    def test_contract():
        check_strategy(MyStrategy)

Each half runs in a fresh process on a small made-up task, once for each kind of answer that the
strategy gives: `check_strategy(MyStrategy, kinds=("choice",))` is quicker. Every breach found is
reported, not only the first.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import random
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.errors import HarnessError, StrategyError
from harness.machine.memory import available_bytes
from harness.run.job import WRITTEN, Inputs, Job, Kind
from harness.run.launchers.base import NewLauncher
from harness.run.launchers.local import LocalLauncher
from harness.run.worker.order import difference
from harness.store.predictions_file import read_predictions
from harness.store.records import WorkerResult
from harness.store.run_folder import read_jsonl
from harness.strategy import OFFERS, Floor, Params, Strategy
from harness.task.new_inputs import read_inputs
from harness.types import (
    AnswerKind,
    Example,
    ModelRef,
    Prediction,
    Query,
    Split,
    TaskInfo,
    model_name,
)

TIMEOUT_S = 600.0
KINDS: tuple[AnswerKind, ...] = ("choice", "text", "json")
METRICS: dict[AnswerKind, str] = {"choice": "accuracy", "text": "exact_match", "json": "field_f1"}
COLOURS = ("red", "green", "blue")
SCHEMA = {
    "type": "object",
    "properties": {"colour": {"enum": list(COLOURS)}},
    "required": ["colour"],
    "additionalProperties": False,
}
THINGS = ("sky", "leaf", "rose", "sea", "moss", "brick", "grass", "cherry", "berry", "ocean")


def check_strategy(
    strategy: type[Strategy],
    params: dict[str, Any] | None = None,
    model: ModelRef | Mapping[str, ModelRef] | None = None,
    deterministic: bool = True,
    kinds: Collection[AnswerKind] = KINDS,
    launcher: NewLauncher = LocalLauncher,
) -> None:
    """Check that a strategy keeps its contract.

    Args:
        strategy: the class; it must be importable from its file, since fresh processes load it.
        params: parameters to run it with, e.g. small ones.
        model: the model to run it with, if it needs one; a mapping where it uses several, by
            `harness.types.model_name`, with its own under "".
        deterministic: whether the same seed must give the same answers, which is the default:
            those to the queries in another order, in two halves and one by one too, with
            label_logprobs within 1e-4.
        kinds: the kinds of answer to check it with, of those that it gives; all by default.
        launcher: does both halves. `InProcessLauncher` saves the time of fresh processes and misses
            what only they show: state that is kept in memory in place of the artifact.

    Raises:
        StrategyError: naming every breach.
    """
    breaches = list(_class_breaches(strategy, params or {}))
    asked = [kind for kind in KINDS if kind in kinds and kind in strategy.answers]
    if not breaches and not asked:
        breaches = [f"it gives no answer of these kinds: {', '.join(kinds)}"]
    for kind in () if breaches else asked:
        with tempfile.TemporaryDirectory(prefix="harness-check-") as folder:
            trial = _Trial(strategy, params or {}, model, kind, launcher, Path(folder))
            breaches += [f"{kind}: {breach}" for breach in trial.breaches(deterministic)]
    if breaches:
        listed = "\n".join(f"- {breach}" for breach in breaches)
        raise StrategyError(f"{strategy.__name__} breaks its contract:\n{listed}")


def _class_breaches(strategy: type[Strategy], params: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the class, without running it."""
    if not strategy.answers or not strategy.answers <= {"choice", "text", "json"}:
        yield f"answers must be some of choice, text, json, not {set(strategy.answers)}"
    if strategy.learns not in registry.LEARNS:
        yield f"learns must be one of {', '.join(registry.LEARNS)}, not {strategy.learns!r}"
    if unknown := sorted(strategy.provides - OFFERS.keys()):
        yield f"provides must be some of {', '.join(OFFERS)}, not {', '.join(unknown)}"
    if strategy.complexity not in range(6):
        yield f"complexity must be a whole number from 0 to 5, not {strategy.complexity!r}"
    if inspect.isabstract(strategy):
        yield "predict is not implemented"
    if not issubclass(strategy.Params, Params):
        yield "its Params must inherit from harness.Params"
        return
    yield from _search_breaches(strategy)
    try:
        resolved = strategy.Params(**params)
    except ValidationError as problem:
        yield f"its Params refuse the given parameters: {problem.errors()[0]['msg']}"
    else:
        yield from _floor_breaches(strategy.floors(resolved))
    try:
        strategy.Params(**(params | {"no_such_parameter": 1}))
        yield "its Params accept an unknown key: do not loosen harness.Params' model_config"
    except ValidationError:
        pass


def _search_breaches(strategy: type[Strategy]) -> Iterator[str]:
    """Yield what is wrong with the spaces of its parameters, and with its family."""
    try:
        registry.space(strategy, {})
    except StrategyError as problem:
        yield str(problem)
    if strategy.family not in (None, *registry.FAMILIES):
        yield f"family must be one of {', '.join(registry.FAMILIES)}, not {strategy.family!r}"


def _floor_breaches(floors: Sequence[Floor]) -> Iterator[str]:
    """Yield which floors cannot be found, or refuse their parameters."""
    for floor in floors:
        try:
            found = registry.find(floor.strategy, Path.cwd())
            registry.resolved_params(found, floor.params, Path.cwd())
        except (HarnessError, ValidationError) as problem:
            yield f"its floor '{floor.strategy}' cannot be built: {problem}"


class _Trial:
    """One strategy on one small task, in a folder."""

    def __init__(
        self,
        strategy: type[Strategy],
        params: dict[str, Any],
        model: ModelRef | Mapping[str, ModelRef] | None,
        kind: AnswerKind,
        launcher: NewLauncher,
        folder: Path,
    ):
        self.folder = folder
        self.launcher = launcher(folder, _nothing)
        self.strategy, self.params, self.kind = strategy, params, kind
        self.models: Mapping[str, ModelRef] = model if isinstance(model, Mapping) else {}
        self.model = model if isinstance(model, ModelRef) else self.models.get("")
        self.train, self.validation = _split("train", 24, kind), _split("validation", 9, kind)
        self.queries = [
            *_split("test", 12, kind).queries,
            Query("odd-1", "äöü ✓ 漢字 | <b>{{x}}</b>\n\nsecond line"),
            Query("odd-2", "?"),
        ]
        self.count = 0

    def _beside(self, profile: registry.Profile, half: Kind) -> dict[str, ModelRef]:
        """Return the models beside its own that a half may use, by their names."""
        return {
            name: self.models[name]
            for beside in profile.beside
            if beside.serves or half == "fit"
            for name in [model_name(beside.model)]
        }

    def breaches(self, deterministic: bool) -> Iterator[str]:
        """Run both halves and yield every breach."""
        artifact = self.folder / "artifact"
        artifact.mkdir()
        rows = {split.name: map(asdict, split) for split in (self.train, self.validation)}
        fit = self._work("fit", artifact, rows)
        if fit.status != "ok":
            yield f"fit {fit.status}: {fit.error}"
            return
        # The artifact is shipped: it must work from another place, with the first one gone.
        moved = self.folder / "shipped" / "artifact"
        shutil.copytree(artifact, moved)
        shutil.rmtree(artifact)
        before = _folder_sha256(moved)
        first = self._predictions(moved, self.queries)
        if isinstance(first, str):
            yield f"serving from the artifact in a fresh process: {first}"
            return
        if _folder_sha256(moved) != before:
            yield "load or predict writes into the artifact: only fit may"
        yield from self._answer_breaches(first)
        yield from self._order_breaches(moved, first, deterministic)
        empty = self._predictions(moved, [])
        if isinstance(empty, str):
            yield f"with no queries: {empty}"

    def _answer_breaches(self, predictions: dict[str, Prediction]) -> Iterator[str]:
        for row_id, prediction in predictions.items():
            if prediction.error:
                yield f"the query {row_id} failed: {prediction.error}"
            logprobs = prediction.label_logprobs
            if logprobs is None:
                continue
            if not set(logprobs) <= set(COLOURS):
                yield f"label_logprobs of {row_id} names labels that the task does not have"
            if not all(isfinite(value) and value <= 1e-6 for value in logprobs.values()):
                yield f"label_logprobs of {row_id} are not logarithms of probabilities"

    def _order_breaches(
        self, artifact: Path, first: dict[str, Prediction], deterministic: bool
    ) -> Iterator[str]:
        """Ask the same queries in other orders and in parts; the answers must be the same ones."""
        calls = dict(_calls(self.queries))
        asked = [
            {"perturbation": call, "query": asdict(query)}
            for call, queries in calls.items()
            for query in queries
        ]
        result = self._work("robustness", artifact, {"perturbed": asked, "listed": ()})
        if result.status != "ok":
            yield f"with the same queries in another order and in parts: {result.error}"
            return
        rows = read_jsonl(self.folder / f"{self.count}" / WRITTEN["robustness"])
        differing: dict[str, str] = {}
        arrangements: dict[str, None] = {}
        for row in rows if deterministic else ():
            call, row_id = row.pop("perturbation"), row.pop("id")
            if how := difference(first[row_id], Prediction.from_row(row)):
                differing.setdefault(row_id, how)
                arrangements[call.partition(":")[0]] = None
        if differing:
            row_id = next(query.id for query in self.queries if query.id in differing)
            yield (
                f"the answer to the query {row_id} {differing[row_id]} when the same queries are"
                f" asked {', '.join(arrangements)} ({len(differing)} of {len(self.queries)}"
                " differ): an answer depends on its place or its neighbours, on what was asked"
                " before, or is not determined by the seed"
            )

    def _predictions(self, artifact: Path, queries: Sequence[Query]) -> dict[str, Prediction] | str:
        """Serve in a fresh process; return predictions by id, or what went wrong."""
        result = self._work("serve", artifact, {"queries": map(asdict, queries)})
        if result.status != "ok":
            return f"{result.status}: {result.error}"
        return read_predictions(self.folder / f"{self.count}" / WRITTEN["serve"])

    def _work(self, half: Kind, artifact: Path, inputs: Inputs) -> WorkerResult:
        self.count += 1
        (self.folder / f"{self.count}").mkdir()
        params = registry.resolved_params(self.strategy, self.params, Path.cwd())
        profile = registry.profile(self.strategy, params, Path.cwd())
        if half == "fit" and profile.rows_files:
            read = ((file, read_inputs(Path(file), {})) for file in profile.rows_files)
            rows = [{"file": f, "query": asdict(query)} for f, some in read for query in some]
            inputs = {"unlabelled": rows, **inputs}
        if "corpus" in profile.needs:
            document = {"id": "d", "title": "Sky", "text": "It is blue."}
            inputs = {"documents": [document], **inputs}
        job = Job(
            kind=half,
            strategy=registry.reference_to(self.strategy),
            strategy_base=str(Path.cwd()),
            params=params.model_dump(mode="json"),
            task=_task_info(self.kind),
            metric=METRICS[self.kind],
            model=self.model if "model" in profile.needs else None,
            models=self._beside(profile, half),
            seed=0,
            device="cpu",
            dtype="float32",
            budget_bytes=available_bytes(),
            folder=PurePosixPath(f"{self.count}"),
            artifact=PurePosixPath(artifact.relative_to(self.folder)),
            timeout_s=TIMEOUT_S,
        )
        return self.launcher.run(job, inputs)


def _calls(queries: Sequence[Query]) -> Iterator[tuple[str, Sequence[Query]]]:
    """Yield the calls in which the same queries are asked again, each with its name.

    What stands before a colon is the arrangement that a call is of.
    """
    half = len(queries) // 2
    yield "in another order", random.Random(1).sample(queries, len(queries))
    yield "in two halves: first", queries[:half]
    yield "in two halves: second", queries[half:]
    for number, query in enumerate(queries):
        yield f"one by one: {number}", [query]


def _task_info(kind: AnswerKind) -> TaskInfo:
    labels = dict.fromkeys(COLOURS, "") if kind == "choice" else {}
    schema = SCHEMA if kind == "json" else None
    return TaskInfo("check", "What colour has this thing?", kind, labels, 16, schema=schema)


def _split(name: str, n: int, kind: AnswerKind) -> Split:
    return Split(
        name,
        tuple(
            Example(
                Query(f"{name}-{i}", f"number {i}: a {THINGS[(i * 7) % len(THINGS)]}"),
                (_answer(COLOURS[i % len(COLOURS)], kind),),
            )
            for i in range(n)
        ),
    )


def _answer(colour: str, kind: AnswerKind) -> str:
    return json.dumps({"colour": colour}, separators=(",", ":")) if kind == "json" else colour


def _folder_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(folder)}".encode() + file.read_bytes())
    return digest.hexdigest()


def _nothing() -> None:
    return None
