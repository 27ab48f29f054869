"""An arm that asks under an instruction of its own choice; where those come from it does not know.

Compares them on validation rows, each calibrated, keeps the best in the artifact, and answers under
it.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from harness import lm
from harness.strategy import Strategy
from harness.toolkit.calibration import Calibration
from harness.toolkit.prompter import Prompter
from harness.toolkit.prompts import Shown
from harness.toolkit.selection import best_on_validation, showable, surviving
from harness.types import Prediction, Prompt, Query, Split

SHOWN = 40
"""Characters of an instruction in a note."""


class InstructedStrategy(Strategy):
    """Zero-shot's prompt under an instruction that is chosen on validation rows.

    A subclass calls `keep_best` in `fit`, and its `Params` inherit from `PromptParams`.
    """

    answers = frozenset({"choice", "text", "json"})
    needs_model = True
    complexity = 2
    provides = frozenset({"per_user_data", "offline"})

    @abstractmethod
    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Find instructions and keep the best."""

    def load(self, artifact: Path) -> None:
        """Read the instruction and load the model."""
        self.model = lm.open_model(self.context)
        self.put(json.loads((artifact / "instruction.json").read_text()))
        self.prompter.calibration = Calibration.load(artifact / "calibration.json")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query under the instruction that is put."""
        return self.prompter.answers([self.prompter.prompt(Shown(query))[0] for query in queries])

    def log_likelihood(self, prompts: Sequence[Prompt], completions: Sequence[str]) -> list[float]:
        """Return the natural-log likelihood of each completion after its prompt."""
        return self.model.log_likelihood(prompts, completions)

    def put(self, instruction: str) -> None:
        """Ask under an instruction from now on."""
        task = replace(self.context.task, instruction=instruction)
        context = replace(self.context, task=task)
        self.prompter = Prompter.of(context, self.params, self.model, shows=False)

    def keep_best(
        self,
        instructions: Iterable[str],
        rows: Split,
        train: Split,
        validation: Split,
        artifact: Path,
    ) -> None:
        """Compare instructions, each calibrated, and write down the best.

        Args:
            instructions: the first of equals is taken; one that stands twice is tried once.
            rows: the validation rows that they are compared on.
            train: what calibration may look at.
            validation: likewise.
            artifact: where the best goes.
        """
        calibrated: dict[str, Calibration] = {}

        def tried(instruction: str) -> list[Prediction]:
            self.put(instruction)
            shown = showable(train)
            calibrated[instruction] = self.prompter.calibrate(self.predict, shown, validation)
            return surviving(self.predict, rows.queries)

        named = enumerate(dict.fromkeys(instructions), start=1)
        candidates = {f"{n} ({shortened(text)})": text for n, text in named}
        best = best_on_validation(self.context, "instruction", candidates, tried, rows)
        if best not in calibrated:  # the only one is taken untried
            self.put(best)
            shown = showable(train)
            calibrated[best] = self.prompter.calibrate(self.predict, shown, validation)
        (artifact / "instruction.json").write_text(json.dumps(best, ensure_ascii=False))
        calibrated[best].save(artifact / "calibration.json")


def shortened(text: str) -> str:
    """Return a text's beginning, for a note."""
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
