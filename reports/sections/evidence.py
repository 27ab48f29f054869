"""What the verdict rests on: who fell short, gaps, differences, what the test set can show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.analysis import ArmResult, Comparison, Difference, Resolution, Score, ordered, status
from harness.wording import numbers
from reports.plots.power import power_plot
from reports.section import Beside, Block, Item, Items, Section, Table, Text, items
from reports.sections.arms import scored

COUNTED = {
    "unread": "could not be read",
    "cut": "cut",
    "invalid_json": "invalid JSON",
    "empty": "empty",
}
"""What may be wrong with answers, by the field that counts it, as the table's headings say it."""


def reasons(comparison: Comparison) -> Section:
    """Why the verdict is what it is."""
    block = items(*comparison.recommendation.reasons)
    return Section("reasons", "C", "Why", (block,), weight=1)


def rejected(comparison: Comparison) -> Section:
    """Why each other arm was not chosen."""
    whys = comparison.recommendation.rejected.items()
    lines = [Item(why, term=name) for name, why in whys] or [Item("No arm was rejected.")]
    block = items(*lines)
    title = "Why the others were not chosen"
    return Section("rejected", "C", title, (block,), _counts(comparison), closed=True, weight=1)


def answers_read(comparison: Comparison) -> Section | None:
    """How many answers of each arm say nothing that could be right."""
    rows = [(row, row.answers) for row in ordered(comparison) if row.answers is not None]
    apply = [
        name for name in COUNTED if any(getattr(counts, name) is not None for _, counts in rows)
    ]
    if not apply:
        return None
    lines = tuple(
        (
            row.strategy,
            f"{counts.n}",
            *(_counted(getattr(counts, name), counts.n) for name in apply),
            f"{row.failed_items}",
        )
        for row, counts in rows
    )
    headings = ("arm", "answers", *(COUNTED[name] for name in apply), "failed")
    note = Text(
        "Answers to all test rows, of every seed. Cut: generation ended at max_new_tokens. All arms"
        f" are read alike. {numbers.NOT_MEASURED} means that it does not apply, as where a label"
        " is chosen and nothing is generated, or that nobody said it.",
        small=True,
    )
    title = "How answers were read"
    return Section("answers", "E", title, (Table(headings, lines), note), closed=True)


def gaps(comparison: Comparison) -> Section | None:
    """Each arm's gap to the best of the others, and its further metrics."""
    lines = tuple(
        Item("; ".join([_gap(row), *map(_further, row.also)]), term=row.strategy)
        for row in ordered(comparison)
        if row.score
    )
    note = Text(
        "Gap to the best other arm, in points, with 95% bounds. Positive: this arm is worse. The"
        " upper bounds hold for all arms together, the lower ones for each arm by itself.",
        small=True,
    )
    if not lines:
        return None
    finding = "The bounds that the verdict rests on, of all arms together."
    blocks = (note, Items(lines))
    return Section("gaps", "I", "Gaps and further metrics", blocks, finding, closed=True)


def differences(comparison: Comparison) -> Section | None:
    """How each arm differs from the chosen one, pair by pair."""
    found = comparison.differences
    if not found:
        return None
    blocks: list[Block] = [
        Text("In points, each pair by itself, 95% intervals.", small=True),
        Items(tuple(Item(_difference(one), term=one.strategy) for one in found)),
    ]
    if any(one.mcnemar_p is not None for one in found):
        note = "p is of the exact McNemar test, a footnote: the verdict does not use it."
        blocks.append(Text(note, small=True))
    title = f"Difference of each arm to {comparison.recommendation.choice}"
    finding = (
        "Each pair by itself; the verdict compares all arms together, so its bounds are wider."
    )
    return Section("differences", "I", title, tuple(blocks), finding, closed=True)


def resolution(comparison: Comparison) -> Section | None:
    """What this test set can show of the leading arms."""
    lines = list(_resolution(comparison))
    if not lines:
        return None
    drawn = power_plot(comparison)
    if drawn is None:
        return Section("power", "I", "What this test set can show", (items(*lines),), closed=True)
    blocks = (Beside((drawn, items(*lines))),)
    return Section("power", "I", "What this test set can show", blocks, drawn.finding)


def _counts(comparison: Comparison) -> str:
    """Return how many of the other arms have each status."""
    others = [
        row for row in ordered(comparison) if row.strategy in comparison.recommendation.rejected
    ]
    found = Counter(status(row, comparison) for row in others)
    return ", ".join(f"{n} {said}" for said, n in found.items()) + "." if found else ""


def _counted(count: int | None, n: int) -> str:
    """Return a number of answers with its share."""
    if count is None:
        return numbers.NOT_MEASURED
    return f"{count} ({numbers.percent(count / n)})" if count and n else f"{count}"


def _gap(row: ArmResult) -> str:
    gap = row.gap_to_best
    if gap.value is None or gap.low is None or gap.high is None:
        return numbers.NOT_MEASURED
    low, high = 100 * gap.low, 100 * gap.high
    return f"{100 * gap.value:+.1f} ({low:+.1f} to {high:+.1f}) against {gap.to}"


def _further(score: Score) -> str:
    if score.value is None:
        return f"{score.metric} {numbers.NOT_MEASURED} ({score.undefined})"
    return f"{score.metric} {scored(score)}"


def _difference(one: Difference) -> str:
    low, high = 100 * one.ci_low, 100 * one.ci_high
    exact = "" if one.mcnemar_p is None else f"; {numbers.p_value(one.mcnemar_p)}"
    return f"{100 * one.value:+.1f} ({low:+.1f} to {high:+.1f}){exact}"


def _resolution(comparison: Comparison) -> Iterator[str]:
    """Yield what the test set can show of the two leading arms; nothing of a single arm."""
    found = comparison.resolution
    if found is None:
        return
    differ = ""
    if found.discordance is not None:
        share = numbers.percent(found.discordance)
        differ = f"; just one of them is right on {share} of the rows"
    yield f"The leading arms are {found.first} and {found.second}{differ}."
    yield (
        f"{numbers.count(found.n)} test rows detect a difference of"
        f" {numbers.points(found.smallest_difference)} between them with 80% power."
    )
    yield (
        f"If the two were equal, these rows would confirm a margin of"
        f" {numbers.points(found.smallest_margin)} with 80% power."
    )
    yield _separation(found)
    if train_n := comparison.run["data"]["train_n"]:
        yield (
            f"More training rows were not tried: every arm that learns from them had all"
            f" {numbers.count(train_n)}."
        )


def _separation(found: Resolution) -> str:
    looks = f"{numbers.points(found.difference)}"
    if found.separated:
        text = (
            f"As a pair by themselves they are significantly different: the 95% interval of the"
            f" difference of {looks} excludes 0."
        )
        if found.significant is False:
            many = (found.compared or 0) > 2
            wider = f"allows for comparing {found.compared} arms" if many else "asks for more"
            text += f" The verdict {wider}, so there they are not."
        return text
    if found.rows_to_separate is None:
        return "They score the same: no number of rows would show a difference."
    more = numbers.count(found.rows_to_separate - found.n)
    total = numbers.count(found.rows_to_separate)
    return (
        f"If the difference is what it looks like ({looks}), about {total} test rows would show it:"
        f" {more} more.{_one_sided(found)}"
    )


def _one_sided(found: Resolution) -> str:
    """Say why the verdict calls the second arm worse though the pair's own interval contains 0."""
    if not found.significant:
        return ""
    return (
        f" The verdict asks only whether {found.second} is worse, not whether the two differ either"
        " way, and that is significant."
    )
