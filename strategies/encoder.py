"""Classify with an embedding model: a head trained on its vectors, or the whole encoder tuned."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

import harness
from harness import Estimate, Prediction, Prospect, Query, Split, Strategy, retrieval
from harness.errors import StrategyError
from harness.toolkit.selection import best_on_validation
from harness.workload import Computing, Embedding


class Encoder(Strategy):
    """Sentence embeddings under a linear classifier (a choice only)."""

    answers = frozenset({"choice"})
    needs_train = True
    learns = "weights"
    complexity = 3
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is trained, and how."""

        trains: Literal["head", "all"] = "head"
        """head: logistic regression on fixed embeddings; all: the encoder first, then the head."""
        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """A sentence-transformers model: the built-in one, a folder or a hub id."""
        inverse_regularisation: list[float] = Field([1.0, 10.0, 100.0], min_length=1)
        """Candidates for scikit-learn's C; the best on validation is kept."""
        learning_rate: float = Field(5e-5, gt=0)
        """For `all`: the largest of the rates that Devlin et al. 2018 (arXiv 1810.04805) tried for
        BERT, since this encoder is small."""
        epochs: int = Field(10, gt=0)
        batch_size: int = Field(16, gt=0)
        patience: int = Field(2, gt=0)
        """Epochs without a lower validation loss after which training stops."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Tune weights, those of the embedding model, where all of it is trained."""
        return super().needs(params) | ({"weights"} if params.trains == "all" else set())

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare the embedding of rows and queries, and the encoder's tuning."""
        rows, seen, asked = (
            [query.full_text for query in queries]
            for queries in (prospect.train.queries, prospect.validation.queries, prospect.queries)
        )
        reading = Embedding([*rows, *seen], params.embedder)
        tuned = Embedding(
            rows, params.embedder, params.epochs, params.batch_size, params.patience, seen
        )
        head = Computing(wall_s=(0.1, 5.0), libraries=frozenset({"sklearn"}))
        learnt = (tuned,) if params.trains == "all" else ()
        serve = (Embedding(asked, params.embedder), Computing(libraries=head.libraries))
        return Estimate(fit=(*learnt, reading, head), serve=serve)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Tune the encoder if it is to be, then fit the head and choose its regularisation."""
        params = self.params
        embedder = retrieval.Embedder(params.embedder, self.context.device, self.context.note)
        if params.trains == "all":
            self._tune(embedder, train, validation)
            embedder.model.save(str(artifact / "encoder"))
        vectors = embedder.embed([query.full_text for query in train.queries])
        seen = embedder.embed([query.full_text for query in validation.queries])
        answers = [example.targets[0] for example in train]
        best = best_on_validation(
            self.context,
            "C",
            {f"{c:g}": head(vectors, answers, c) for c in params.inverse_regularisation},
            lambda fitted: labelled(fitted, seen),
            validation,
        )
        (artifact / "head.pickle").write_bytes(pickle.dumps(best))

    def load(self, artifact: Path) -> None:
        """Load the encoder and its head."""
        tuned = artifact / "encoder"
        name = str(tuned) if tuned.is_dir() else self.params.embedder
        self.embedder = retrieval.Embedder(name, self.context.device, self.context.note)
        self.head = pickle.loads((artifact / "head.pickle").read_bytes())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        return labelled(self.head, self.embedder.embed([query.full_text for query in queries]))

    def _tune(self, embedder: retrieval.Embedder, train: Split, validation: Split) -> None:
        params = self.params
        settings = retrieval.EncoderSettings(
            learning_rate=params.learning_rate,
            epochs=params.epochs,
            batch_size=params.batch_size,
            patience=params.patience,
            seed=self.context.seed,
        )
        seen, held_out = (
            [(example.query.full_text, example.targets[0]) for example in split]
            for split in (train, validation)
        )
        kept, epochs = retrieval.tune_encoder(embedder, seen, held_out, settings, self.context.log)
        self.context.note("training", f"epoch {kept} of {epochs} is kept")


def head(vectors: retrieval.Vectors, answers: Sequence[str], inverse_regularisation: float) -> Any:
    """Return a logistic regression fitted on vectors, [rows, dimensions]."""
    from sklearn.linear_model import LogisticRegression

    if len(set(answers)) < 2:
        raise StrategyError(f"all training rows answer '{answers[0]}' → add rows of others")
    return LogisticRegression(C=inverse_regularisation, max_iter=2000).fit(vectors, answers)


def labelled(fitted: Any, vectors: retrieval.Vectors) -> list[Prediction]:
    """Return the most probable label of each vector, [queries, dimensions], and all labels'."""
    if not len(vectors):
        return []
    labels = [str(label) for label in fitted.classes_]
    return [
        Prediction(labels[row.argmax()], dict(zip(labels, map(float, row), strict=True)))
        for row in fitted.predict_log_proba(vectors)
    ]
