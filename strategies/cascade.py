"""Let something cheap answer when it is sure, and something expensive otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, model_validator

import harness
from harness import Estimate, Prediction, Prospect, Query, Split, Strategy, toolkit
from harness.errors import StrategyError
from harness.toolkit.selection import surviving
from harness.workload import Work


class Use(harness.Params):
    """A strategy with parameters of its own, which stand beside `use`."""

    model_config = ConfigDict(extra="allow")

    use: str


Part = str | Use
Role = Literal["cheap", "dear"]
UNSET = 0.5
"""Threshold where there are no validation rows: more likely than all other labels together."""
NEVER = -1.0
"""How sure an answer without probabilities is, or one that failed: below any threshold chosen."""


class Cascade(Strategy):
    """Two strategies; the first answers where its label's probability reaches a threshold."""

    answers = frozenset({"choice"})
    complexity = 5

    class Params(harness.Params):
        """Which two, each a name or a mapping with `use` and its parameters."""

        cheap: Part = "tfidf"
        dear: Part = "lora"
        """The expensive one."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            if part_of(self.cheap) == part_of(self.dear):
                raise ValueError(
                    f"`cheap` and `dear` are the same ({part_of(self.cheap)[0]})"
                    " → name another strategy for one of them"
                )
            return self

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
        """Declare both parts' work; the expensive one answers all queries, at the most."""
        validation = replace(prospect, queries=prospect.validation.queries)
        fit: list[Work] = []
        serve: list[Work] = []
        for name, given in cls.parts(params):
            here = prospect.part(name, given, prospect)
            chosen = prospect.part(name, given, validation)
            if here.fit is None or here.serve is None:
                return Estimate()
            fit += [*here.fit, *(chosen.serve or ())]
            serve += here.serve
        return Estimate(fit=tuple(fit), serve=tuple(serve))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Fit both and set the threshold on validation rows.

        Raises:
            StrategyError: the cheap one gives no probabilities; the expensive one is not trained
                then. Or one of them failed on all validation rows.
        """
        cheap = self._fitted("cheap", train, validation, artifact)
        check_probabilities(part_of(self.params.cheap)[0], cheap)
        expensive = self._fitted("dear", train, validation, artifact)
        check_answers("expensive", part_of(self.params.dear)[0], expensive)
        threshold = self._threshold(cheap, expensive, validation)
        (artifact / "threshold.json").write_text(json.dumps(threshold))

    def load(self, artifact: Path) -> None:
        """Load both and read the threshold."""
        self.cheap, self.expensive = self._built("cheap"), self._built("dear")
        self.cheap.load(artifact / "cheap")
        self.expensive.load(artifact / "dear")
        self.threshold = json.loads((artifact / "threshold.json").read_text())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer cheaply, and ask the expensive one where that is not sure enough."""
        predictions = self._asked(self.cheap, queries)
        unsure = [n for n, given in enumerate(predictions) if sureness(given) < self.threshold]
        if unsure:
            asked = self._asked(self.expensive, [queries[n] for n in unsure])
            for n, prediction in zip(unsure, asked, strict=True):
                predictions[n] = with_cheap(predictions[n], prediction)
        return predictions

    def _built(self, role: Role) -> Strategy:
        name, given = part_of(getattr(self.params, role))
        return self.context.build(name, given, role)

    def _fitted(
        self, role: Role, train: Split, validation: Split, artifact: Path
    ) -> list[Prediction]:
        """Fit one of the two and return its answers to the validation rows."""
        folder = artifact / role
        folder.mkdir(exist_ok=True)
        self._built(role).fit(train, validation, folder)
        served = self._built(role)
        served.load(folder)
        return surviving(served.predict, validation.queries)

    def _asked(self, part: Strategy, queries: Sequence[Query]) -> list[Prediction]:
        """Return a part's answers, with figures that can be added to the other part's.

        A row that the cheap one fails on is the expensive one's, as it was when the threshold was
        set. Beside answers of a server or a file, one that was made here costs nothing elsewhere;
        one of a file says all that is known of it.
        """
        answers = surviving(part.predict, queries)
        hosted = self.context.model is not None and self.context.model.hosted is not None
        elsewhere = hosted or self.cheap.replays or self.expensive.replays
        if part.replays or not elsewhere:
            return answers
        return [made_here(answer) for answer in answers]

    def _threshold(
        self, cheap: Sequence[Prediction], expensive: Sequence[Prediction], validation: Split
    ) -> float:
        """Return the threshold of the best score; of equals, the one that costs least.

        The risk–coverage curve (Geifman & El-Yaniv 2017, arXiv 1705.08500) goes to the log:
        the share that the cheap one answers, and its share of wrong answers among those.
        """
        if not len(validation):
            self.context.note("chosen", f"{UNSET}: there are no validation rows to set it on")
            return UNSET
        best = (-1.0, 0.0)
        sure = [sureness(prediction) for prediction in cheap]
        right = toolkit.right_choices(cheap, validation, self.context.task)
        for step, threshold in enumerate([*sorted(set(sure)), 2.0], start=1):
            kept = [value >= threshold for value in sure]
            mixed = [c if keep else e for c, e, keep in zip(cheap, expensive, kept, strict=True)]
            score = self.context.metric(mixed, validation)
            coverage = sum(kept) / len(kept)
            wrong = sum(keep and not good for keep, good in zip(kept, right, strict=True))
            risk = wrong / sum(kept) if any(kept) else 0.0
            self.context.log(
                step=step, threshold=threshold, coverage=coverage, risk=risk, score=score
            )
            if threshold > NEVER:  # what the cheap one fails on is never its own
                best = max(best, (score, -threshold))
        score, threshold = best[0], -best[1]
        asked = sum(value < threshold for value in sure)
        self.context.note(
            "chosen",
            f"the expensive one is asked below a probability of {threshold:.3f}:"
            f" {asked} of {len(sure)} validation rows, {score:.3f}",
        )
        return threshold


def check_probabilities(name: str, answers: Sequence[Prediction]) -> None:
    """Check that a cheap part says how sure it is of its answers to validation rows.

    Raises:
        StrategyError: it never does: the threshold could only ask the other always or never.
    """
    check_answers("cheap", name, answers)
    if not answers or any(answer.label_logprobs for answer in answers):
        return
    raise StrategyError(
        f"the cheap part of the cascade, '{name}', gives no probabilities of labels, so nothing"
        " says when it is sure → name one as `cheap` that gives them: tfidf, or one that uses"
        " the weights of a model (a hosted model gives none)"
    )


def check_answers(role: str, name: str, answers: Sequence[Prediction]) -> None:
    """Check that a part answers validation rows at all.

    Raises:
        StrategyError: it failed on each: a threshold set on that would leave the part out for good.
    """
    failed = [answer.error for answer in answers if answer.error]
    if failed and len(failed) == len(answers):
        raise StrategyError(
            f"the {role} part of the cascade, '{name}', failed on all {len(failed)} validation"
            f" rows, on the first with: {failed[0]}"
        )


def made_here(answer: Prediction) -> Prediction:
    """Return an answer that says it took and cost nothing elsewhere, if it says nothing yet.

    What it took here the harness adds.
    """
    if answer.wall_s is not None or answer.usd is not None:
        return answer
    return replace(answer, wall_s=0.0, usd=0.0, prompt_tokens=0, output_tokens=0)


def with_cheap(cheap: Prediction, expensive: Prediction) -> Prediction:
    """Return the expensive answer with what the cheap one, which was asked first, took and cost.

    A figure that one of them lacks is not known, unless neither was answered elsewhere: what two
    answers that were made here do not say is in what the harness measures.
    """
    elsewhere = any(p.wall_s is not None or p.usd is not None for p in (cheap, expensive))
    both: dict[str, Any] = {}
    for name in ("wall_s", "usd", "prompt_tokens", "output_tokens"):
        first, second = getattr(cheap, name), getattr(expensive, name)
        if first is not None and second is not None:
            both[name] = first + second
        elif elsewhere:
            both[name] = None
    if cheap.cached_tokens is not None:  # a server that says nothing of these kept none
        both["cached_tokens"] = cheap.cached_tokens + (expensive.cached_tokens or 0)
    return replace(expensive, notes=(*expensive.notes, "the expensive one answered"), **both)


def part_of(part: Part) -> tuple[str, Mapping[str, Any]]:
    """Return a part's strategy and parameters."""
    if isinstance(part, str):
        return part, {}
    return part.use, part.model_extra or {}


def sureness(prediction: Prediction) -> float:
    """Return the probability of the likeliest label; an answer without any is never sure."""
    logprobs = prediction.label_logprobs
    return exp(max(logprobs.values())) if logprobs else NEVER
