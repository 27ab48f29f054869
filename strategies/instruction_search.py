"""Try several wordings of the instruction and keep the one that does best on validation rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

import harness
from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.prompts import full_prompt
from harness.toolkit.selection import best_on_validation, some, surviving
from harness.workload import Answering

WAYS = (
    "in other words",
    "as one short sentence",
    "as a polite request to an expert",
    "in more detail, step by step",
    "as a question",
    "for somebody who does this for the first time",
)
"""How the model is asked to rephrase: decoding is greedy, so each wording needs a request of its
own (after Zhou et al. 2022, "Large Language Models Are Human-Level Prompt Engineers")."""
LONGEST = 96
"""Tokens of a rephrased instruction."""


class InstructionSearch(Strategy):
    """Zero-shot's prompt under the best of several instructions."""

    answers = frozenset({"choice", "text", "json"})
    needs_model = True
    complexity = 2
    provides = frozenset({"per_user_data", "offline"})

    class Params(harness.Params):
        """Which wordings are tried besides the task's own."""

        instructions: tuple[str, ...] = ()
        """Written by you."""
        rephrased: int = Field(4, ge=0, le=len(WAYS))
        """Written by the model."""
        validation_rows: int = Field(50, gt=0)
        """The most validation rows that they are compared on."""

        @field_validator("instructions")
        @classmethod
        def _written(cls, instructions: tuple[str, ...]) -> tuple[str, ...]:
            for place, one in enumerate(instructions):
                if not one.strip():
                    raise ValueError("an instruction is empty → write one, or remove it")
                if one in instructions[:place]:
                    raise ValueError(f"{one!r} stands twice → write each instruction once")
            return instructions

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if not self.instructions and not self.rephrased:
                raise ValueError(
                    "there is nothing to choose from but the task's own instruction"
                    " → write some instructions, or rephrased: 4"
                )
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows to compare the wordings on."""
        return super().needs(params) | {"validation"}

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the rephrasing and every wording's answers to validation rows."""
        task, given = prospect.task, len(params.instructions)
        rows = some(prospect.validation, params.validation_rows, prospect.seed).queries
        tried = Answering([full_prompt(task, query) for query in rows], task)
        wanted = replace(task, answer_kind="text", labels={}, schema=None, max_new_tokens=LONGEST)
        rephrasing = Answering([task.instruction] * params.rephrased, wanted)
        asked = Answering([full_prompt(task, query) for query in prospect.queries], task)
        wordings = 1 + given + params.rephrased
        return Estimate(fit=(rephrasing, *[tried] * wordings), serve=(asked,))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Compare the wordings on validation rows and write down the best."""
        self.model = lm.open_model(self.context)
        own = self.context.task.instruction
        wordings = dict.fromkeys([own, *self.params.instructions, *self._rephrased(own)])
        rows = some(validation, self.params.validation_rows, self.context.seed)
        best = best_on_validation(
            self.context,
            "instruction",
            {f"{n} ({shortened(wording)})": wording for n, wording in enumerate(wordings, start=1)},
            lambda wording: surviving(partial(self._answers, instruction=wording), rows.queries),
            rows,
        )
        (artifact / "instruction.json").write_text(json.dumps(best))

    def load(self, artifact: Path) -> None:
        """Read the instruction and load the model."""
        self.instruction = json.loads((artifact / "instruction.json").read_text())
        self.model = lm.open_model(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query under the chosen instruction."""
        return self._answers(queries, self.instruction)

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _answers(self, queries: Sequence[Query], instruction: str) -> list[Prediction]:
        task = replace(self.context.task, instruction=instruction)
        return toolkit.answer(self.model, [full_prompt(task, query) for query in queries], task)

    def _rephrased(self, instruction: str) -> list[str]:
        requests = [
            f"Write this instruction {way}. Give the new instruction alone.\n\n{instruction}"
            for way in WAYS[: self.params.rephrased]
        ]
        as_text = replace(
            self.context.task,
            answer_kind="text",
            labels={},
            schema=None,
            max_new_tokens=LONGEST,
            stop=(),
        )
        written = toolkit.answer(self.model, requests, as_text) if requests else []
        return [" ".join(prediction.text.split()) for prediction in written if prediction.text]


def shortened(text: str) -> str:
    """Return a text's beginning, for a note."""
    return text if len(text) <= 40 else f"{text[:39]}…"
