"""Whether answers depend on the order in which their queries are asked.

No order is part of a query: an arm that answers otherwise in another one is scored by the accident
of how the test file is sorted. Knows what counts as another answer, and asks again in the process
that served; nothing of what is done about it.
"""

from __future__ import annotations

import random
import reprlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

from harness.run.worker.predict import describe, predict_all
from harness.store.order_check import OrderCheck
from harness.strategy import Strategy
from harness.types import Prediction, Query

ROWS = 20
"""Test rows that are asked again: an arm of which one answer in seven depends on the order shows
it with 95% probability (1 − (6/7)^20)."""
LOGPROBS_WITHIN = 1e-4
"""By which a label's log-probability may move with the batch that it is computed in (float32)."""
ENDED_BEFORE = "the process ended before it was found"
ELSEWHERE = (
    "its answers come from elsewhere: to ask again would cost money, or replay what was kept"
)


@dataclass(frozen=True)
class Served:
    """A loaded strategy and what it answered to all test queries."""

    strategy: Strategy
    queries: Sequence[Query]
    predictions: Sequence[Prediction]
    replays: bool
    """Whether any of its answers were made elsewhere."""


def checked(served: Served) -> OrderCheck:
    """Ask some rows again, in reversed order, and compare; a failure is a reason, not an error."""
    if served.replays or _is_charged(served.predictions) or _asks_a_server():
        return OrderCheck(undefined=ELSEWHERE)
    n = len(served.queries)
    rows = sorted(random.Random(0).sample(range(n), min(ROWS, n)), reverse=True)
    some = [(served.queries[row], served.predictions[row]) for row in rows]
    try:
        again = predict_all(served.strategy, [query for query, _ in some])
    except Exception as problem:
        traceback.print_exc()
        return OrderCheck(undefined=f"asking again failed: {describe(problem)}")
    pairs = [(query.id, given, now) for (query, given), now in zip(some, again, strict=True)]
    moved = [logprob_change(given, now) for _, given, now in pairs]
    known = [change for change in moved if change is not None]
    return OrderCheck(
        asked=len(pairs),
        changed=tuple(row for row, given, now in pairs if differs(given, now)),
        largest_logprob_change=max(known, default=None),
    )


def differs(first: Prediction, second: Prediction) -> bool:
    """Tell whether two answers to one query are different answers."""
    return (first.text, first.sources, first.error is None) != (
        second.text,
        second.sources,
        second.error is None,
    )


def difference(first: Prediction, second: Prediction) -> str | None:
    """Return in which way two answers to one query differ, in words; None: they are the same.

    Probabilities may move by what the batch that they are computed in does to them.
    """
    if first.error != second.error or first.text != second.text:
        before, after = (reprlib.repr(one.error or one.text) for one in (first, second))
        return f"is {before} and becomes {after}"
    if first.sources != second.sources:
        before, after = (reprlib.repr(one.sources) for one in (first, second))
        return f"names the sources {before} and then {after}"
    change = logprob_change(first, second) or 0.0
    return f"changes by {change:.2g} in its label_logprobs" if change > LOGPROBS_WITHIN else None


def logprob_change(first: Prediction, second: Prediction) -> float | None:
    """Return the largest change of a label's log-probability between two answers.

    Returns:
        Natural logarithms; infinite where only one names a label, None where neither names any.
    """
    one, other = first.label_logprobs or {}, second.label_logprobs or {}
    none = float("-inf")
    pairs = [(one.get(label, none), other.get(label, none)) for label in {**one, **other}]
    return max((0.0 if a == b else abs(a - b) for a, b in pairs), default=None)


def _is_charged(predictions: Sequence[Prediction]) -> bool:
    """Tell whether somebody charged or timed answers that were made elsewhere."""
    return any(given.usd is not None or given.wall_s is not None for given in predictions)


def _asks_a_server() -> bool:
    """Tell whether this process has asked a hosted model."""
    lm = sys.modules.get("harness.lm")
    return lm is not None and any(model.hosted_at is not None for model in lm.loaded_models())
