"""Have a larger model rewrite the instruction after mistakes, and keep the best wording (GEPA)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PositiveInt, model_validator

from harness import (
    Estimate,
    Example,
    FitModel,
    Floor,
    Prediction,
    Prospect,
    Query,
    Split,
    lm,
    toolkit,
)
from harness.errors import FOR_ALL_ITEMS, StrategyError
from harness.toolkit.prompter import PromptParams, as_put, form_of
from harness.toolkit.prompts import Shown, written
from harness.toolkit.selection import showable, some, surviving
from harness.types import model_name
from harness.workload import Answering

FINALISTS = 3
"""Rewritten instructions that are compared with the task's own on rows of their own."""
LONGEST = 1024
"""Tokens of a reflection: GEPA asks for all that the examples teach, which may be a page."""
FEW_ROWS = 100
"""Training rows below which GEPA has little to reflect on (arXiv 2507.19457 uses 100 and more)."""
MINIBATCH = 3
"""Rows of one reflection: GEPA's own default."""


class PromptSearch(toolkit.InstructedStrategy):
    """Zero-shot's prompt under an instruction that a reflector has written (arXiv 2507.19457).

    GEPA looks at answers to training rows, has the reflector rewrite the instruction, and keeps
    what does better on one half of the validation rows; the finalists meet on the other half.
    """

    needs_train = True

    class Params(PromptParams):
        """Who rewrites, how the task is put, and what the search may spend."""

        reflector: FitModel = ""
        """A large local model or a hosted one, written as the task's `model` is."""
        calls: PositiveInt = 300
        """The most answers of the task's model that the search may look at, finalists apart."""
        reflections: PositiveInt = 20
        """The most times that the reflector is asked."""
        validation_rows: int = Field(100, ge=2)
        """The most validation rows, of which each half has its part."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if not self.reflector:
                raise ValueError(
                    "no model is named that rewrites the instruction → write reflector: MODEL, a"
                    " hosted one or one of 8 billion weights, or use instruction_search"
                )
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows to compare the instructions on."""
        return super().needs(params) | {"validation"}

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Return the task's own instruction."""
        shared = params.model_dump(include=set(PromptParams.model_fields))
        means = "the search did not help here"
        return (Floor("zero_shot", shared, "the instruction as the task words it", means),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare reflections, the answers that they rest on, and the finalists', at the most."""
        form = params.template or form_of(prospect.task, prospect.form, shows=False)
        task = as_put(prospect.task, params.labels, form)

        def asking(queries: Sequence[Query], times: int = 1) -> Answering:
            prompts = [written(task, form, Shown(query)) for query in queries]
            return Answering(prompts * times, task)

        rows = some(prospect.validation, params.validation_rows, prospect.seed).queries
        looked_at = [*prospect.train.queries, *rows[1::2]][: params.calls] or [Query("", "")]
        times = -(-params.calls // len(looked_at))
        reflecting = replace(
            prospect.task, answer_kind="text", labels={}, schema=None, max_new_tokens=LONGEST
        )
        shown = "\n".join(query.full_text for query in looked_at[:MINIBATCH])
        reflections = Answering(
            [f"{task.instruction}\n{shown}"] * params.reflections,
            reflecting,
            by=model_name(params.reflector),
        )
        finals = asking(rows[::2], 1 + FINALISTS)
        return Estimate(
            fit=(reflections, asking(looked_at, times), finals), serve=(asking(prospect.queries),)
        )

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Search, compare the finalists, each calibrated, and write down the best.

        Raises:
            StrategyError: GEPA is not installed, or there are no rows to compare on.
        """
        optimise = gepa_optimize()
        rows = some(validation, self.params.validation_rows, self.context.seed).examples
        if len(rows) < 2:
            raise StrategyError(
                f"an instruction is searched and chosen on validation rows, and there are"
                f" {len(rows)} → add data.validation, or use zero_shot"
            )
        shown = showable(train)
        if len(shown) < FEW_ROWS:
            self.context.note("search", f"only {len(shown)} training rows to reflect on")
        self.model = lm.open_model(self.context)
        own = self.context.task.instruction
        # Every other row: a file may be sorted by its answers.
        found = self._searched(optimise, own, shown, rows[1::2])
        others = Split(validation.name, rows[::2])
        self.keep_best([own, *found], others, train, validation, artifact)

    def _searched(
        self,
        optimise: Callable[..., Any],
        own: str,
        train: Sequence[Example],
        validation: Sequence[Example],
    ) -> list[str]:
        """Return the instructions that did best while they were searched, the best first."""
        name = model_name(self.params.reflector)
        reflector = lm.open_model(replace(self.context, model=self.context.models[name]))
        search = Search(self, reflector)
        with search:
            result = optimise(
                seed_candidate={"instruction": own},
                trainset=list(train),
                valset=list(validation),
                adapter=search,
                reflection_lm=search.reflect,
                max_metric_calls=self.params.calls,
                stop_callbacks=[search.is_over],
                reflection_minibatch_size=MINIBATCH,
                logger=search,
                seed=self.context.seed,
            )
        scores = result.val_aggregate_scores
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        texts = [result.candidates[place]["instruction"] for place in order]
        self.context.note(
            "search",
            f"GEPA kept {len(scores) - 1} rewritten instructions of {search.asked} reflections by"
            f" {name}, after {result.total_metric_calls} answers",
        )
        return [text for text in texts if text.strip() and text != own][:FINALISTS]


class Search:
    """What GEPA asks of a task: answers with their scores, what was wrong, and a rewriting.

    GEPA goes on where an error is one of many. One that ends everything, such as a server that
    wants money, is kept, ends the search and is raised when GEPA has returned.
    """

    propose_new_texts = None
    """GEPA's own way of asking for a new text is taken."""

    def __init__(self, arm: PromptSearch, reflector: lm.Model):
        self.arm = arm
        self.reflector = reflector
        self.asked = 0
        """Reflections so far."""
        self.ended: Exception | None = None

    def __enter__(self) -> Search:
        """Begin."""
        return self

    def __exit__(self, *problem: object) -> None:
        """Raise what ended the search, whatever GEPA made of it."""
        if self.ended is not None:
            raise self.ended

    def is_over(self, state: Any) -> bool:
        """Tell GEPA whether to stop."""
        return self.ended is not None or self.asked >= self.arm.params.reflections

    def log(self, message: str) -> None:
        """Leave out what GEPA tells of its progress."""

    def evaluate(
        self, batch: list[Example], candidate: Mapping[str, str], capture_traces: bool = False
    ) -> Any:
        """Answer rows under an instruction, and score each answer by itself."""
        from gepa.core.adapter import EvaluationBatch

        self.arm.put(candidate["instruction"])
        queries = [row.query for row in batch]
        answers = self._kept(partial(surviving, self.arm.predict, queries))
        scores = [self._score(given, row) for given, row in zip(answers, batch, strict=True)]
        seen = list(zip(batch, answers, scores, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=answers, scores=scores, trajectories=seen)

    def make_reflective_dataset(
        self, candidate: Mapping[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> dict[str, list[dict[str, str]]]:
        """Return what the reflector is shown: inputs, answers, and what was expected."""
        seen = [
            {
                "Inputs": row.query.full_text,
                "Generated Outputs": given.text or f"(it failed: {given.error})",
                "Feedback": "This is right." if score == 1 else f"Right is: {row.targets[0]}",
            }
            for row, given, score in eval_batch.trajectories
        ]
        return dict.fromkeys(components_to_update, seen)

    def reflect(self, prompt: Any) -> str:
        """Have the reflector write a new instruction."""
        self.asked += 1
        (said,) = self._kept(partial(toolkit.generate, self.reflector, [str(prompt)], LONGEST))
        if said.error:
            raise StrategyError(f"the reflector failed: {said.error}")
        return toolkit.without_thoughts(said.text)

    def _kept(self, ask: Callable[[], list[Prediction]]) -> list[Prediction]:
        """Ask, unless the search has ended; keep what ends it."""
        if self.ended is not None:
            raise self.ended
        try:
            return ask()
        except FOR_ALL_ITEMS as problem:
            self.ended = problem
            raise

    def _score(self, given: Prediction, row: Example) -> float:
        """Return how far an answer says what is right: 1 all, 0 nothing of it."""
        task = self.arm.context.task
        targets = [Prediction(target) for target in row.targets]
        return max(toolkit.agreement([given] * len(targets), targets, task))


def gepa_optimize() -> Callable[..., Any]:
    """Return GEPA's search.

    Raises:
        StrategyError: it is not installed.
    """
    try:
        from gepa import optimize
    except ImportError as problem:
        raise StrategyError(
            "prompt_search needs GEPA, which is not installed"
            " → pip install 'worth-tuning[prompts]', or use instruction_search"
        ) from problem
    found: Callable[..., Any] = optimize
    return found
