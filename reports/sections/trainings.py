"""The trainings of arms that were trained several times: each by itself, and what is shipped."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import ArmResult, Comparison, Training, Trainings, ordered, trainings_text
from harness.wording import numbers
from reports.section import Section, Table, Text, items
from reports.sections.arms import scored

NOTE = (
    "A seed decides how weights begin and the order of rows; seed 0 learns from train and"
    " validation as they are given, any other one from the same rows cut anew, so that scores"
    " differ as they would between trainings. Test rows are the same. An arm's score in the tables"
    " above is the mean over its seeds, of the method; its interval holds what test rows and seeds"
    " add, that of one training the test rows alone."
)
COST_NOTE = (
    "Preparation and cost in the tables above are of one training: what the mean score takes."
    " Preparation to ship the best of several = trainings × preparation of one; what was searched"
    " was searched once."
)


def trainings(comparison: Comparison) -> Section | None:
    """Each training of each arm that has several, their spread, and the one to ship."""
    found = [(row, row.trainings) for row in ordered(comparison) if row.trainings]
    if not found:
        return None
    metric = str(comparison.task["metric"])
    headings = ("arm", "seed", "rows", "validation", f"{metric} (95% interval)", "shipped")
    lines = tuple((row.strategy, *_training(one, each)) for row, each in found for one in each.each)
    blocks = (
        Table(headings, lines),
        items(*(text for row, each in found for text in _told(row, each))),
        Text(NOTE, small=True),
        Text(COST_NOTE, small=True),
    )
    row, each = found[0]
    finding = f"{trainings_text(row.strategy, each)}."
    return Section("trainings", "G", "Trainings", blocks, finding, closed=True)


def _training(one: Training, of: Trainings) -> tuple[str, ...]:
    validation = numbers.score(one.validation)
    if one.validation is not None:
        validation += f" on {one.validation_n} rows"
    return (
        f"{one.seed}",
        "cut anew" if one.cut_anew else "as given",
        validation,
        scored(one.score),
        "yes" if one.seed == of.shipped else "",
    )


def _told(row: ArmResult, each: Trainings) -> Iterator[str]:
    takes = [numbers.duration(each.fit_wall_s)]
    takes += [numbers.usd(each.fit_usd)] if each.fit_usd is not None else []
    why = f" ({each.unchosen})" if each.unchosen else ""
    yield (
        f"{trainings_text(row.strategy, each)}{why}. Choosing it took all {len(each.each)}"
        f" trainings: {', '.join(takes)} of preparation."
    )
