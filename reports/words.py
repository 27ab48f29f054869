"""The words of a report that its reader need not know, each in a sentence or two."""

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


def words(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """Yield each word that the report uses, and what it means there."""
    yield (
        "arm",
        "one way of doing the task. All arms may learn from the same rows, and answer the same"
        " test rows.",
    )
    yield from _metrics(comparison)
    yield (
        "95 % interval",
        "the range in which the true figure lies, as far as these rows tell: 95 times in 100.",
    )
    if any(_doubtful(row) for row in comparison.arms):
        yield (
            DOUBT,
            "so few rows, labels or seeds stand behind this interval that it is not to be trusted.",
        )
    yield "points", "hundredths of a score: from 0.640 to 0.690 is 5 points."
    yield (
        "loss",
        "by how many points an arm scores below the best of the others on the same rows; below 0"
        " it leads. What it may be at the most is said with 95 % confidence for all arms together,"
        " what it is at the least for each arm by itself.",
    )
    margin = numbers.points(comparison.task["margin"])
    yield (
        "margin",
        f"the loss that this task accepts for something cheaper or simpler: {margin}. Test rows"
        " certify it where they are enough to show that a loss is no larger, and settle an arm"
        " where they show that or that the arm is worse than the best.",
    )
    yield from _verdict(comparison)
    yield (
        "p50, p95",
        "half of the requests, and 95 in 100, were answered within this time; cold: with nothing"
        " kept from an earlier request.",
    )
    yield (
        "throughput",
        "answers a second where all test rows are given in one call; cost counts the seconds that"
        " requests take by it.",
    )
    yield "fitting", "all that an arm does once, before it answers: training, or building an index."
    yield "artifact", "what fitting leaves on disk, to be shipped to wherever the arm serves."
    if any(row.diagnostics.overfitting for row in comparison.arms):
        yield (
            "training loss, validation loss",
            "how improbable a model finds the right answers, on the rows that it learns from and on"
            " rows held back. Where the first falls and the second rises, it learns by heart:"
            " overfitting.",
        )
    if any(row.diagnostics.forgetting for row in comparison.arms):
        yield (
            "bits per byte",
            "how improbable a model finds a text, for each of its bytes: more after tuning than"
            " before, and it has forgotten some of what it knew.",
        )
    if any(row.diagnostics.calibration for row in comparison.arms):
        yield (
            "Brier score",
            "mean squared difference between the probability that an arm gives its answer and 1"
            " where that is right, 0 where it is wrong: less is better, 0.25 is a coin's.",
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
        yield "provisional", "the best choice so far; these test rows do not show yet that it is."
    if found.break_even:
        yield "break-even", "the number of requests at which two arms cost the same."
