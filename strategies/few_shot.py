"""Ask the model with worked examples: zero-shot's prompt with demonstrations in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

import harness
from harness import (
    Estimate,
    Example,
    Floor,
    Prediction,
    Prompt,
    Prospect,
    Query,
    Split,
    Strategy,
    TaskInfo,
    lm,
    retrieval,
    toolkit,
)
from harness.toolkit.prompts import Shown, conversation
from harness.toolkit.selection import (
    best_on_validation,
    demonstrations,
    showable,
    some,
    surviving,
    tell_of_fewer,
)
from harness.workload import Answering, Embedding, Indexing


class FewShot(Strategy):
    """Prompt with the instruction and demonstrations drawn from the training rows."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    complexity = 2
    provides = frozenset({"per_user_data", "offline"})
    near: retrieval.NearestNeighbours | None = None

    class Params(harness.Params):
        """How many demonstrations, and how they are chosen."""

        shots: PositiveInt | Annotated[list[PositiveInt], Field(min_length=1)] = 12
        """One number, or candidates of which the best on validation is kept."""
        select: Literal["balanced", "random", "nearest"] = "balanced"
        """balanced: labels of a choice take turns, other answers come as they are drawn; random:
        any rows; nearest: for each query the rows most like it (Liu et al. 2021, arXiv 2101.06804).
        Draws are by the run's seed."""
        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """For `nearest`: a sentence-transformers model."""
        validation_rows: int = Field(50, gt=0)
        """The most validation rows that the number of shots is chosen on."""

        @field_validator("shots")
        @classmethod
        def _distinct(cls, shots: int | list[int]) -> int | list[int]:
            if isinstance(shots, list) and len(set(shots)) < len(shots):
                raise ValueError("a number stands twice → name each candidate once")
            return shots

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if self.select != "nearest":
                self.refuse_idle("embedder", why=f"select: {self.select}, without vectors")
            return self

    @classmethod
    def models(cls, params: Params) -> tuple[str, ...]:
        """Use the embedder for the nearest rows alone."""
        return super().models(params) if params.select == "nearest" else ()

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Be no worse than who copies: the rows that it shows hold as much."""
        same = {"embedder": params.embedder} if params.select == "nearest" else {}
        copied = {"neighbours": [1], "refit": False, **same}
        what = "copying the nearest training row"
        return (Floor("nearest", copied, what, "its prompt does not work here"),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the prompts; nearest rows are not known yet: any others stand for them."""
        task, seed = prospect.task, prospect.seed
        counts = sorted(set(params.shots)) if isinstance(params.shots, list) else [params.shots]
        train, near = showable(prospect.train), params.select == "nearest"
        balanced = by_label(params, task)

        def prompts(queries: Sequence[Query], shots: int) -> Answering:
            seeds = [seed + number * near for number in range(len(queries))]
            drawn = {s: as_shown(demonstrations(train, shots, s, balanced)) for s in set(seeds)}
            asked = zip(queries, seeds, strict=True)
            return Answering(
                [conversation(task, Shown(query), drawn[s]) for query, s in asked], task
            )

        rows = some(prospect.validation, params.validation_rows, seed).queries
        tried = [prompts(rows, count) for count in counts] if len(counts) > 1 else []
        shown = prompts(prospect.queries, counts[-1])
        if not near:
            return Estimate(fit=tuple(tried), serve=(shown,))
        name, kept = params.embedder, [row.query.full_text for row in train]
        found = Embedding([query.full_text for query in prospect.queries], name)
        index = Indexing(kept, name)
        return Estimate(fit=(Embedding(kept, name), index, *tried), serve=(index, found, shown))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Draw the demonstrations, or index all rows; choose how many are shown."""
        context, params = self.context, self.params
        counts = sorted(set(params.shots)) if isinstance(params.shots, list) else [params.shots]
        train = Split(train.name, tuple(showable(train)))
        tell_of_fewer(context, train, counts[-1])
        if params.select == "nearest":
            embedder = retrieval.Embedder(params.embedder, context.device, context.note)
            self.near = retrieval.NearestNeighbours.build(train, embedder)
            self.near.save(artifact / "rows")
        rows = some(validation, params.validation_rows, context.seed)
        if len(counts) > 1 and len(rows):
            self.model = lm.open_model(context)
        shots = best_on_validation(
            context,
            "shots",
            {str(count): count for count in counts},
            lambda count: surviving(
                partial(self._answers, shots=count, drawn=self._drawn(train, count)), rows.queries
            ),
            rows,
        )
        kept = {"shots": shots, "drawn": [asdict(row) for row in self._drawn(train, shots)]}
        (artifact / "demonstrations.json").write_text(json.dumps(kept, indent=1))

    def load(self, artifact: Path) -> None:
        """Read the demonstrations and load the model."""
        kept = json.loads((artifact / "demonstrations.json").read_text())
        self.shots = kept["shots"]
        self.drawn = [
            Example(Query.from_row(row["query"]), tuple(row["targets"])) for row in kept["drawn"]
        ]
        if self.params.select == "nearest":
            context = self.context
            embedder = retrieval.Embedder(self.params.embedder, context.device, context.note)
            self.near = retrieval.NearestNeighbours.load(artifact / "rows", embedder)
        self.model = lm.open_model(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query behind its demonstrations."""
        return self._answers(queries, self.shots, self.drawn)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _drawn(self, train: Split, shots: int) -> list[Example]:
        """Return the demonstrations that all queries share."""
        if self.near is not None:
            return []
        balanced = by_label(self.params, self.context.task)
        return demonstrations(train, shots, self.context.seed, balanced)

    def _answers(
        self, queries: Sequence[Query], shots: int, drawn: Sequence[Example]
    ) -> list[Prediction]:
        if self.near is None:
            prompts = [self._prompt(query, drawn) for query in queries]
        else:
            found = self.near.search(queries, shots)
            prompts = [
                self._prompt(query, [row for row, _ in reversed(rows)])
                for query, rows in zip(queries, found, strict=True)
            ]
        return toolkit.answer(self.model, prompts, self.context.task)

    def _prompt(self, query: Query, rows: Sequence[Example]) -> Prompt:
        """Return a prompt that fits the model; the first demonstrations are left out first."""
        task, shown = self.context.task, as_shown(rows)

        def build(kept: int) -> Prompt:
            return conversation(task, Shown(query), shown[len(shown) - kept :])

        prompt, kept = toolkit.fitted(self.model, task, build, len(shown))
        if kept < len(shown):
            self.context.note("shots", f"not all {len(shown)} fit the model with every input")
        return prompt


def by_label(params: FewShot.Params, task: TaskInfo) -> bool:
    """Tell whether labels take turns: texts that are not alike are no labels."""
    return params.select == "balanced" and task.answer_kind == "choice"


def as_shown(rows: Sequence[Example]) -> list[Shown]:
    """Return rows as demonstrations; the first of several targets."""
    return [Shown(row.query, target=row.targets[0]) for row in rows]
