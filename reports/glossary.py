"""The words of a report that a reader may not know, each in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterator

from harness import metrics
from harness.analysis import ArmResult, Comparison
from harness.errors import UnknownNameError
from harness.wording import numbers

DOUBT = "†"
"""Stands beside an interval that is not to be trusted."""
OWN_METRIC = (
    "the task's own measure: what an answer is worth, from 0 to 1, by a function in that file; its"
    " mean over the rows"
)
F1 = (
    "from 0 to 1, high only where precision (of what is answered, the share that is right) and"
    " recall (of what is right, the share that is answered) both are: their harmonic mean"
)


def glossary(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield each word that the report uses, and what it means there."""
    yield (
        "arm",
        "one approach to the task: a strategy with its parameters. All arms may learn from the same"
        " rows, and all answer the same test rows.",
    )
    yield from _metrics(comparison)
    yield (
        "95% interval",
        "if new test rows were drawn again and again, 95% of intervals computed this way would"
        " contain the true score.",
    )
    if any(_doubtful(row) for row in comparison.arms):
        yield (
            DOUBT,
            "too few rows, labels or seeds stand behind this interval to trust it.",
        )
    yield "points", "hundredths of a score: from 0.640 to 0.690 is 5 points."
    yield (
        "gap",
        "how many points an arm scores below the best of the others on the same rows; below 0 it"
        " leads. Upper bounds hold with 95% confidence for all arms together, lower bounds for each"
        " arm by itself.",
    )
    margin = numbers.points(comparison.task["margin"])
    yield (
        "margin",
        f"the gap that this task accepts for something cheaper or simpler: {margin}. An arm is"
        " within the margin if the test rows confirm that its gap is no larger, significantly worse"
        " if they show that it is not the best, and undecided if they show neither.",
    )
    yield from _verdict(comparison)
    yield (
        "p50, p95",
        "half of the requests, and 95% of them, were answered within this time. Cold: with nothing"
        " kept from an earlier request.",
    )
    yield (
        "throughput",
        "answers per second when all test rows are given in one call. Pay-per-use cost is computed"
        " from it.",
    )
    yield "preparation", "what an arm does once before it answers: training or indexing."
    yield "artifact", "what preparation leaves on disk, to be shipped to wherever the arm serves."
    if any(row.diagnostics.overfitting for row in comparison.arms):
        yield (
            "training loss, validation loss",
            "the training objective on the rows that a model learns from, and on rows held back:"
            " how improbable it finds the right answers. If the first falls while the second rises,"
            " the model overfits.",
        )
    if any(row.diagnostics.forgetting for row in comparison.arms):
        yield (
            "bits per byte",
            "how improbable a model finds a text, per byte; lower is better. If it rises with"
            " tuning, the model has forgotten some of what it knew.",
        )
    if any(row.diagnostics.calibration for row in comparison.arms):
        yield (
            "Brier score",
            "mean squared difference between an answer's probability and 1 if it is right, 0 if it"
            " is wrong; lower is better, and a coin gets 0.25.",
        )
        yield (
            "calibration error",
            "how far the probabilities of answers are from the share of them that is right, on"
            " average over ten groups of answers.",
        )


def _doubtful(row: ArmResult) -> bool:
    shown = (row.score, row.without_leaks, *row.also, *(s.score for s in row.slices))
    return any(score is not None and score.unreliable for score in shown)


def _metrics(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what each metric of the report is, the one that decides first."""
    further = (score.metric for row in comparison.arms for score in row.also)
    decides = str(comparison.task["metric"])
    found = {name: _summary(name) for name in dict.fromkeys([decides, *further])}
    for name, summary in found.items():
        yield name, f"{summary}.{' This score decides.' if name == decides else ''}"
    if any("F1" in summary for summary in found.values()):
        yield "F1", f"{F1}."


def _summary(name: str) -> str:
    try:
        return metrics.find(name).summary
    except UnknownNameError:  # a function in a file, which may be gone
        return OWN_METRIC


def _verdict(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield what the verdict's own words mean, where it uses them."""
    found = comparison.recommendation
    if found.verdict == "nothing_feasible" or any(row.misses for row in comparison.arms):
        yield "feasible", "meets every limit and every need of the task file."
    if found.provisional:
        yield "provisional", "the best choice so far; these test rows do not confirm it yet."
    if found.break_even:
        yield "break-even", "the number of requests at which two arms cost the same."
