"""Always answer what training rows answer most often: the floor that every arm must clear."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import Estimate, Prediction, Prospect, Query, Split, Strategy


class Majority(Strategy):
    """Answer every input with the most frequent training answer."""

    needs_train = True
    complexity = 0
    provides = frozenset({"offline"})

    @classmethod
    def estimate(cls, params: Any, prospect: Prospect) -> Estimate:
        """Declare nothing worth counting."""
        return Estimate(fit=(), serve=())

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Count the answers; of equally frequent ones the alphabetically first wins."""
        counts = Counter(target for example in train for target in example.targets[:1])
        answer = min(counts, key=lambda target: (-counts[target], target))
        (artifact / "answer.json").write_text(json.dumps(answer))

    def load(self, artifact: Path) -> None:
        """Read the answer."""
        self.answer = json.loads((artifact / "answer.json").read_text())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the same answer to all."""
        return [Prediction(self.answer) for _ in queries]
