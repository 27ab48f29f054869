"""Match inputs with what the task says of its labels: no labelled row, no language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import Field

import harness
from harness import Estimate, Prediction, Prospect, Query, Split, Strategy, retrieval
from harness.toolkit.label_texts import label_texts
from harness.toolkit.selection import some
from harness.toolkit.text_classifier import predictions, tempered
from harness.workload import Embedding

MOST_INPUTS = 500
FEWEST_INPUTS = 50
FEWEST_LABELS = 10
"""With fewer labels a mean cosine says as much of how often a label is right as of how near its
text lies to any input; taking it off would then hurt where labels are unbalanced. Our choice."""


class Match(Strategy):
    """The label whose name and description are nearest to the input, by sentence vectors."""

    answers = frozenset({"choice"})
    complexity = 1
    provides = frozenset({"per_user_data", "offline"})

    class Params(harness.Params):
        """What compares them, and how sure it is."""

        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """A sentence-transformers model: the built-in one, a folder or a hub id."""
        temperature: float = Field(0.07, gt=0)
        """That cosines are divided by before the softmax. The default has the least cross-entropy
        of .02, .03, .05, .07 and .1 on validation rows of tasks/ticket_triage and of banking77."""
        centre: bool | None = None
        """Take off each label's mean cosine over unlabelled training inputs. None: where there are
        at least 50 of them and 10 labels."""

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the embedding of labels, of some training inputs and of the queries."""
        seen = some(prospect.train, MOST_INPUTS, prospect.seed).queries
        inputs = seen if params.centre is not False else []
        read = [*label_texts(prospect.task.labels), *(query.full_text for query in inputs)]
        asked = [query.full_text for query in prospect.queries]
        serve = Embedding(asked, params.embedder)
        return Estimate(fit=(Embedding(read, params.embedder),), serve=(serve,))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Embed the labels, and see how near each lies to inputs in general."""
        labels = self.context.task.labels
        bare = [label for label, description in labels.items() if not description]
        if bare:
            what = f"{len(bare)} of {len(labels)} labels have no description"
            self.context.note("labels", f"{what}: they are matched by their names alone")
        embedder = self._embedder()
        texts = embedder.embed(label_texts(labels))  # [labels, dimensions]
        means = np.zeros(len(labels), dtype=np.float32)
        inputs = some(train, MOST_INPUTS, self.context.seed).queries
        if self._centres(len(inputs)):
            vectors = embedder.embed([query.full_text for query in inputs])
            means = (vectors @ texts.T).mean(axis=0)
            used = f"the mean cosine of each label with {len(inputs)} training inputs is taken off"
            self.context.note("inputs", f"{used}; their labels are not used")
        np.savez(artifact / "labels.npz", texts=texts, means=means)

    def load(self, artifact: Path) -> None:
        """Read the labels' vectors; load the embedding model."""
        with np.load(artifact / "labels.npz", allow_pickle=False) as kept:
            self.texts, self.means = kept["texts"], kept["means"]
        self.embedder = self._embedder()

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the nearest label, with a softmax over the cosines."""
        if not queries:
            return []
        vectors = self.embedder.embed([query.full_text for query in queries])
        cosines = (vectors @ self.texts.T - self.means).astype(np.float64)  # [queries, labels]
        found = tempered(cosines, self.params.temperature)
        return predictions(found, list(self.context.task.labels))

    def _centres(self, inputs: int) -> bool:
        """Tell whether mean cosines are taken off."""
        if self.params.centre is None:
            enough = len(self.context.task.labels) >= FEWEST_LABELS
            return enough and inputs >= FEWEST_INPUTS
        return self.params.centre and inputs > 0

    def _embedder(self) -> retrieval.Embedder:
        context = self.context
        return retrieval.Embedder(self.params.embedder, context.device, context.note)
