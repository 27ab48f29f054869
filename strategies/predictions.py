"""Enter answers that were made elsewhere: today's system, a vendor's model, people."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pydantic import Field

import harness
from harness import Estimate, InputFile, Prediction, Prospect, Query, Split, Strategy
from harness.errors import StrategyError

KNOWN = {field.name for field in fields(Prediction)}


class Predictions(Strategy):
    """Give the answers that stand in a file, by the rows' ids."""

    complexity = 2
    replays = True

    class Params(harness.Params):
        """Where the answers stand, and what one costs."""

        file: InputFile
        """JSON lines of `id` and `text`; also `label_logprobs`, `sources`, `wall_s` (seconds that
        the answer took), `usd` (its price) and whatever else a prediction has."""
        usd_per_1k: float | None = Field(None, ge=0)
        """Price of a thousand answers, where the lines name none."""
        tuned: bool = False
        """Whether the answers are a fine-tuned model's: the verdict counts it as fine-tuning."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Count as fine-tuning where a fine-tuned model gave the answers."""
        return super().needs(params) | ({"weights"} if params.tuned else set())

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare nothing worth counting: the work was done elsewhere."""
        return Estimate(fit=(), serve=())

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Check the file and keep a copy of it."""
        read(Path(self.params.file))
        shutil.copy(self.params.file, artifact / "predictions.jsonl")

    def load(self, artifact: Path) -> None:
        """Read the answers."""
        self.rows = read(artifact / "predictions.jsonl")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give each query's answer; one that the file lacks is a failed item."""
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Prediction:
        row = self.rows.get(query.id)
        if row is None:
            return Prediction("", error=f"the file has no answer to the row '{query.id}'")
        price = self.params.usd_per_1k
        usd = row.get("usd", None if price is None else price / 1000)
        return Prediction.from_row({**row, "usd": usd})


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Read a file of predictions, by id.

    Raises:
        StrategyError: a line is not a prediction, or an id stands twice.
    """
    rows: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{file.name}:{number}"
        try:
            row = json.loads(line)
            row_id = str(row.pop("id"))
        except (ValueError, KeyError, AttributeError, TypeError):
            raise StrategyError(f'{where} is not {{"id": …, "text": …}}') from None
        if not isinstance(row.get("text"), str):
            raise StrategyError(
                f"{where} has no text → write the answer of '{row_id}' under `text`"
            )
        if row_id in rows:
            raise StrategyError(f"{where}: the id '{row_id}' stands twice → remove one")
        rows[row_id] = {key: value for key, value in row.items() if key in KNOWN}
    return rows
