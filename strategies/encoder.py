"""Classify with an embedding model: a head trained on its vectors, or the whole encoder tuned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import Field, PositiveFloat, model_validator

import harness
from harness import (
    Candidates,
    Estimate,
    Floor,
    Prediction,
    Prospect,
    Query,
    Split,
    Strategy,
    retrieval,
    toolkit,
)
from harness.toolkit.selection import best_strength, learnable
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
        inverse_regularisation: Candidates[PositiveFloat] = Field([1.0, 10.0, 100.0, 1000.0])
        """Candidates for scikit-learn's C; the best on validation is kept."""
        refit: bool = True
        """Fit the head on the validation rows too, once C is chosen on them."""
        learning_rate: float = Field(5e-5, gt=0)
        """For `all`: the largest of the rates that Devlin et al. 2018 (arXiv 1810.04805) tried for
        BERT, since this encoder is small."""
        epochs: int = Field(10, gt=0)
        batch_size: int = Field(16, gt=0)
        patience: int = Field(2, gt=0)
        """Epochs without a lower validation loss after which training stops."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if self.trains == "head":
                tuning = ("learning_rate", "epochs", "batch_size", "patience")
                self.refuse_idle(*tuning, why="trains: head, where no encoder is tuned")
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Tune weights, those of the embedding model, where all of it is trained."""
        return super().needs(params) | ({"weights"} if params.trains == "all" else set())

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows where it is asked to."""
        return params.refit

    @classmethod
    def is_random(cls, params: Params) -> bool:
        """Shuffle rows where the encoder is tuned; the head alone is found exactly."""
        return params.trains == "all"

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Be no worse, when all of it is tuned, than before that."""
        if params.trains == "head":
            return ()
        same = {
            "embedder": params.embedder,
            "inverse_regularisation": params.inverse_regularisation,
            "refit": params.refit,
        }
        what = "sentence vectors under logistic regression"
        return (Floor("encoder", same, what, "tuning its encoder does not work here"),)

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
        dtype = "float32" if params.trains == "all" else None
        embedder = retrieval.Embedder(
            params.embedder, self.context.device, self.context.note, dtype
        )
        if params.trains == "all":
            self._tune(embedder, train, validation)
            embedder.model.save(str(artifact / "encoder"))
        vectors = embedder.embed([query.full_text for query in train.queries])
        seen = embedder.embed([query.full_text for query in validation.queries])
        answers = [example.targets[0] for example in train]
        strengths = params.inverse_regularisation
        fitted = toolkit.fit_classifiers(vectors, answers, strengths)
        chosen = best_strength(
            self.context, fitted, lambda given: toolkit.classified(given, seen), validation
        )
        best = fitted[chosen]
        more = learnable(self.context, params.refit, train, validation)
        if more is not None:
            answers = [example.targets[0] for example in more]
            best = toolkit.fit_classifier(np.vstack([vectors, seen]), answers, chosen)
        toolkit.save_classifier(best, artifact / "head")

    def load(self, artifact: Path) -> None:
        """Load the encoder and its head."""
        tuned = artifact / "encoder"
        name = str(tuned) if tuned.is_dir() else self.params.embedder
        self.embedder = retrieval.Embedder(name, self.context.device, self.context.note)
        self.head = toolkit.load_classifier(artifact / "head")

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        vectors = self.embedder.embed([query.full_text for query in queries])
        return toolkit.classified(self.head, vectors)

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
