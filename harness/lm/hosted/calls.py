"""Keeps account of what hosted models answered in this process: time, and replays of it.

An answer that is replayed from the disk costs no waiting, though whoever asks a server for it
will wait. So each call says, beside how long it waited, how many seconds its replayed answers
stand for. Whoever times something adds those to its own clock. Knows nothing of who asks why.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from harness.types import Prediction


class Call(NamedTuple):
    """One call of a hosted model, of one or more requests."""

    waited_s: float
    """By our clock, while it was asked."""
    replayed_s: float
    """What the call would have taken beyond that if nothing had been replayed."""
    answers: tuple[Prediction, ...]
    """Those that were given, new or replayed, each with its own `wall_s`, `usd` and tokens."""


_CALLS: list[Call] = []


def hosted_calls() -> Sequence[Call]:
    """Return all calls of this process so far, in their order. It grows; nothing leaves it."""
    return _CALLS


def record(waited_s: float, answers: Sequence[Prediction], concurrency: int) -> None:
    """Keep account of a call.

    Args:
        waited_s: by our clock.
        answers: to its requests, in the order in which they were asked; failed ones included.
        concurrency: how many requests were under way at once, at most.
    """
    given = tuple(answer for answer in answers if not answer.error)
    whole_s = together_s([answer.wall_s or 0.0 for answer in given], concurrency)
    _CALLS.append(Call(waited_s, max(0.0, whole_s - waited_s), given))


def together_s(walls_s: Sequence[float], concurrency: int) -> float:
    """Return how long requests take together: each begins when one of the lanes is free.

    Args:
        walls_s: seconds of each request, in the order in which they are asked.
        concurrency: number of lanes.
    """
    free_at = [0.0] * max(1, concurrency)
    for wall_s in walls_s:
        heapq.heappush(free_at, heapq.heappop(free_at) + wall_s)
    return max(free_at)
