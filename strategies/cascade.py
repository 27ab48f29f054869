"""Let something cheap answer when it is sure, and something dear otherwise."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

import harness
from harness import Estimate, Prediction, Prospect, Query, Split, Strategy
from harness.choosing import surviving
from harness.work import Work


class Use(harness.Params):
    """A strategy with parameters of its own, which stand beside `use`."""

    model_config = ConfigDict(extra="allow")

    use: str


Part = str | Use
UNSET = 0.5
"""Threshold where there are no validation rows: more likely than all other labels together."""


class Cascade(Strategy):
    """Two strategies; the first answers where its label's probability reaches a threshold."""

    answers = frozenset({"choice"})
    complexity = 5

    class Params(harness.Params):
        """Which two, each a name or a mapping with `use` and its parameters."""

        cheap: Part = "tfidf"
        dear: Part = "lora"

    @classmethod
    def parts(cls, params: Params) -> tuple[tuple[str, Mapping[str, Any]], ...]:
        """Return both strategies."""
        return part_of(params.cheap), part_of(params.dear)

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows to set the threshold on."""
        return super().needs(params) | {"validation"}

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare both parts' work; the dear one answers all queries, at the most."""
        (cheap, cheap_params), (dear, dear_params) = cls.parts(params)
        validation = replace(prospect, queries=prospect.validation.queries)
        fit: list[Work] = []
        serve: list[Work] = []
        for name, given in ((cheap, cheap_params), (dear, dear_params)):
            here = prospect.part(name, given, prospect)
            chosen = prospect.part(name, given, validation)
            if here.fit is None or here.serve is None:
                return Estimate()
            fit += [*here.fit, *(chosen.serve or ())]
            serve += here.serve
        return Estimate(fit=tuple(fit), serve=tuple(serve))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Fit both and set the threshold on validation rows."""
        for part, folder in zip(self._built(), self._folders(artifact), strict=True):
            folder.mkdir(exist_ok=True)
            part.fit(train, validation, folder)
        answered = []
        for part, folder in zip(self._built(), self._folders(artifact), strict=True):
            part.load(folder)
            answered.append(surviving(part.predict, validation.queries))
        threshold = self._threshold(answered[0], answered[1], validation)
        (artifact / "threshold.json").write_text(json.dumps(threshold))

    def load(self, artifact: Path) -> None:
        """Load both and read the threshold."""
        self.cheap, self.dear = self._built()
        for part, folder in zip((self.cheap, self.dear), self._folders(artifact), strict=True):
            part.load(folder)
        self.threshold = json.loads((artifact / "threshold.json").read_text())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer cheaply, and ask the dear one where that is not sure enough."""
        begin = time.perf_counter()
        predictions = list(self.cheap.predict(queries))
        if self.context.model is not None and self.context.model.hosted is not None:
            each_s = (time.perf_counter() - begin) / max(1, len(predictions))
            predictions = [charged(given, each_s) for given in predictions]
        unsure = [n for n, given in enumerate(predictions) if sureness(given) < self.threshold]
        if unsure:
            dear = self.dear.predict([queries[n] for n in unsure])
            for n, prediction in zip(unsure, dear, strict=True):
                predictions[n] = after(predictions[n], prediction)
        return predictions

    def _built(self) -> tuple[Strategy, Strategy]:
        (cheap, cheap_params), (dear, dear_params) = self.parts(self.params)
        build = self.context.build
        return build(cheap, cheap_params, "cheap"), build(dear, dear_params, "dear")

    def _folders(self, artifact: Path) -> tuple[Path, Path]:
        return artifact / "cheap", artifact / "dear"

    def _threshold(
        self, cheap: Sequence[Prediction], dear: Sequence[Prediction], validation: Split
    ) -> float:
        """Return the threshold of the best score; of equals the one that asks the dear one least.

        The risk–coverage curve (Geifman & El-Yaniv 2017, arXiv 1705.08500) goes to the log:
        the share that the cheap one answers, and its share of wrong answers among those.
        """
        if not len(validation):
            self.context.note("chosen", f"{UNSET}: there are no validation rows to set it on")
            return UNSET
        best = (-1.0, 0.0)
        sure = [sureness(prediction) for prediction in cheap]
        for step, threshold in enumerate([*sorted(set(sure)), 2.0], start=1):
            kept = [value >= threshold for value in sure]
            mixed = [c if keep else d for c, d, keep in zip(cheap, dear, kept, strict=True)]
            score = self.context.metric(mixed, validation)
            wrong = [
                prediction.text not in example.targets
                for prediction, example, keep in zip(cheap, validation, kept, strict=True)
                if keep
            ]
            coverage = len(wrong) / len(sure)
            risk = sum(wrong) / len(wrong) if wrong else 0.0
            self.context.log(
                step=step, threshold=threshold, coverage=coverage, risk=risk, score=score
            )
            best = max(best, (score, -threshold))
        score, threshold = best[0], -best[1]
        asked = sum(value < threshold for value in sure)
        self.context.note(
            "chosen",
            f"the dear one is asked below a probability of {threshold:.3f}:"
            f" {asked} of {len(sure)} validation rows, {score:.3f}",
        )
        return threshold


def charged(given: Prediction, wall_s: float) -> Prediction:
    """Return an answer with time and charge, so that it stands beside a hosted model's."""
    own_s = wall_s if given.wall_s is None else given.wall_s
    return replace(given, wall_s=own_s, usd=0.0 if given.usd is None else given.usd)


def after(cheap: Prediction, dear: Prediction) -> Prediction:
    """Return the dear answer with what the cheap one, which was asked first, took and cost."""
    both = {
        name: getattr(cheap, name) + getattr(dear, name)
        for name in ("wall_s", "usd")
        if getattr(cheap, name) is not None and getattr(dear, name) is not None
    }
    return replace(dear, notes=(*dear.notes, "the dear one answered"), **both)


def part_of(part: Part) -> tuple[str, Mapping[str, Any]]:
    """Return a part's strategy and parameters."""
    if isinstance(part, str):
        return part, {}
    return part.use, part.model_extra or {}


def sureness(prediction: Prediction) -> float:
    """Return the probability of the likeliest label; an answer without any is never sure."""
    logprobs = prediction.label_logprobs
    return exp(max(logprobs.values())) if logprobs else -1.0
