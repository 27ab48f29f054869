"""What a test set can show of the leading arms, and what more rows would, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import Comparison, Resolution
from harness.wording import numbers


def resolution(comparison: Comparison) -> Iterator[str]:
    """Yield how finely the test set tells the leading arms apart; nothing of a single arm."""
    found = comparison.resolution
    if found is None:
        return
    differ = ""
    if found.discordance is not None:
        share = numbers.percent(found.discordance)
        differ = f", of which just one is right on {share} of the rows"
    yield f"The leading arms are {found.first} and {found.second}{differ}."
    yield (
        f"The smallest difference between them that {numbers.count(found.n)} test rows show, four"
        f" times in five: {numbers.points(found.smallest_difference)}."
    )
    yield (
        "The smallest margin that they certify, four times in five, were the two equal:"
        f" {numbers.points(found.smallest_margin)}."
    )
    yield _separation(found)
    if train_n := comparison.run["data"]["train_n"]:
        yield (
            "What more training rows would bring was not measured: whoever learns from them was"
            f" given all {numbers.count(train_n)}."
        )


def _separation(found: Resolution) -> str:
    looks = f"{numbers.points(found.difference)}"
    if found.separated:
        text = (
            "Taken as a pair by themselves they are told apart: the 95 % interval of the difference"
            f" of {looks} excludes 0."
        )
        if found.significant is False:
            many = (found.compared or 0) > 2
            wider = f"allows for having compared {found.compared} arms" if many else "asks for more"
            text += f" The verdict, which {wider}, does not tell them apart."
        return text
    if found.rows_to_separate is None:
        return "They score the same: no number of rows would tell such arms apart."
    more = numbers.count(found.rows_to_separate - found.n)
    total = numbers.count(found.rows_to_separate)
    return (
        f"To tell them apart, if the difference is what it looks like ({looks}), takes about"
        f" {total} test rows: {more} more.{_one_sided(found)}"
    )


def _one_sided(found: Resolution) -> str:
    """Say why the verdict calls the second arm worse, where the pair's own interval holds 0."""
    if not found.significant:
        return ""
    return (
        f" The verdict asks only whether {found.second} is worse, not which way the two differ, and"
        " that is shown."
    )
