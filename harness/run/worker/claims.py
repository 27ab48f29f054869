"""What a prediction says of itself: times, prices, tokens and probabilities that can be true.

An answer whose figures cannot be is a failed item with the reason: a negative price would make an
arm look cheap, and one NaN makes every sum over items unknown. Knows nothing of how answers came
about. `strategies/predictions.py` holds the lines of a file to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from math import isfinite
from numbers import Real
from typing import Any, TypeGuard

from harness.types import Prediction

ALMOST_0 = 1e-6
"""Above 0 by as much a logarithm of a probability may be, having been rounded."""
AMOUNTS = {"wall_s": "seconds", "usd": "a price"}
COUNTS = ("prompt_tokens", "cached_tokens", "output_tokens")


def held_to_account(prediction: Prediction) -> Prediction:
    """Return a prediction; one that says of itself what cannot be is a failed item instead."""
    problem = next(_problems(prediction), None)
    return prediction if problem is None else Prediction("", error=problem)


def is_amount(value: object) -> bool:
    """Tell whether a value is a finite number that is not negative."""
    return _is_number(value) and 0 <= value < float("inf")


def is_log_probability(value: object) -> bool:
    """Tell whether a value can be the natural logarithm of a probability above 0."""
    return _is_number(value) and isfinite(value) and value <= ALMOST_0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def _problems(prediction: Prediction) -> Iterator[str]:
    """Yield what cannot be true, with the value and what to write instead."""
    given: dict[str, Any] = {
        each.name: getattr(prediction, each.name) for each in fields(Prediction)
    }
    for name, what in AMOUNTS.items():
        if given[name] is not None and not is_amount(given[name]):
            yield f"{name}: {given[name]!r} is not {what} → a finite number of at least 0, or None"
    for name in COUNTS:
        if given[name] is not None and (type(given[name]) is not int or given[name] < 0):
            yield f"{name}: {given[name]!r} is no number of tokens → an int of at least 0, or None"
    logprobs = given["label_logprobs"]
    if logprobs is not None and not isinstance(logprobs, Mapping):
        yield f"label_logprobs: {type(logprobs).__name__} → a mapping of labels to logarithms"
        return
    for label, value in (logprobs or {}).items():
        if not isinstance(label, str) or not is_log_probability(value):
            yield (
                f"label_logprobs: {label!r}: {value!r} is not the natural logarithm of a"
                " probability → a finite number of at most 0; leave out a label of probability 0"
            )
