"""Let something cheap answer when it is sure, and something expensive otherwise."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import exp, inf
from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

import harness
from harness import Estimate, Floor, Part, Prediction, Prospect, Query, Split, Strategy, toolkit
from harness.errors import StrategyError
from harness.toolkit.charges import made_here, with_earlier
from harness.toolkit.selection import surviving
from harness.workload import Work, by_model

Role = Literal["cheap", "second", "dear"]
UNSET = 0.5
"""Threshold where there are no validation rows: more likely than all other labels together."""
ROUNDING = 1e-4
"""How far a probability may move with the rows that are computed beside it, generously."""
NEVER = -1.0
"""How sure an answer without probabilities is, or one that failed: below any threshold chosen."""


class Cascade(Strategy):
    """Two strategies; the first answers where it is as sure as a threshold asks."""

    answers = frozenset({"choice", "text", "json"})
    complexity = 5

    class Params(harness.Params):
        """Which two, each a name or a mapping with `use`, its parameters and perhaps a `model`."""

        cheap: toolkit.PartParams = "tfidf"
        dear: toolkit.PartParams = "lora"
        """The expensive one."""
        second: toolkit.PartParams | None = None
        """Another cheap one: the first is sure where both agree, and not by its probabilities."""
        sure_of: Literal["mean", "least"] = "mean"
        """Of a generated answer's tokens, whose probability counts: their (geometric) mean, or the
        least. A chosen label has a probability of its own."""

        @model_validator(mode="after")
        def _agrees(self) -> Self:
            known: dict[str, Part] = {}
            for key in ("cheap", "second", "dear"):
                if (named := getattr(self, key)) is None:
                    continue
                part = toolkit.part_of(named)
                if part in known.values():
                    other = next(name for name, one in known.items() if one == part)
                    raise ValueError(
                        f"`{other}` and `{key}` are the same ({toolkit.in_words(part)})"
                        " → name another strategy or model for one of them"
                    )
                known[key] = part
            if self.second is not None:
                self.refuse_idle("sure_of", why="second: …")
            return self

    @classmethod
    def parts(cls, params: Params) -> tuple[Part, ...]:
        """Return all its strategies."""
        return tuple(toolkit.part_of(named) for _, named in named_in(params))

    @classmethod
    def needs(cls, params: Params) -> frozenset[str]:
        """Labelled rows to set the threshold on."""
        return super().needs(params) | {"validation"}

    @classmethod
    def floors(cls, params: Params) -> tuple[Floor, ...]:
        """Return its cheap part, unless that has a model of its own to load."""
        cheap = toolkit.part_of(params.cheap)
        if cheap.model is not None:
            return ()
        means = "asking the expensive one gains nothing here"
        return (Floor(cheap.strategy, cheap.params, "its cheap part alone", means),)

    @classmethod
    def estimate(cls, params: Params, prospect: Prospect) -> Estimate:
        """Declare all parts' work; the expensive one answers all queries, at the most."""
        validation = replace(prospect, queries=prospect.validation.queries)
        fit: list[Work] = []
        serve: list[Work] = []
        for part in cls.parts(params):
            here, chosen = (
                by_model(prospect.part(part.strategy, part.params, asked), part.model)
                for asked in (prospect, validation)
            )
            if here.fit is None or here.serve is None:
                return Estimate()
            fit += [*here.fit, *(chosen.serve or ())]
            serve += here.serve
        return Estimate(fit=tuple(fit), serve=tuple(serve))

    def fit(self, train: Split, validation: Split, artifact: Path) -> None:
        """Fit all and set the threshold on validation rows.

        Raises:
            StrategyError: nothing says how sure the cheap one is; the expensive one is not trained
                then. Or one of them failed on all validation rows.
        """
        found: dict[str, list[Prediction]] = {}
        for role, named in named_in(self.params):
            found[role] = self._fitted(role, train, validation, artifact)
            check_answers(role, toolkit.part_of(named).strategy, found[role])
            if role == "cheap" and self.params.second is None:
                check_sureness(toolkit.part_of(named).strategy, found[role])
        sure = self._sureness(found["cheap"], found.get("second"))
        threshold = self._threshold(found["cheap"], sure, found["dear"], validation)
        (artifact / "threshold.json").write_text(json.dumps(threshold))

    def load(self, artifact: Path) -> None:
        """Load all and read the threshold."""
        self.served = {role: self._built(role) for role, _ in named_in(self.params)}
        for role, part in self.served.items():
            part.load(artifact / role)
        self.threshold = json.loads((artifact / "threshold.json").read_text())

    def predict(self, queries: Sequence[Query]) -> list[Prediction]:
        """Answer cheaply, and ask the expensive one where that is not sure enough."""
        predictions, second = self._asked("cheap", queries), None
        if "second" in self.served:
            second = self._asked("second", queries)
            pairs = zip(predictions, second, strict=True)
            predictions = [with_earlier(other, given) for given, other in pairs]
        sure = self._sureness(predictions, second)
        unsure = [n for n, value in enumerate(sure) if value < self.threshold]
        if unsure:
            asked = self._asked("dear", [queries[n] for n in unsure])
            for n, prediction in zip(unsure, asked, strict=True):
                given = with_earlier(predictions[n], prediction)
                notes = (*prediction.notes, "the expensive one answered")
                predictions[n] = replace(given, notes=notes)
        return predictions

    def _built(self, role: Role) -> Strategy:
        part = toolkit.part_of(getattr(self.params, role))
        # Hosted models are asked how likely their tokens are where that decides.
        logprobs = role == "cheap" and self.params.second is None
        return self.context.build(part.strategy, part.params, role, part.model, logprobs=logprobs)

    def _fitted(
        self, role: Role, train: Split, validation: Split, artifact: Path
    ) -> list[Prediction]:
        """Fit one of them and return its answers to the validation rows."""
        folder = artifact / role
        folder.mkdir(exist_ok=True)
        self._built(role).fit(train, validation, folder)
        served = self._built(role)
        served.load(folder)
        return surviving(served.predict, validation.queries)

    def _asked(self, role: Role, queries: Sequence[Query]) -> list[Prediction]:
        """Return a part's answers, with figures that can be added to another part's.

        A row that the cheap one fails on is the expensive one's, as it was when the threshold was
        set. Beside answers of a server or a file, one that was made here costs nothing elsewhere;
        one of a file says all that is known of it.
        """
        part = self.served[role]
        answers = surviving(part.predict, queries)
        models = [self.context.model, *self.context.models.values()]
        hosted = any(model is not None and model.hosted is not None for model in models)
        elsewhere = hosted or any(one.replays for one in self.served.values())
        if part.replays or not elsewhere:
            return answers
        return [made_here(answer) for answer in answers]

    def _sureness(
        self, cheap: Sequence[Prediction], second: Sequence[Prediction] | None
    ) -> list[float]:
        """Return how sure the cheap one is of each answer, from 0 to 1, or `NEVER`."""
        if second is None:
            return [sureness(answer, self.params.sure_of) for answer in cheap]
        agreed = toolkit.agreement(cheap, second, self.context.task)
        return [NEVER if a.error else value for a, value in zip(cheap, agreed, strict=True)]

    def _threshold(
        self,
        cheap: Sequence[Prediction],
        sure: Sequence[float],
        expensive: Sequence[Prediction],
        validation: Split,
    ) -> float:
        """Return the threshold of the best score; of equals, the one that costs least.

        The risk–coverage curve (Geifman & El-Yaniv 2017, arXiv 1705.08500) goes to the log:
        the share that the cheap one answers, and how much of the score among those is missing.
        """
        if not len(validation):
            self.context.note("chosen", f"{UNSET}: there are no validation rows to set it on")
            return UNSET
        best = (-1.0, 0.0)
        for step, threshold in enumerate(thresholds(sure), start=1):
            kept = [value >= threshold for value in sure]
            mixed = [c if keep else e for c, e, keep in zip(cheap, expensive, kept, strict=True)]
            score = self.context.metric(mixed, validation)
            self.context.log(
                step=step,
                threshold=threshold,
                coverage=sum(kept) / len(kept),
                risk=self._risk(cheap, kept, validation),
                score=score,
            )
            if threshold > NEVER:  # what the cheap one fails on is never its own
                best = max(best, (score, -threshold))
        score, threshold = best[0], -best[1]
        asked = sum(value < threshold for value in sure)
        of = "a probability" if self.params.second is None else "an agreement"
        self.context.note(
            "chosen",
            f"the expensive one is asked below {of} of {threshold:.3f}:"
            f" {asked} of {len(sure)} validation rows, {score:.3f}",
        )
        return threshold

    def _risk(self, cheap: Sequence[Prediction], kept: Sequence[bool], validation: Split) -> float:
        """Return the share of wrong answers among those that the cheap one keeps.

        Of texts and JSON, which are right in part, it is what the metric lacks to 1; a metric of
        another scale (BLEU, chrF) has no such share, and 0 stands in the log.
        """
        places = [place for place, keep in enumerate(kept) if keep]
        if not places:
            return 0.0
        answers = [cheap[place] for place in places]
        rows = Split(validation.name, tuple(validation.examples[place] for place in places))
        if self.context.task.answer_kind == "choice":
            right = toolkit.right_choices(answers, rows, self.context.task)
            return sum(not good for good in right) / len(right)
        return max(0.0, 1.0 - self.context.metric(answers, rows))


def thresholds(sure: Sequence[float]) -> Iterator[float]:
    """Yield thresholds to try: just below each value, and one that no value reaches.

    Values that lie closer than rounding may move them share one: on a threshold between them, or
    exactly on one, an answer would depend on the rows that it was computed with. Where values
    stand so close for long, as those of many rows near 1 do, a threshold stands every few
    roundings, in the middle between two values.
    """
    tried = below = -inf
    for value in sorted(set(sure)):
        if value - tried > 2 * ROUNDING:
            yield NEVER if value <= NEVER else value - min(ROUNDING, (value - below) / 2)
            tried = value
        below = value
    yield 2.0


def named_in(params: Cascade.Params) -> list[tuple[Role, toolkit.PartParams]]:
    """Return which strategy plays each role, in the order of asking."""
    roles: tuple[Role, ...] = ("cheap", "second", "dear")
    found = ((role, getattr(params, role)) for role in roles)
    return [(role, named) for role, named in found if named is not None]


def check_sureness(name: str, answers: Sequence[Prediction]) -> None:
    """Check that something says how sure a cheap part is of its answers to validation rows.

    Raises:
        StrategyError: nothing does: the threshold could only ask the other always or never.
    """
    if not answers or any(sureness(answer, "mean") > NEVER for answer in answers):
        return
    raise StrategyError(
        f"the cheap part of the cascade, '{name}', gives no probabilities, neither of labels nor of"
        " the tokens that it writes, so nothing says when it is sure → name one as `cheap` that"
        " gives them (tfidf, or one that uses the weights of a model), or name another cheap one"
        " as `second`: the first is sure where both agree"
    )


def check_answers(role: Role, name: str, answers: Sequence[Prediction]) -> None:
    """Check that a part answers validation rows at all.

    Raises:
        StrategyError: it failed on each: a threshold set on that would leave the part out for good.
    """
    failed = [answer.error for answer in answers if answer.error]
    if failed and len(failed) == len(answers):
        called = {"dear": "expensive", "second": "second cheap"}.get(role, role)
        raise StrategyError(
            f"the {called} part of the cascade, '{name}', failed on all {len(failed)} validation"
            f" rows, on the first with: {failed[0]}"
        )


def sureness(prediction: Prediction, of: Literal["mean", "least"]) -> float:
    """Return the probability of the likeliest label, else that of the tokens of a written answer.

    An answer without any is never sure.

    Args:
        prediction: the answer.
        of: whether the tokens' geometric mean counts, or the least of them.
    """
    if prediction.error:
        return NEVER
    if prediction.label_logprobs:
        return exp(max(prediction.label_logprobs.values()))
    written = prediction.mean_logprob if of == "mean" else prediction.least_logprob
    return NEVER if written is None else exp(written)
