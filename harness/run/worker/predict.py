"""Lets a strategy answer, and holds it to its contract: one failing item fails no other.

What answers take and cost is accounted for here, in `clock.py`: no strategy keeps a clock.
"""

from __future__ import annotations

import copy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from harness.errors import FOR_ALL_ITEMS, HarnessError, StrategyError, shortened
from harness.files.guarded import shown_safely
from harness.files.refusals import is_refusal, says_full, words_of
from harness.run.worker.claims import held_to_account, is_amount
from harness.run.worker.clock import Clock, accounted
from harness.strategy import Strategy
from harness.types import Prediction, Query
from harness.wording.visible import visible


def predict_all(
    strategy: Strategy, queries: Sequence[Query], replays: bool = False
) -> list[Prediction]:
    """Answer all queries in one call; if that fails, one at a time, a failing one with its error.

    Args:
        strategy: a loaded one.
        queries: what to answer.
        replays: whether it or a part of it gives answers that were made elsewhere.

    Returns:
        One prediction a query, in order, with what it took and cost where a hosted model answered.

    Raises:
        StrategyError: the strategy returned something other than one Prediction a query.
        EndpointError, CacheError: the hosted model it asks is out of reach, or nothing it answers
            can be kept: for the other items too.
    """
    try:
        return _answered(strategy, queries, replays)
    except (StrategyError, *FOR_ALL_ITEMS):
        raise
    except Exception as problem:
        if not queries:
            raise
        _say(traceback.format_exc())
        _say(f"the batch failed ({describe(problem)}); one item at a time now")
    predictions = []
    for query in queries:
        try:
            predictions += _answered(strategy, [query], replays)
        except FOR_ALL_ITEMS:
            raise
        except Exception as problem:
            predictions.append(Prediction("", error=describe(problem)))
    return predictions


def _say(text: str) -> None:
    """Tell on standard error, which is a terminal where new inputs are answered."""
    print(visible(text.rstrip("\n")), file=sys.stderr)


def describe(problem: BaseException, written: Sequence[Path] = ()) -> str:
    """Return an exception as one line: its message if it is ours, else with its type.

    What the system refused is said with the place and the remedy.

    Args:
        problem: what was raised.
        written: folders that may have been written to.
    """
    try:
        if isinstance(problem, HarnessError):
            return shortened(str(problem))
        if isinstance(problem, Exception) and (is_refusal(problem) or says_full(problem)):
            return words_of(problem, written=written)
        return shortened(f"{type(problem).__name__}: {problem}".strip())
    except Exception:  # words of somebody else's may fail
        return type(problem).__name__


def _answered(strategy: Strategy, queries: Sequence[Query], replays: bool) -> list[Prediction]:
    """Let a strategy predict, and hold it to its contract."""
    given, n = copy.deepcopy(list(queries)), len(queries)
    with Clock() as clock:
        returned = strategy.predict(given)
    if given != list(queries):
        raise StrategyError("predict changed its queries")
    if not isinstance(returned, Sequence):
        raise StrategyError(f"predict returned {type(returned).__name__}, not a sequence")
    predictions = list(returned)
    if len(predictions) != n:
        raise StrategyError(f"predict returned {len(predictions)} predictions for {n} queries")
    for prediction in predictions:
        if not isinstance(prediction, Prediction) or not isinstance(prediction.text, str):
            raise StrategyError(
                f"predict returned {shown_safely(prediction)} where a Prediction was due"
            )
        prediction.text.encode()  # half a surrogate pair is no text: that item fails, here
    return accounted(strategy, [*map(held_to_account, predictions)], clock, replays)


def timed(strategy: Strategy, query: Query) -> float:
    """Return the seconds that a single request takes; one that fails is timed too.

    By our clock, and what replayed answers of a hosted model stand for. An answer that was made
    elsewhere without our client says its own time (`Prediction.wall_s`), if it can be one.
    """
    given = [copy.deepcopy(query)]  # so that what it does to one is found in `predict`
    said_s = None
    try:
        with Clock() as clock:
            said_s = strategy.predict(given)[0].wall_s
    except FOR_ALL_ITEMS:
        raise
    except Exception:
        _say(traceback.format_exc())  # the item will fail again, and be recorded, in `predict`
    if clock.calls or not said_s or not is_amount(said_s):
        return clock.wall_s
    return float(said_s)
