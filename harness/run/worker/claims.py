"""What a prediction says of itself: times, prices, tokens and probabilities that can be true.

An answer whose figures cannot be is a failed item with the reason: a negative price would make an
arm look cheap, and one NaN makes every sum over items unknown. Knows nothing of how answers came
about. `strategies/predictions.py` holds the lines of a file to the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from itertools import chain
from math import isfinite
from numbers import Real
from typing import Any, TypeGuard

from harness.errors import shortened
from harness.types import Conversation, Prediction, Prompt, RunningText

ALMOST_0 = 1e-6
"""Above 0 by as much a logarithm of a probability may be, having been rounded."""
AMOUNTS = {"wall_s": "seconds", "usd": "a price"}
MOST_CHARACTERS = 1_000_000
"""Of an answer: several times what a context of today holds."""
MOST_PROMPT = 10_000_000
MOST_SOURCES = 1_000
MOST_NOTES = 20
COUNTS = ("prompt_tokens", "cached_tokens", "output_tokens")


def held_to_account(prediction: Prediction) -> Prediction:
    """Return a prediction; one that says of itself what cannot be is a failed item instead.

    Its error and its notes are kept up to a length, and what is more is counted.
    """
    problem = next(chain(_wrong_texts(prediction), _problems(prediction)), None)
    if problem is not None:
        return Prediction("", error=shortened(problem))
    error, notes = prediction.error, prediction.notes
    if error is None and not notes:
        return prediction
    kept = tuple(shortened(note) for note in notes[:MOST_NOTES])
    more = (f"{len(notes) - MOST_NOTES} more notes",) if len(notes) > MOST_NOTES else ()
    error = None if error is None else shortened(error)
    return replace(prediction, error=error, notes=kept + more)


def is_amount(value: object) -> bool:
    """Tell whether a value is a finite number that is not negative."""
    return _is_number(value) and 0 <= value < float("inf")


def is_log_probability(value: object) -> bool:
    """Tell whether a value can be the natural logarithm of a probability above 0."""
    return _is_number(value) and isfinite(value) and value <= ALMOST_0


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, Real) and not isinstance(value, bool)


def _wrong_texts(prediction: Prediction) -> Iterator[str]:
    """Yield which texts are none, or longer than anybody reads."""
    sources, ends = prediction.sources, prediction.finish_reason
    if len(prediction.text) > MOST_CHARACTERS:
        yield f"its answer has {len(prediction.text):,} characters, of {MOST_CHARACTERS:,} at most"
    prompt = _texts_of(prediction.prompt)
    if not (prompt is None or isinstance(prompt, str) or _are_texts(prompt)):
        yield f"prompt: {type(prompt).__name__} → a text, a tuple of texts, RunningText, or None"
    elif prompt is not None and sum(map(len, prompt)) > MOST_PROMPT:
        yield f"prompt: longer than {MOST_PROMPT:,} characters"
    if sources is not None and not _are_texts(sources):
        yield f"sources: {type(sources).__name__} → a tuple of documents' ids, or None"
    elif len(sources or ()) > MOST_SOURCES:
        yield f"sources: {len(sources or ()):,} documents, of {MOST_SOURCES:,} at most"
    if not _are_texts(prediction.notes):
        yield "notes: → a tuple of texts"
    if prediction.error is not None and not isinstance(prediction.error, str):
        yield f"error: {type(prediction.error).__name__} → a text, or None"
    if ends not in (None, "stop", "length"):
        yield f"finish_reason: {shortened(repr(ends), 100)} → stop, length, or None"


def _texts_of(prompt: Prompt | None) -> str | tuple[str, ...] | None:
    """Return the texts of a prompt; whatever else somebody gave for one, as it is."""
    if isinstance(prompt, RunningText):
        return (prompt.text, prompt.end)
    if isinstance(prompt, Conversation):
        return (prompt.system, *prompt.turns)
    return prompt


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)


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
    for name in ("mean_logprob", "least_logprob"):
        if given[name] is not None and not is_log_probability(given[name]):
            yield (
                f"{name}: {given[name]!r} is not the natural logarithm of a probability → a finite"
                " number of at most 0, or None"
            )
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
