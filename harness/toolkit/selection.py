"""Chooses what strategies choose: demonstrations by seed, settings on validation rows.

The same way in every strategy, and the record says what was chosen.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from harness.errors import FOR_ALL_ITEMS
from harness.types import Context, Example, Prediction, Query, Split

Choice = TypeVar("Choice")


def best_on_validation(
    context: Context,
    what: str,
    candidates: Mapping[str, Choice],
    predict: Callable[[Choice], Sequence[Prediction]],
    validation: Split,
    cheapest_first: bool = False,
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
        cheapest_first: whether the others cost more to serve: then the first stays unless another's
            lead is larger than its standard error, as a lead on few rows is mostly luck.
    """
    names = list(candidates)
    if len(names) == 1:
        return candidates[names[0]]
    if not len(validation):
        context.note("chosen", f"{what} = {names[0]}: there are no validation rows to choose on")
        return candidates[names[0]]
    answers = {name: predict(candidate) for name, candidate in candidates.items()}
    scores = {name: context.metric(given, validation) for name, given in answers.items()}
    best, first, kept = max(names, key=lambda name: scores[name]), names[0], ""
    if cheapest_first and best != first:
        error = context.lead_error(answers[best], answers[first], validation)
        if scores[best] - scores[first] <= error:
            best, kept = first, f": {best} leads by no more than a standard error ({error:.3f})"
    shown = ", ".join(f"{name}: {score:.3f}" for name, score in scores.items())
    context.note("chosen", f"{what} = {best} on {len(validation)} validation rows ({shown}){kept}")
    return candidates[best]


def best_strength(
    context: Context,
    fitted: Mapping[float, Choice],
    predict: Callable[[Choice], Sequence[Prediction]],
    validation: Split,
) -> float:
    """Return the C whose classifier answers the validation rows best; say if it ends the grid.

    Args:
        context: as for `best_on_validation`.
        fitted: C to classifier.
        predict: answers the validation rows with one.
        validation: the rows to choose on.
    """
    answers = {strength: predict(one) for strength, one in fitted.items()}
    named = {f"{strength:g}": strength for strength in fitted}
    chosen = best_on_validation(context, "C", named, answers.__getitem__, validation)
    if len(validation):
        scores = {c: context.metric(given, validation) for c, given in answers.items()}
        tell_of_edge(context, scores, chosen)
    return chosen


def tell_of_edge(context: Context, scores: Mapping[float, float], chosen: float) -> None:
    """Leave a remark where the best of a grid is its first or last, and better than its neighbour.

    Args:
        context: is told.
        scores: C to score.
        chosen: the C that was taken.
    """
    grid = sorted(scores)
    edges = {grid[0]: grid[1:2], grid[-1]: grid[-2:-1]}
    if any(scores[chosen] > scores[neighbour] for neighbour in edges.get(chosen, [])):
        end, further = ("largest", "larger") if chosen == grid[-1] else ("smallest", "smaller")
        what = f"C = {chosen:g} is the {end} that was tried"
        context.note("chosen", f"{what} → add {further} ones to inverse_regularisation")


def learnable(context: Context, refit: bool, train: Split, validation: Split) -> Split | None:
    """Return training and validation rows together, for what learns from both in the end.

    Args:
        context: says whether validation rows are held out; is told what was done.
        refit: whether the user wants it.
        train: the training rows.
        validation: those that settings were chosen on.

    Returns:
        None where validation rows are not to be learnt from, or there are none.
    """
    if not refit or not len(validation):
        return None
    if context.holds_out_validation:
        why = "the arm that it is a part of asks for its answers to them"
        context.note(
            "refit", f"it learns nothing from the {len(validation)} validation rows: {why}"
        )
        return None
    both = len(train) + len(validation)
    context.note("refit", f"trained again on all {both} labelled rows, validation rows included")
    return Split("train and validation", (*train, *validation))


def some(rows: Split, most: int, seed: int) -> Split:
    """Return a seeded sample of rows, in their order: a file may be sorted by its answers."""
    if len(rows) <= most:
        return rows
    places = sorted(random.Random(seed).sample(range(len(rows)), most))
    return Split(rows.name, tuple(rows.examples[place] for place in places))


def showable(rows: Split) -> list[Example]:
    """Return the rows that any asker may be shown: those of no group."""
    return [row for row in rows if not row.query.groups]


def tell_of_fewer(context: Context, rows: Sequence[Example], shots: int) -> None:
    """Leave a remark for the record where there are fewer rows to show than were asked for."""
    if len(rows) < shots:
        what = "training rows that all may be shown"
        context.note("shots", f"only {len(rows)} {what}, for {shots} shots")


def demonstrations(
    rows: Sequence[Example], shots: int, seed: int, balanced: bool = False
) -> list[Example]:
    """Draw rows to show; the same number and seed give the same rows to every strategy.

    Args:
        rows: to draw from; all of them where there are fewer than `shots`.
        shots: how many.
        seed: decides which, and their order.
        balanced: whether the answers take turns.
    """
    order = random.Random(seed)
    rows = list(rows)
    order.shuffle(rows)
    if balanced:
        turns: dict[str, int] = defaultdict(int)
        keyed = []
        for row in rows:
            keyed.append((turns[row.targets[0]], row))
            turns[row.targets[0]] += 1
        rows = [row for _, row in sorted(keyed, key=lambda item: item[0])]
    drawn = rows[:shots]
    order.shuffle(drawn)
    return drawn


def surviving(
    answer: Callable[[Sequence[Query]], Sequence[Prediction]], queries: Sequence[Query]
) -> list[Prediction]:
    """Answer all queries at once; if that fails, one by one, a failing one with its error.

    So does the harness with the test rows: one row that is too long must not end a fit.
    """
    try:
        return list(answer(queries))
    except FOR_ALL_ITEMS:
        raise
    except Exception:
        return [_alone(answer, query) for query in queries]


def _alone(answer: Callable[[Sequence[Query]], Sequence[Prediction]], query: Query) -> Prediction:
    try:
        return answer([query])[0]
    except Exception as problem:
        return Prediction("", error=f"{type(problem).__name__}: {problem}")
