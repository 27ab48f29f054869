"""Try several wordings of the instruction and keep the one that does best on validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from harness import Estimate, Prospect, Query, Split, lm, toolkit
from harness.toolkit.prompter import PromptParams, as_put, foreseen, form_of
from harness.toolkit.prompts import Shown, written
from harness.toolkit.selection import showable, some
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


class InstructionSearch(toolkit.InstructedStrategy):
    """Zero-shot's prompt under the best of several instructions."""

    class Params(PromptParams):
        """Which wordings are tried besides the task's own, and how the task is put."""

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
        form = params.template or form_of(prospect.task, prospect.form, shows=False)
        given = len(params.instructions)
        task = as_put(prospect.task, params.labels, form)

        def asking(queries: Sequence[Query]) -> Answering:
            return Answering([written(task, form, Shown(query)) for query in queries], task)

        rows = some(prospect.validation, params.validation_rows, prospect.seed).queries
        looked_at = Split("train", tuple(showable(prospect.train)))
        if foreseen(params, prospect):
            rows = [*rows, *some(looked_at, params.calibration_rows, prospect.seed).queries]
        tried = asking(rows)
        wanted = replace(task, answer_kind="text", labels={}, schema=None, max_new_tokens=LONGEST)
        rephrasing = Answering([task.instruction] * params.rephrased, wanted)
        wordings = 1 + given + params.rephrased
        tries = [tried] * wordings
        return Estimate(fit=(rephrasing, *tries), serve=(asking(prospect.queries),))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Compare the wordings on validation rows, each calibrated, and write down the best."""
        self.model = lm.open_model(self.context)
        own = self.context.task.instruction
        wordings = [own, *self.params.instructions, *self._rephrased(own)]
        rows = some(validation, self.params.validation_rows, self.context.seed)
        self.keep_best(wordings, rows, train, validation, artifact)

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
