"""Give the answer of the training row that is most like the input."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import log
from pathlib import Path

import numpy as np
from pydantic import Field, PositiveInt

import harness
from harness import (
    Candidates,
    Estimate,
    Example,
    Prediction,
    Prospect,
    Query,
    Split,
    Strategy,
    retrieval,
)
from harness.toolkit.selection import best_on_validation, learnable, showable
from harness.workload import Embedding, Indexing

Found = Sequence[tuple[Example, float]]


class Nearest(Strategy):
    """The nearest training rows by embedding answer: they vote on a choice, else the first does."""

    answers = frozenset({"choice", "text", "json"})
    needs_train = True
    learns = "index"
    complexity = 1
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """How rows are compared, and how many are asked."""

        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """A sentence-transformers model: the built-in one, a folder or a hub id."""
        neighbours: Candidates[PositiveInt] = Field([1, 3, 5, 10])
        """Candidates for how many rows vote on a choice; the best on validation is kept."""
        refit: bool = True
        """Let the validation rows vote too, once their number is chosen on them."""

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows where it is asked to."""
        return params.refit

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the embedding of rows and queries."""
        name = params.embedder
        rows, seen, asked = (
            [query.full_text for query in queries]
            for queries in (
                [row.query for row in showable(prospect.train)],
                prospect.validation.queries,
                prospect.queries,
            )
        )
        kept = [*rows, *seen] if params.refit else rows
        index = Indexing(kept, name)
        read = [*rows, *seen] if prospect.task.answer_kind == "choice" else kept
        return Estimate(fit=(Embedding(read, name), index), serve=(index, Embedding(asked, name)))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Index the rows that any asker may be shown; for a choice, pick how many of them vote.

        The number is picked on the validation rows before these are indexed as well.
        """
        embedder = self._embedder()
        shown = showable(train)
        vectors = embedder.embed([row.query.full_text for row in shown])
        rows = retrieval.NearestNeighbours.build(shown, embedder, vectors)
        voters = 1
        if self.context.task.answer_kind == "choice":
            found = rows.search(validation.queries, max(self.params.neighbours))
            voters = best_on_validation(
                self.context,
                "neighbours",
                {str(count): count for count in self.params.neighbours},
                lambda count: [elected(near[:count]) for near in found],
                validation,
            )
        more = learnable(self.context, self.params.refit, train, validation)
        if more is not None:
            added = showable(validation)
            both = np.vstack([vectors, embedder.embed([row.query.full_text for row in added])])
            rows = retrieval.NearestNeighbours.build([*shown, *added], embedder, both)
        rows.save(artifact / "rows")
        (artifact / "voters").write_text(str(voters))

    def load(self, artifact: Path) -> None:
        """Read the rows and load the embedding model."""
        self.rows = retrieval.NearestNeighbours.load(artifact / "rows", self._embedder())
        self.voters = int((artifact / "voters").read_text())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer as the nearest rows do."""
        found = self.rows.search(queries, self.voters)
        if self.context.task.answer_kind == "choice":
            return [elected(near) for near in found]
        return [Prediction(near[0][0].targets[0] if near else "") for near in found]

    def _embedder(self) -> retrieval.Embedder:
        context = self.context
        return retrieval.Embedder(self.params.embedder, context.device, context.note)


def elected(near: Found) -> Prediction:
    """Return the label with the greatest sum of cosines, and each label's share as probability.

    One voter alone says nothing of how sure it is.
    """
    votes: dict[str, float] = defaultdict(float)
    for row, cosine in near:
        votes[row.targets[0]] += max(cosine, 1e-6)
    if not votes:
        return Prediction("")
    best = max(votes, key=lambda label: votes[label])
    if len(near) == 1:
        return Prediction(best)
    total = sum(votes.values())
    shares = {label: log(votes[label] / total) for label in votes}
    return Prediction(best, shares)
