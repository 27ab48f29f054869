"""Holds each hard limit and each need of the task against one arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from harness.analysis.performance.memory import Peaks
from harness.analysis.schema.comparison import Check
from harness.strategy import OFFERS
from harness.types import ModelRef
from harness.wording import numbers

GIB = 2**30
State = Literal["met", "missed", "unknown"]
WORST_FIRST: tuple[State, ...] = ("missed", "unknown", "met")


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


def limit_checks(
    limits: dict[str, Any],
    score: tuple[float, float | None, float | None],
    p95_s: tuple[float, float, float] | None,
    serving: Peaks,
    fitting: Peaks,
    usd_per_1k: float | None,
) -> Iterator[Check]:
    """Yield one check for each limit that the task sets.

    Args:
        limits: the task's `limits`.
        score: value and interval of the primary metric.
        p95_s: value and interval of the 95th percentile of latency.
        serving: peak memory of serving.
        fitting: peak memory of fitting.
        usd_per_1k: money for 1,000 requests, as the task serves.
    """
    if (floor := limits["min_score"]) is not None:
        value, low, high = score
        yield Check(
            key="limits.min_score",
            text=f"score {numbers.score(value)} against at least {numbers.score(floor)}",
            state=state_of("min_score", floor, value),
            borderline=low is not None and high is not None and low <= floor <= high,
            excess=None if value >= floor else (floor - value) / max(abs(floor), 1e-9),
        )
    if (limit := limits["max_p95_ms"]) is not None:
        remedy = "not known: give `wall_s`, the seconds it took, with each answer of its file"
        yield _at_most("max_p95_ms", "p95", limit / 1000, p95_s, numbers.duration, remedy)
    for key, what, peaks in (
        ("max_serve_memory_gib", "serving memory", serving),
        ("max_fit_memory_gib", "fitting memory", fitting),
    ):
        if (limit := limits[key]) is not None:
            measured = peaks.limited_bytes
            found = None if measured is None else (measured, measured, measured)
            yield _at_most(
                key,
                f"{what}{peaks.place}",
                limit * GIB,
                found,
                lambda b: numbers.size(int(b)),
                "not measured",
            )
    if (limit := limits["max_usd_per_1k"]) is not None:
        money = None if usd_per_1k is None else (usd_per_1k, usd_per_1k, usd_per_1k)
        remedy = (
            "unknown: give a price row that stands for this machine (prices), or a hosted model's"
            " token prices (model)"
        )
        yield _at_most("max_usd_per_1k", "1,000 requests cost", limit, money, numbers.usd, remedy)


def need_checks(
    needs: dict[str, Any], provides: tuple[str, ...], models: Sequence[ModelRef]
) -> Iterator[Check]:
    """Yield one check for each thing that the task needs and an arm may offer.

    Args:
        needs: the task's `needs`.
        provides: what the arm offers.
        models: every model that it uses.
    """
    for key, words in OFFERS.items():
        if needs[key]:
            offered = key in provides
            yield Check(
                key=f"needs.{key}",
                text=f"{'offers' if offered else 'does not offer'} {words} (needs.{key})",
                state="met" if offered else "missed",
            )
    if (allowed := needs.get("licence")) and models:
        yield _licence_check(allowed, models)


def _licence_check(allowed: list[str], models: Sequence[ModelRef]) -> Check:
    """Hold every model's licence against those allowed; the text names all that do not meet it."""
    key, found = "needs.licence", [_licence_of(model, allowed) for model in models]
    state = next(state for state in WORST_FIRST if any(each == state for each, _ in found))
    told = [text for each, text in found if each != "met" or state == "met"]
    return Check(key=key, text=f"{'; '.join(told)} ({key})", state=state)


def _licence_of(model: ModelRef, allowed: list[str]) -> tuple[State, str]:
    """Return how one model's licence stands to those allowed, and the same in words."""
    wanted = " or ".join(allowed)
    if model.licence is None:
        remedy = (
            "write `licence:` under the task's model"
            if model.hosted
            else "its metadata must say it, `license:` in the front matter of its README.md or"
            " `general.license` in a GGUF file"
        )
        return "unknown", f"the licence of {model.name} is not known, needed is {wanted}: {remedy}"
    met = model.licence.casefold() in {licence.casefold() for licence in allowed}
    text = f"the licence of {model.name} is {model.licence}, needed is {wanted}"
    return "met" if met else "missed", text


def _at_most(
    key: str,
    what: str,
    limit: float,
    measured: tuple[float, float, float] | None,
    text: Any,
    remedy: str,
) -> Check:
    if measured is None:
        return Check(
            key=f"limits.{key}", text=f"{what} {remedy}, limit {text(limit)}", state="unknown"
        )
    value, low, high = measured
    state = state_of(key, limit, value)
    return Check(
        key=f"limits.{key}",
        text=f"{what} {text(value)} against at most {text(limit)}",
        state=state,
        borderline=low < high and low <= limit <= high,
        excess=None if state == "met" else (value - limit) / max(limit, 1e-12),
    )
