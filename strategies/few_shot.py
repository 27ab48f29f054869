"""Ask the model with worked examples: zero-shot's prompt with demonstrations in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

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
    search,
)
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter, PromptParams, as_put, calibrates, foreseen
from harness.toolkit.prompts import Shown, written
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

    class Params(PromptParams):
        """How many demonstrations, how they are chosen, and how they are written."""

        shots: PositiveInt | Annotated[list[PositiveInt], Field(min_length=1)] = Field(
            8, json_schema_extra=search([8, 4, 16, 32])
        )
        """One number, or candidates: the fewest, unless others score higher on validation rows by
        more than a standard error."""
        select: Literal["nearest", "balanced", "random"] = Field(
            "nearest", json_schema_extra=search(["nearest", "balanced"])
        )
        """nearest: for each query the rows most like it, the most alike last (Liu et al. 2021,
        arXiv 2101.06804); balanced: labels of a choice take turns, other answers come as they are
        drawn; random: any rows. Draws are by the run's seed."""
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
        seed, form = prospect.seed, params.template or prospect.form
        task = as_put(prospect.task, params.labels, form)
        counts = sorted(set(params.shots)) if isinstance(params.shots, list) else [params.shots]
        train, near = showable(prospect.train), params.select == "nearest"
        balanced = by_label(params, task)

        def prompts(queries: Sequence[Query], shots: int) -> Answering:
            seeds = [seed + number * near for number in range(len(queries))]
            drawn = {s: as_shown(demonstrations(train, shots, s, balanced)) for s in set(seeds)}
            asked = zip(queries, seeds, strict=True)
            return Answering(
                [written(task, form, Shown(query), drawn[s]) for query, s in asked], task
            )

        rows = some(prospect.validation, params.validation_rows, seed).queries
        tried = [prompts(rows, count) for count in counts] if len(counts) > 1 else []
        if foreseen(params, prospect):
            looked_at = some(Split("train", tuple(train)), params.calibration_rows, seed)
            tried.append(prompts(looked_at.queries, counts[-1]))
        shown = prompts(prospect.queries, counts[-1])
        if not near:
            return Estimate(fit=tuple(tried), serve=(shown,))
        name, kept = params.embedder, [row.query.full_text for row in train]
        found = Embedding([query.full_text for query in prospect.queries], name)
        index = Indexing(kept, name)
        return Estimate(fit=(Embedding(kept, name), index, *tried), serve=(index, found, shown))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Draw the demonstrations, or index all rows; choose how many are shown; calibrate."""
        context, params = self.context, self.params
        counts = sorted(set(params.shots)) if isinstance(params.shots, list) else [params.shots]
        train = Split(train.name, tuple(showable(train)))
        tell_of_fewer(context, train, counts[-1])
        if params.select == "nearest":
            embedder = retrieval.Embedder(params.embedder, context.device, context.note)
            self.near = retrieval.NearestNeighbours.build(train, embedder)
            self.near.save(artifact / "rows")
        rows = some(validation, params.validation_rows, context.seed)
        calibrating = calibrates(context, params)
        if calibrating or (len(counts) > 1 and len(rows)):
            self._open()
        shots = best_on_validation(
            context,
            "shots",
            {str(count): count for count in counts},
            lambda count: surviving(
                partial(self._answers, shots=count, drawn=self._drawn(train, count)), rows.queries
            ),
            rows,
            cheapest_first=True,
        )
        drawn = self._drawn(train, shots)
        kept = {"shots": shots, "drawn": [asdict(row) for row in drawn]}
        (artifact / "demonstrations.json").write_text(json.dumps(kept, indent=1))
        found = Calibration()
        if calibrating:
            ask = partial(self._answers, shots=shots, drawn=drawn)
            found = self.prompter.calibrate(ask, train, validation)
        found.save(artifact / "calibration.json")

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
        self._open()
        self.prompter.calibration = Calibration.load(artifact / "calibration.json")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query behind its demonstrations."""
        return self._answers(queries, self.shots, self.drawn)

    def equivalents(self) -> Mapping[str, Sequence[Any]]:
        """Return the form and the wording of labels that it has anyway."""
        return self.prompter.equivalents()

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.prompter.model.log_likelihood(prompts, completions)

    def _open(self) -> None:
        self.prompter = Prompter.of(self.context, self.params, lm.open_model(self.context))

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
            # While it is calibrated, a row may be asked that is shown.
            others = [[row for row in drawn if row.query != query] for query in queries]
            prompts = [
                self._prompt(query, rows) for query, rows in zip(queries, others, strict=True)
            ]
        else:
            found = self.near.search(queries, shots)
            prompts = [
                self._prompt(query, [row for row, _ in reversed(rows)])
                for query, rows in zip(queries, found, strict=True)
            ]
        return self.prompter.answers(prompts)

    def _prompt(self, query: Query, rows: Sequence[Example]) -> Prompt:
        """Return a prompt that fits the model; the first demonstrations are left out first."""
        prompt, kept = self.prompter.prompt(Shown(query), as_shown(rows))
        if kept < len(rows):
            self.context.note("shots", f"not all {len(rows)} fit the model with every input")
        return prompt


def by_label(params: FewShot.Params, task: TaskInfo) -> bool:
    """Tell whether labels take turns: texts that are not alike are no labels."""
    return params.select == "balanced" and task.answer_kind == "choice"


def as_shown(rows: Sequence[Example]) -> list[Shown]:
    """Return rows as demonstrations; the first of several targets."""
    return [Shown(row.query, target=row.targets[0]) for row in rows]
