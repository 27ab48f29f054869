"""A linear classifier on the states of the frozen language model: what it knows before tuning.

A tuned model that is below it was tuned badly; that tuning is useless it does not show.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

import harness
from harness import (
    Candidates,
    Estimate,
    Prediction,
    Prospect,
    Query,
    Split,
    Strategy,
    lm,
    toolkit,
)
from harness.toolkit.selection import best_on_validation, learnable, tell_of_edge
from harness.types import RunningText
from harness.workload import Answering, Computing

Share = Annotated[float, Field(gt=0, le=1)]


class LmProbe(Strategy):
    """Logistic regression on the mean over tokens of the frozen model's states."""

    answers = frozenset({"choice"})
    needs_train = True
    needs_model = True
    learns = "weights"
    complexity = 3
    provides = frozenset({"offline"})

    class Params(harness.Params):
        """What is tried on validation rows."""

        layers: Candidates[Share] = Field([0.75, 0.5, 1.0])
        """Candidates for the layer whose states are read, as a share of the model's depth."""
        inverse_regularisation: Candidates[PositiveFloat] = Field([10.0, 1.0, 100.0, 1000.0])
        """Candidates for scikit-learn's C, over states of unit variance and mean length 1."""
        refit: bool = True
        """Learn from the validation rows too, once layer and C are chosen on them."""

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Need the model's states, but tune none of its weights."""
        return super().needs(params) - {"weights"} | {"states"}

    @classmethod
    def is_random(cls, params: Params) -> bool:
        """Draw nothing: the model is frozen, and the classifier is found exactly."""
        return False

    @classmethod
    def refits(cls, params: Params) -> bool:
        """Learn from validation rows where it is asked to."""
        return params.refit

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare one pass over every row: reckoned as scoring a single short label behind it."""
        task = replace(prospect.task, labels={"a": ""})
        rows, asked = (
            [RunningText(query.full_text) for query in queries]
            for queries in (
                [*prospect.train.queries, *prospect.validation.queries],
                prospect.queries,
            )
        )
        fits = len(params.layers) * len(params.inverse_regularisation)
        head = Computing(
            wall_s=(0.1, 5.0 + 5e-5 * fits * len(rows) * len(prospect.task.labels)),
            libraries=frozenset({"sklearn"}),
        )
        serve = (Answering(asked, task), Computing(libraries=head.libraries))
        return Estimate(fit=(Answering(rows, task), head), serve=serve)

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Read all rows once; choose layer and C; fit the classifier."""
        params, model = self.params, lm.open_weights(self.context)
        depths = [max(1, round(share * lm.depth_of(model))) for share in params.layers]
        rows = read(model, train.queries, depths, self.context)
        seen = read(model, validation.queries, depths, self.context)
        answers = [example.targets[0] for example in train]
        scales = [Scale.of(rows[:, place]) for place in range(len(depths))]
        fitted = {
            (place, c): one
            for place, scale in enumerate(scales)
            for c, one in toolkit.fit_classifiers(
                scale.scaled(rows[:, place]), answers, params.inverse_regularisation
            ).items()
        }
        given = {
            key: toolkit.classified(one, scales[key[0]].scaled(seen[:, key[0]]))
            for key, one in fitted.items()
        }
        names = {f"layer {depths[place]}, C {c:g}": (place, c) for place, c in fitted}
        chosen = best_on_validation(self.context, "states", names, given.__getitem__, validation)
        place, c = chosen
        if len(validation):
            scores = {
                other: self.context.metric(given[place, other], validation)
                for other in params.inverse_regularisation
            }
            tell_of_edge(self.context, scores, c)
        kept, scale = fitted[chosen], scales[place]
        more = learnable(self.context, params.refit, train, validation)
        if more is not None:
            both = np.concatenate([rows[:, place], seen[:, place]])
            scale = Scale.of(both)
            answers = [example.targets[0] for example in more]
            kept = toolkit.fit_classifier(scale.scaled(both), answers, c)
        toolkit.save_classifier(kept, artifact / "head")
        np.savez(artifact / "scale.npz", mean=scale.mean, spread=scale.spread)
        (artifact / "depth.json").write_text(json.dumps(depths[place]))

    def load(self, artifact: Path) -> None:
        """Load the model as it is, and what was learnt."""
        self.model = lm.open_weights(self.context)
        self.head = toolkit.load_classifier(artifact / "head")
        self.depth = json.loads((artifact / "depth.json").read_text())
        with np.load(artifact / "scale.npz", allow_pickle=False) as kept:
            self.scale = Scale(kept["mean"], kept["spread"])

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Give the most probable label, with the log-probabilities of all."""
        if not queries:
            return []
        states = read(self.model, queries, [self.depth], self.context)[:, 0]
        return toolkit.classified(self.head, self.scale.scaled(states))


class Scale:
    """Brings states to mean 0 and unit variance in every dimension, and mean length 1."""

    def __init__(self, mean: NDArray[Any], spread: NDArray[Any]):
        self.mean, self.spread = mean, spread

    @classmethod
    def of(cls, states: NDArray[Any]) -> Scale:
        """Return that of rows' states, [rows, width]: a few dimensions dwarf all others."""
        spread = states.std(axis=0)
        return cls(states.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def scaled(self, states: NDArray[Any]) -> NDArray[Any]:
        """Return states so scaled."""
        if not len(states):
            return np.zeros((0, 0))
        scaled: NDArray[Any] = (states - self.mean) / (self.spread * np.sqrt(states.shape[1]))
        return scaled


def read(
    model: lm.LanguageModel,
    queries: Sequence[Query],
    depths: Sequence[int],
    context: harness.Context,
) -> NDArray[np.float32]:
    """Return the states of inputs, [queries, depths, width]; their ends are cut to the context."""
    most = model.context_tokens
    tokens = [lm.prompt_tokens(model, RunningText(query.full_text)) for query in queries]
    tokens = [ids or [model.ends[0]] for ids in tokens]
    cut = sum(most is not None and len(ids) > most for ids in tokens)
    if cut and len(queries) > 1:
        context.note("states", f"{cut} of {len(tokens)} inputs are cut to {most} tokens")
    if not tokens:
        return np.zeros((0, len(depths), 0), dtype=np.float32)
    return lm.pooled_states(model, [ids[:most] for ids in tokens], depths)
