"""Classify with an embedding model: a head on its vectors, or the whole encoder tuned before.

It is tuned under a softmax over the labels, or on pairs of rows of the same and of other labels.
"""

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
    log,
    retrieval,
    search,
    toolkit,
)
from harness.toolkit.linear_classifier import check_several_labels
from harness.toolkit.selection import best_strength, learnable
from harness.workload import Computing, Embedding

FOR_ALL, FOR_PAIRS = ("epochs", "patience"), ("most_steps",)
"""Parameters of the one way of tuning and of the other."""


class Encoder(Strategy):
    """Sentence embeddings under a linear classifier (a choice only)."""

    answers = frozenset({"choice"})
    needs_train = True
    learns = "weights"
    complexity = 3
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is trained, and how."""

        trains: Literal["head", "all", "contrastive"] = "head"
        """head: logistic regression on fixed embeddings; all: the encoder first, under a softmax
        over the labels, then the head; contrastive: the encoder first, on pairs of rows, as SetFit
        does (Tunstall et al. 2022, arXiv 2209.11055): for some 16 rows a label or fewer."""
        embedder: harness.ModelName = retrieval.DEFAULT_EMBEDDER
        """A sentence-transformers model: the built-in one, a folder or a hub id."""
        inverse_regularisation: Candidates[PositiveFloat] = Field([1.0, 10.0, 100.0, 1000.0])
        """Candidates for scikit-learn's C; the best on validation is kept."""
        refit: bool = True
        """Fit the head on the validation rows too, once C is chosen on them."""
        learning_rate: float = Field(3e-5, gt=0, json_schema_extra=search(log(1e-5, 1e-4)))
        """Of the encoder where it is tuned: one of the rates that Devlin et al. 2018
        (arXiv 1810.04805) tried for BERT; SetFit's own default is 2e-5."""
        warmup_share: float = Field(0.1, ge=0, lt=1)
        """Of the steps, in which the rate rises; it falls to 0 in the others."""
        batch_size: int = Field(16, gt=0)
        """Rows at once, or pairs of rows."""
        epochs: int = Field(10, gt=0)
        """For `all`."""
        patience: int = Field(3, gt=0)
        """For `all`: epochs without a lower validation loss after which training stops."""
        most_steps: int = Field(1000, gt=0)
        """For `contrastive`: where one epoch over all pairs would take more, these are enough."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            idle = {
                "head": ("learning_rate", "warmup_share", "batch_size", *FOR_ALL, *FOR_PAIRS),
                "all": FOR_PAIRS,
                "contrastive": FOR_ALL,
            }[self.trains]
            why = ", where no encoder is tuned" if self.trains == "head" else ""
            self.refuse_idle(*idle, why=f"trains: {self.trains}{why}")
            return self

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Tune weights, those of the embedding model, unless the head alone is trained."""
        return super().needs(params) | (set() if params.trains == "head" else {"weights"})

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows where it is asked to."""
        return params.refit

    @classmethod
    def is_random(cls, params: Params) -> bool:
        """Shuffle rows where the encoder is tuned; the head alone is found exactly."""
        return params.trains != "head"

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
        head = Computing(wall_s=(0.1, 5.0), libraries=frozenset({"sklearn"}))
        learnt: tuple[Embedding, ...] = ()
        if params.trains == "all":
            how = params.epochs, params.batch_size, params.patience, seen
            learnt = (Embedding(rows, params.embedder, *how),)
        elif params.trains == "contrastive" and rows:
            labelled = labelled_texts(prospect.train)
            steps = retrieval.steps_of(labelled, params.batch_size, params.most_steps)
            passes = max(1, round(2 * steps * params.batch_size / len(rows)))
            learnt = (Embedding(rows, params.embedder, passes, 2 * params.batch_size),)
        serve = (Embedding(asked, params.embedder), Computing(libraries=head.libraries))
        return Estimate(fit=(*learnt, reading, head), serve=serve)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Tune the encoder if it is to be, then fit the head and choose its regularisation."""
        params, answers = self.params, [example.targets[0] for example in train]
        check_several_labels(answers)  # pairs of two labels would be looked for without end
        dtype = None if params.trains == "head" else "float32"
        embedder = retrieval.Embedder(
            params.embedder, self.context.device, self.context.note, dtype
        )
        if params.trains != "head":
            self._tune(embedder, train, validation)
            embedder.model.save(str(artifact / "encoder"))
        vectors = embedder.embed([query.full_text for query in train.queries])
        seen = embedder.embed([query.full_text for query in validation.queries])
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
        params, seen = self.params, labelled_texts(train)
        if params.trains == "contrastive":
            on_pairs = retrieval.ContrastiveSettings(
                learning_rate=params.learning_rate,
                batch_size=params.batch_size,
                most_steps=params.most_steps,
                warmup_share=params.warmup_share,
                seed=self.context.seed,
            )
            steps = retrieval.tune_on_pairs(embedder, seen, on_pairs, self.context.log)
            self.context.note("training", f"{steps} steps of {params.batch_size} pairs of rows")
            return
        settings = retrieval.EncoderSettings(
            learning_rate=params.learning_rate,
            epochs=params.epochs,
            batch_size=params.batch_size,
            patience=params.patience,
            seed=self.context.seed,
            warmup_share=params.warmup_share,
        )
        held_out, log_row = labelled_texts(validation), self.context.log
        kept, epochs = retrieval.tune_encoder(embedder, seen, held_out, settings, log_row)
        self.context.note("training", f"epoch {kept} of {epochs} is kept")


def labelled_texts(rows: Split) -> list[tuple[str, str]]:
    """Return the text and the label of each row."""
    return [(example.query.full_text, example.targets[0]) for example in rows]
