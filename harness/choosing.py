"""Chooses a setting on validation rows, the same way in every strategy, and says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from harness.types import Context, Prediction, Split

Choice = TypeVar("Choice")


def best_on_validation(
    context: Context,
    what: str,
    candidates: Mapping[str, Choice],
    predict: Callable[[Choice], Sequence[Prediction]],
    validation: Split,
) -> Choice:
    """Return the candidate whose answers to the validation rows score highest.

    Of equals the first is taken: name the cheapest first. Without validation rows, or with one
    candidate, the first is taken unseen. The record says what was chosen, and the scores.

    Args:
        context: gives the task's metric; is told what was chosen.
        what: the setting's name, e.g. "shots".
        candidates: name to candidate; at least one.
        predict: answers `validation.queries` with a candidate.
        validation: the rows to choose on.
    """
    names = list(candidates)
    if len(names) == 1:
        return candidates[names[0]]
    if not len(validation):
        context.note("chosen", f"{what} = {names[0]}: there are no validation rows to choose on")
        return candidates[names[0]]
    scores = {
        name: context.metric(predict(candidate), validation)
        for name, candidate in candidates.items()
    }
    best = max(names, key=lambda name: scores[name])
    shown = ", ".join(f"{name}: {score:.3f}" for name, score in scores.items())
    context.note("chosen", f"{what} = {best} on {len(validation)} validation rows ({shown})")
    return candidates[best]
