"""Times what a strategy does: our clock, and what hosted models answered meanwhile.

A strategy keeps no clock. Its hosted answers may be replayed from the disk, and one answer of its
own may rest on several of a server's; so the harness adds up here what each took and cost, from
the account that the client of hosted models keeps (`harness/lm/hosted/calls.py`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.strategy import Strategy
from harness.types import Prediction

if TYPE_CHECKING:
    from harness.lm import Call

FIGURES = ("wall_s", "usd", "prompt_tokens", "cached_tokens", "output_tokens")
"""Fields of a prediction that say what it took and cost elsewhere."""
ROUNDING = 1e-9
"""Share by which a sum of floats may fall short of the same sum in another order."""


class Clock:
    """Measures what happens inside its `with`, whether or not that ends in an error."""

    def __enter__(self) -> Clock:
        """Begin."""
        self._before = len(_hosted_calls())
        self._begin = time.perf_counter()
        return self

    def __exit__(self, *problem: object) -> None:
        """End."""
        self._wall_s = time.perf_counter() - self._begin
        self.calls = _hosted_calls()[self._before :]

    @property
    def replayed_s(self) -> float:
        """Seconds that replayed answers stand for and that nobody waited now."""
        return sum(call.replayed_s for call in self.calls)

    @property
    def wall_s(self) -> float:
        """Seconds that it took, as if nothing had been replayed."""
        return self._wall_s + self.replayed_s

    @property
    def own_s(self) -> float:
        """Seconds that were spent here, not waiting for servers."""
        return max(0.0, self._wall_s - sum(call.waited_s for call in self.calls))

    @property
    def answers(self) -> list[Prediction]:
        """What hosted models answered."""
        return [answer for call in self.calls for answer in call.answers]


def accounted(
    strategy: Strategy, predictions: Sequence[Prediction], clock: Clock, replays: bool
) -> list[Prediction]:
    """Return predictions with what they took and cost, where some were answered elsewhere.

    A prediction that was made here alone has no figures of its own: what the harness measures of
    the whole process counts. One of a strategy that `replays` keeps its own figures.

    Args:
        strategy: who predicted.
        predictions: its answers to one call, not yet accounted for.
        clock: of that call.
        replays: whether the strategy or a part of it replays answers; what those do not say is
            unknown, so nothing may be filled in.
    """
    model = strategy.context.model
    hosted = bool(clock.calls) or (model is not None and model.hosted is not None)
    if strategy.replays or not (hosted or replays):
        return list(predictions)
    if hosted and not replays:
        predictions = _with_all_that_was_asked(predictions, clock.answers)
    # What was done here (retrieval, say, or a cheaper model) is part of each answer's time.
    share_s = clock.own_s / max(1, len(predictions))
    return [
        given if given.wall_s is None else replace(given, wall_s=given.wall_s + share_s)
        for given in predictions
    ]


def _with_all_that_was_asked(
    predictions: Sequence[Prediction], asked: Sequence[Prediction]
) -> list[Prediction]:
    """Return predictions whose figures, added up, are those of all answers that were asked for.

    A strategy that passes a server's answers on, each by its prediction, has done so already. One
    that asks several times for an answer has not: what no prediction says is shared out evenly.
    Failed items stay as they are.
    """
    given = [prediction for prediction in predictions if not prediction.error]
    whole_s = sum(answer.wall_s or 0.0 for answer in asked)
    said_s = sum(prediction.wall_s or 0.0 for prediction in given)
    if said_s >= whole_s * (1 - ROUNDING):
        return [_made_here(p) if p.wall_s is None and not p.error else p for p in predictions]
    if any(answer.cached_tokens is not None for answer in asked):
        # A server that says nothing of kept tokens has kept none, as for its charge.
        asked = [replace(answer, cached_tokens=answer.cached_tokens or 0) for answer in asked]
    shares: dict[str, list[Any]] = {
        name: _shared_out([getattr(p, name) for p in given], [getattr(a, name) for a in asked])
        for name in FIGURES
    }
    whole = iter(
        replace(prediction, **{name: values[place] for name, values in shares.items()})
        for place, prediction in enumerate(given)
    )
    return [prediction if prediction.error else next(whole) for prediction in predictions]


def _made_here(prediction: Prediction) -> Prediction:
    """Return an answer for which no server was asked: it cost nothing beside those that it was."""
    nothing: dict[str, Any] = {"wall_s": 0.0, "usd": 0.0, "prompt_tokens": 0, "output_tokens": 0}
    return replace(prediction, **{k: v for k, v in nothing.items() if not getattr(prediction, k)})


def _shared_out(said: Sequence[Any], asked: Sequence[Any]) -> list[Any]:
    """Return one figure of each prediction, so that together they are what was asked for.

    Args:
        said: what the predictions say of it.
        asked: what the server's answers say of it; one that is unknown makes the sum unknown.
    """
    if None in asked:
        return [None] * len(said)
    known = [value or 0 for value in said]
    rest = max(0, sum(asked) - sum(known))
    if isinstance(rest, float):
        return [value + rest / len(said) for value in known]
    each, left = divmod(rest, len(said))  # tokens are whole: the first ones get one more
    return [value + each + (place < left) for place, value in enumerate(known)]


def _hosted_calls() -> Sequence[Call]:
    """Return the account, without loading the engine for a strategy that does not use it."""
    engine = sys.modules.get("harness.lm")
    return engine.hosted_calls() if engine else ()
