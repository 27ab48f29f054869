"""A strategy that cannot be prepared: the file of its rules is missing."""

from collections.abc import Sequence
from pathlib import Path

from harness import Prediction, Query, Split, Strategy


class Rules(Strategy):
    """Answer by rules that somebody wrote."""

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Fail, as a file that was not shipped makes it."""
        raise FileNotFoundError("rules.csv is not there")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer nothing."""
        return [Prediction("") for _ in queries]
