"""Try several wordings of the instruction and keep the one that does best on validation rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm, toolkit
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter, PromptParams, as_put, foreseen
from harness.toolkit.prompts import Shown, written
from harness.toolkit.selection import best_on_validation, showable, some, surviving
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
        form, given = params.template or prospect.form, len(params.instructions)
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
        calibrated: dict[str, Calibration] = {}

        def tried(wording: str) -> list[Prediction]:
            self._put(wording)
            calibrated[wording] = self.prompter.calibrate(self.predict, showable(train), validation)
            return surviving(self.predict, rows.queries)

        wordings = dict.fromkeys([own, *self.params.instructions, *self._rephrased(own)])
        rows = some(validation, self.params.validation_rows, self.context.seed)
        best = best_on_validation(
            self.context,
            "instruction",
            {f"{n} ({shortened(wording)})": wording for n, wording in enumerate(wordings, start=1)},
            tried,
            rows,
        )
        if best not in calibrated:  # the only one is taken untried
            self._put(best)
            calibrated[best] = self.prompter.calibrate(self.predict, showable(train), validation)
        (artifact / "instruction.json").write_text(json.dumps(best))
        calibrated[best].save(artifact / "calibration.json")

    def load(self, artifact: Path) -> None:
        """Read the instruction and load the model."""
        self.model = lm.open_model(self.context)
        self._put(json.loads((artifact / "instruction.json").read_text()))
        self.prompter.calibration = Calibration.load(artifact / "calibration.json")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query under the instruction that is put."""
        return self.prompter.answers([self.prompter.prompt(Shown(query))[0] for query in queries])

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def _put(self, instruction: str) -> None:
        """Ask under an instruction from now on."""
        task = replace(self.context.task, instruction=instruction)
        self.prompter = Prompter.of(replace(self.context, task=task), self.params, self.model)

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
