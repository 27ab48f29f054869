"""Ask the model with worked examples: zero-shot's prompt with demonstrations in it."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

import harness
from harness import Example, Prediction, Query, Split, Strategy, lm
from harness.prompts import full_prompt


class FewShot(Strategy):
    """Prompt with the instruction and demonstrations drawn from the training rows."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    needs_model = True
    complexity = 2
    provides = frozenset({"per_user_data", "offline"})

    class Params(harness.Params):
        """How many demonstrations, and how they are drawn."""

        shots: int = Field(12, gt=0)
        select: Literal["balanced", "random"] = "balanced"
        """balanced: labels take turns (for a choice); random: any rows. Both by the run's seed."""

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Draw the demonstrations and write them down."""
        rows = draw(train, self.params.shots, self.params.select, self.context.seed)
        if len(rows) < self.params.shots:
            self.context.note(
                "shots", f"only {len(rows)} training rows for {self.params.shots} shots"
            )
        shown = [
            {"text": row.query.text, "fields": dict(row.query.fields), "target": row.targets[0]}
            for row in rows
        ]
        (artifact / "demonstrations.json").write_text(json.dumps(shown, indent=1))

    def load(self, artifact: Path) -> None:
        """Read the demonstrations and load the model."""
        shown = json.loads((artifact / "demonstrations.json").read_text())
        self.demonstrations = [
            Example(Query("", row["text"], row["fields"]), (row["target"],)) for row in shown
        ]
        self.model = lm.open_model(self.context)

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer each query behind the same demonstrations."""
        facts = self.context.facts
        prompts = [full_prompt(facts, query, self.demonstrations) for query in queries]
        return lm.answer(self.model, prompts, facts)


def draw(train: Split, shots: int, select: str, seed: int) -> list[Example]:
    """Draw demonstrations; the last one drawn stands nearest to the question."""
    rows = list(train)
    order = random.Random(seed)
    order.shuffle(rows)
    if select == "balanced":
        turns: dict[str, int] = defaultdict(int)
        keyed = []
        for row in rows:
            keyed.append((turns[row.targets[0]], row))
            turns[row.targets[0]] += 1
        rows = [row for _, row in sorted(keyed, key=lambda item: item[0])]
    chosen = rows[:shots]
    order.shuffle(chosen)
    return chosen
