"""Ask the model as it is: instruction, list of labels, input; or as it was tuned elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pydantic import model_validator

from harness import Estimate, Prediction, Prompt, Prospect, Query, Split, Strategy, lm
from harness.errors import StrategyError
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter, PromptParams, as_put, calibrates, foreseen, form_of
from harness.toolkit.prompts import AsTuned, Shown, tuned_chat, written
from harness.toolkit.selection import showable, some
from harness.workload import Answering


class ZeroShot(Strategy):
    """Prompt with the instruction and, for a choice, the labels and what they mean.

    Of training rows, where there are any, it uses the inputs alone, to take the model's liking for
    some labels out: it needs no labelled rows.
    """

    answers = frozenset({"choice", "text", "json"})
    needs_model = True
    complexity = 1
    provides = frozenset({"per_user_data", "offline"})

    class Params(PromptParams):
        """How the task is put."""

        as_tuned: AsTuned = "off"
        """For a hosted model that was tuned on chats: it is asked as its training file asks, with
        the input alone as the user's turn and no list of labels. instruction: under the task's
        instruction as the system turn; system: under the row's own, a visible column `system`;
        input: without a system turn. Earlier turns are the visible column `earlier`."""

        @model_validator(mode="after")
        def _nothing_is_idle(self) -> Self:
            if self.as_tuned != "off":
                idle = ("template", "labels", "calibrate", "calibration_rows")
                self.refuse_idle(*idle, why=f"as_tuned: {self.as_tuned}")
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows where it is calibrated on their answers."""
        return super().needs(params) | ({"validation"} if params.calibrate == "vector" else set())

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the prompts."""
        if params.as_tuned != "off":
            prompts = [
                tuned_chat(prospect.task, query, params.as_tuned) for query in prospect.queries
            ]
            return Estimate(fit=(), serve=(Answering(prompts, prospect.task),))
        form = params.template or form_of(prospect.task, prospect.form, shows=False)
        task = as_put(prospect.task, params.labels, form)

        def asked(queries: Sequence[Query]) -> Answering:
            return Answering([written(task, form, Shown(query)) for query in queries], task)

        rows = some(Split("train", tuple(showable(prospect.train))), params.calibration_rows, 0)
        calibrating = foreseen(params, prospect)
        fit = (asked(rows.queries),) if calibrating and len(rows) else ()
        return Estimate(fit=fit, serve=(asked(prospect.queries),))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Calibrate."""
        found = Calibration()
        if self.params.as_tuned == "off" and calibrates(self.context, self.params):
            self._open()
            rows = showable(train)
            found = self.prompter.calibrate(self.predict, rows, validation, labelled=False)
        found.save(artifact / "calibration.json")

    def load(self, artifact: Path) -> None:
        """Load the model and what is taken out of its scores."""
        self._open()
        self.prompter.calibration = Calibration.load(artifact / "calibration.json")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query from the instruction alone."""
        style = self.params.as_tuned
        if style != "off":
            task = self.context.task
            return self.prompter.answers([tuned_chat(task, query, style) for query in queries])
        return self.prompter.answers([self.prompter.prompt(Shown(query))[0] for query in queries])

    def equivalents(self) -> Mapping[str, Sequence[Any]]:
        """Return the form and the wording of labels that it has anyway."""
        return self.prompter.equivalents()

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.prompter.model.log_likelihood(prompts, completions)

    def _open(self) -> None:
        ref, style = self.context.model, self.params.as_tuned
        if style != "off" and (ref is None or ref.hosted is None):
            raise StrategyError(
                f"as_tuned: {style} asks a model that was tuned on chats at its server, and"
                f" '{ref.name if ref else None}' runs here → remove as_tuned"
            )
        params = self.params
        if style != "off":  # a chat has turns, and nothing is said of a choice that there is not
            params = params.model_copy(update={"template": "turns"})
        model = lm.open_model(self.context)
        self.prompter = Prompter.of(self.context, params, model, shows=False)
