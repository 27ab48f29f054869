"""The arms of the small task that is run as a whole or in parts."""

from __future__ import annotations

SOURCE = """
import json
from harness import Params, Prediction, Strategy

class Rule(Strategy):
    learns = "weights"

    class Params(Params):
        answer: str = "a"

    @classmethod
    def needs(cls, params):
        return frozenset({"train", "validation"})

    def fit(self, train, validation, artifact):
        known = {"answer": self.params.answer, "n": len(train), "seed": self.context.seed}
        (artifact / "answer").write_text(json.dumps(known))

    def load(self, artifact):
        self.known = json.loads((artifact / "answer").read_text())

    def predict(self, queries):
        other = {"a": "b", "b": "a"}[self.known["answer"]]
        turn = self.known["n"] + self.known["seed"]
        return [
            Prediction(other if (place + turn) % 3 == 0 else self.known["answer"])
            for place, _ in enumerate(queries)
        ]
"""


def arms(**answers):
    return [
        {"use": "own.py:Rule", "name": name, "answer": given} for name, given in answers.items()
    ]
