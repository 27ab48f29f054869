"""Checks one arm against each hard limit and each need of the task.

A limit is never dropped: what is unknown does not meet it. Knows neither the other arms nor the
verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from harness.analysis.performance.measured import Peaks
from harness.analysis.recorded_task import Limits, Needs
from harness.analysis.schema.comparison import Check
from harness.strategy import OFFERS
from harness.types import ModelRef
from harness.wording import numbers

State = Literal["met", "missed", "unknown"]
WORST_FIRST: tuple[State, ...] = ("missed", "unknown", "met")
Interval = tuple[float, float, float]
"""A value and its 95% bounds."""


class Measured(NamedTuple):
    """What limits are checked against; None: not known."""

    score: tuple[float, float | None, float | None]
    """Value and interval of the primary metric."""
    p95_s: Interval | None = None
    """95th percentile of latency."""
    serving: Peaks = Peaks(None)
    """Peak memory of serving."""
    fitting: Peaks = Peaks(None)
    """Peak memory of preparation."""
    usd_per_1k: float | None = None
    """Money for 1,000 requests, as the task serves."""


def state_of(key: str, limit: float, value: float | None) -> State:
    """Return how a value stands to a limit of the task file, both in its unit.

    Args:
        key: the limit's key, "max_p95_ms"; `min_…` is a floor.
        limit: what the task file says.
        value: what was measured; None does not meet it.
    """
    if value is None:
        return "unknown"
    met = value >= limit if key.startswith("min_") else value <= limit
    return "met" if met else "missed"


def limit_checks(limits: Limits, measured: Measured) -> Iterator[Check]:
    """Yield one check for each limit that the task sets."""
    if limits.min_score is not None:
        yield _at_least(limits.min_score, measured.score)
    if limits.max_p95_ms is not None:
        remedy = " → give `wall_s`, the seconds it took, with each answer of its file"
        limit = _Limit("max_p95_ms", "p95", limits.max_p95_ms / 1000, numbers.duration)
        yield _at_most(limit, measured.p95_s, remedy)
    for key, what, gib, peaks in (
        ("max_serve_memory_gib", "serving memory", limits.max_serve_memory_gib, measured.serving),
        ("max_fit_memory_gib", "preparation memory", limits.max_fit_memory_gib, measured.fitting),
    ):
        if gib is not None:
            limit = _Limit(key, f"{what}{peaks.place}", gib * numbers.GIB, _size)
            yield _at_most(limit, _exactly(peaks.limited_bytes), ": not measured")
    if limits.max_usd_per_1k is not None:
        remedy = (
            " → give a price row that stands for this machine (prices), or a hosted model's token"
            " prices (model)"
        )
        limit = _Limit("max_usd_per_1k", "1,000 requests:", limits.max_usd_per_1k, numbers.usd)
        yield _at_most(limit, _exactly(measured.usd_per_1k), remedy)


def need_checks(
    needs: Needs, provides: tuple[str, ...], models: Sequence[ModelRef]
) -> Iterator[Check]:
    """Yield one check for each thing that the task needs and an arm may offer.

    Args:
        needs: the task's `needs`.
        provides: what the arm offers.
        models: every model that it uses.
    """
    for key, words in OFFERS.items():
        if needs.asks_for(key):
            offered = key in provides
            yield Check(
                key=f"needs.{key}",
                text=f"{'offers' if offered else 'does not offer'} {words} (needs.{key})",
                state="met" if offered else "missed",
            )
    if needs.licence and models:
        yield _licence_check(needs.licence, models)


class _Limit(NamedTuple):
    """A limit that a figure may not exceed."""

    key: str
    what: str
    at_most: float
    text: Callable[[float], str]


def _size(size_bytes: float) -> str:
    return numbers.size(int(size_bytes))


def _exactly(value: float | None) -> Interval | None:
    """Return a figure that has no interval."""
    return None if value is None else (value, value, value)


def _at_least(floor: float, score: tuple[float, float | None, float | None]) -> Check:
    value, low, high = score
    return Check(
        key="limits.min_score",
        text=f"score {numbers.score(value)} (at least {numbers.score(floor)} required)",
        state=state_of("min_score", floor, value),
        borderline=low is not None and high is not None and low <= floor <= high,
        excess=None if value >= floor else (floor - value) / max(abs(floor), 1e-9),
    )


def _at_most(limit: _Limit, measured: Interval | None, remedy: str) -> Check:
    key, allowed = f"limits.{limit.key}", f"(at most {limit.text(limit.at_most)} allowed)"
    if measured is None:
        text = f"{limit.what} unknown {allowed}{remedy}"
        return Check(key=key, text=text, state="unknown")
    value, low, high = measured
    state = state_of(limit.key, limit.at_most, value)
    over = (value - limit.at_most) / max(limit.at_most, 1e-12)
    return Check(
        key=key,
        text=f"{limit.what} {limit.text(value)} {allowed}",
        state=state,
        borderline=low < high and low <= limit.at_most <= high,
        excess=None if state == "met" else over,
    )


def _licence_check(allowed: list[str], models: Sequence[ModelRef]) -> Check:
    """Check every model's licence against those allowed; the text names all that do not meet it."""
    key, found = "needs.licence", [_licence_of(model, allowed) for model in models]
    state = next(state for state in WORST_FIRST if any(each == state for each, _ in found))
    named = [text for each, text in found if each != "met" or state == "met"]
    return Check(key=key, text=f"{'; '.join(named)} ({key})", state=state)


def _licence_of(model: ModelRef, allowed: list[str]) -> tuple[State, str]:
    """Return how one model's licence stands to those allowed, and the same in words."""
    wanted = f"the task needs {' or '.join(allowed)}"
    if model.licence is None:
        remedy = (
            "write `licence:` under the task's model"
            if model.hosted
            else "its metadata must give it, as `license:` in the front matter of its README.md or"
            " as `general.license` in a GGUF file"
        )
        return "unknown", f"the licence of {model.name} is unknown, and {wanted} → {remedy}"
    met = model.licence.casefold() in {licence.casefold() for licence in allowed}
    text = f"the licence of {model.name} is {model.licence}, and {wanted}"
    return "met" if met else "missed", text
