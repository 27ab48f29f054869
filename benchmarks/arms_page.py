"""The page of arms beside their peers: each cut's difference, then each family's, pooled.

Pure: the same findings give the same page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from benchmarks.findings import Findings, Value
from harness.wording import numbers

if TYPE_CHECKING:
    from benchmarks.arms import Contest

WORSE_BY = 0.02
"""How much worse than its peer a family may be at the most, with 95 % confidence."""
ONE_SIDED, TWO_SIDED = 1.645, 1.96
"""Quantiles of the normal distribution for bounds of 95 %."""


@dataclass(frozen=True)
class Family:
    """What a family's arm is ahead of its peer, over the cuts on which both finished."""

    family: str
    cuts: int
    difference: float
    low: float
    """The lower bound of a one-sided interval of 95 %."""

    @property
    def holds(self) -> bool:
        """Whether it is shown not to be worse by more than `WORSE_BY`."""
        return self.low > -WORSE_BY


Contests = Mapping[str, Sequence["Contest"]]


def differences(
    findings: Mapping[str, Findings], contests: Contests
) -> Iterator[tuple[str, Contest, Value]]:
    """Yield each cut's contests with the paired difference, ours less the peer's."""
    for name, found in findings.items():
        for contest in contests[name]:
            value = found.differences.get(contest.peer, {}).get(contest.name)
            if value is not None:
                yield name, contest, value


def pooled(findings: Mapping[str, Findings], contests: Contests) -> list[Family]:
    """Return each family's mean difference over cuts, and its bound.

    Cuts count alike and are independent, so variances add up; a cut's own is read off its paired
    interval.
    """
    of_family: dict[str, list[Value]] = {}
    for _, contest, value in differences(findings, contests):
        of_family.setdefault(contest.family, []).append(value)
    found = []
    for family, values in of_family.items():
        mean = sum(value.value for value in values) / len(values)
        errors = [(value.ci_high - value.ci_low) / (2 * TWO_SIDED) for value in values]
        error = sqrt(sum(each**2 for each in errors)) / len(errors)
        found.append(Family(family, len(values), mean, mean - ONE_SIDED * error))
    return found


def drawn(findings: Mapping[str, Findings], contests: Contests) -> str:
    """Return the page, in Markdown."""
    lines = [
        f"| {f.family} | {f.cuts} | {_points(f.difference)} | {_points(f.low)}"
        f" | {'yes' if f.holds else 'not shown'} |"
        for f in pooled(findings, contests)
    ]
    missing = [f"`{name}`" for name in contests if name not in findings]
    blocks = [
        "# Arms beside what a practitioner would use",
        "Drawn by `python -m benchmarks arms`: the same rows, base model and embedder on both"
        " sides. Differences are ours less the peer's, in points, on the same test rows. A family"
        f" holds if the lower bound of 95 % of its pooled difference lies above −{WORSE_BY}.",
        "\n".join(
            [
                "| family | cuts | pooled difference | at least | holds |",
                "|---|---|---|---|---|",
                *lines,
            ]
        ),
        "## Every cut",
        "\n".join(
            [
                "| cut | family | ours | | peer | | difference (95 %) |",
                "|---|---|---|---|---|---|---|",
                *_rows(findings, contests),
            ]
        ),
    ]
    if missing:
        blocks.append(f"Cuts that have not been run yet: {', '.join(missing)}.")
    when = sorted({f"{found.started_on} on {found.machine}" for found in findings.values()})
    return "\n\n".join([*blocks, f"Run {'; '.join(when)}."]) + "\n"


def _rows(findings: Mapping[str, Findings], contests: Contests) -> Iterator[str]:
    for name, found in findings.items():
        values = {id(c): value for _, c, value in differences({name: found}, contests)}
        for contest in contests[name]:
            value = values.get(id(contest))
            shown = "–"
            if value is not None:
                low, high = _points(value.ci_low), _points(value.ci_high)
                shown = f"{_points(value.value)} ({low} to {high})"
            yield (
                f"| {name} ({found.metric}) | {contest.family}"
                f" | `{contest.name}` | {_score(found, contest.name)}"
                f" | `{contest.peer}` | {_score(found, contest.peer)} | {shown} |"
            )


def _score(found: Findings, name: str) -> str:
    """Return an arm's score, or why there is none."""
    arm = next((arm for arm in found.arms if arm.name == name), None)
    if arm is None:
        return "not run"
    return numbers.score(arm.score.value) if arm.score else "did not finish"


def _points(difference: float) -> str:
    """Return a difference of two shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")
