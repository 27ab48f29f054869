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
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.errors import StrategyError
from harness.machine.memory import available_bytes
from harness.run.job import WRITTEN, Inputs, Job, Kind
from harness.run.launchers.base import NewLauncher
from harness.run.launchers.local import LocalLauncher
from harness.store.records import WorkerResult
from harness.store.run_folder import read_predictions
from harness.strategy import OFFERS, Params, Strategy
from harness.types import AnswerKind, Example, ModelRef, Prediction, Query, Split, TaskInfo

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
    model: ModelRef | None = None,
    deterministic: bool = True,
    kinds: Collection[AnswerKind] = KINDS,
    launcher: NewLauncher = LocalLauncher,
) -> None:
    """Check that a strategy keeps its contract.

    Args:
        strategy: the class; it must be importable from its file, since fresh processes load it.
        params: parameters to run it with, e.g. small ones.
        model: the model to run it with, if it needs one.
        deterministic: whether the same seed must give the same answers, which is the default.
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
    try:
        strategy.Params(**params)
    except ValidationError as problem:
        yield f"its Params refuse the given parameters: {problem.errors()[0]['msg']}"
    try:
        strategy.Params(**(params | {"no_such_parameter": 1}))
        yield "its Params accept an unknown key: do not loosen harness.Params' model_config"
    except ValidationError:
        pass


class _Trial:
    """One strategy on one small task, in a folder."""

    def __init__(
        self,
        strategy: type[Strategy],
        params: dict[str, Any],
        model: ModelRef | None,
        kind: AnswerKind,
        launcher: NewLauncher,
        folder: Path,
    ):
        self.folder = folder
        self.launcher = launcher(folder, _nothing)
        self.strategy, self.params, self.model, self.kind = strategy, params, model, kind
        self.train, self.validation = _split("train", 24, kind), _split("validation", 9, kind)
        self.queries = [
            *_split("test", 12, kind).queries,
            Query("odd-1", "äöü ✓ 漢字 | <b>{{x}}</b>\n\nsecond line"),
            Query("odd-2", "?"),
        ]
        self.count = 0

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
        some = random.Random(1).sample(self.queries, len(self.queries) // 2)
        again = self._predictions(moved, some)
        if isinstance(again, str):
            yield f"with fewer queries in another order: {again}"
        elif deterministic:
            differing = [i for i in again if first[i].text != again[i].text]
            if differing:
                yield (
                    "the answer to a query depends on its place or its neighbours, or is not"
                    f" determined by the seed: {', '.join(differing[:3])}"
                )
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

    def _predictions(self, artifact: Path, queries: Sequence[Query]) -> dict[str, Prediction] | str:
        """Serve in a fresh process; return predictions by id, or what went wrong."""
        result = self._work("serve", artifact, {"queries": map(asdict, queries)})
        if result.status != "ok":
            return f"{result.status}: {result.error}"
        return read_predictions(self.folder / f"{self.count}" / WRITTEN["serve"])

    def _work(self, half: Kind, artifact: Path, inputs: Inputs) -> WorkerResult:
        self.count += 1
        (self.folder / f"{self.count}").mkdir()
        params = self.strategy.Params(**self.params)
        profile = registry.profile(self.strategy, params, Path.cwd())
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
            seed=0,
            device="cpu",
            dtype="float32",
            budget_bytes=available_bytes(),
            folder=PurePosixPath(f"{self.count}"),
            artifact=PurePosixPath(artifact.relative_to(self.folder)),
            timeout_s=TIMEOUT_S,
        )
        return self.launcher.run(job, inputs)


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
