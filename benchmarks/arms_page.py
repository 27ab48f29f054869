"""The page of arms beside their peers: each family's pooled difference, then every contest.

Pure: the same findings give the same page. A contest that was not run, or only in part, has a row
that says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from benchmarks.findings import Findings, Value
from harness.wording import numbers

if TYPE_CHECKING:
    from benchmarks.arms import Contest, Round

WORSE_BY = 0.02
"""How much worse than its peer a family may be at the most, with 95 % confidence."""
ONE_SIDED, TWO_SIDED = 1.645, 1.96
"""Quantiles of the normal distribution for bounds of 95 %."""
Rounds = Sequence["Round"]


@dataclass(frozen=True)
class Family:
    """What a family's arm is ahead of its peer, over the cuts on which both finished."""

    family: str
    cuts: int
    planned: int
    """Cuts on which it is to be held against its peer."""
    difference: float
    low: float
    """The lower bound of a one-sided interval of 95 %."""

    @property
    def holds(self) -> bool:
        """Whether it is shown not to be worse by more than `WORSE_BY`."""
        return self.low > -WORSE_BY


def pooled(findings: Mapping[str, Findings], rounds: Rounds) -> list[Family]:
    """Return each family's mean difference over cuts, and its bound.

    Cuts count alike and are independent, so variances add up; a cut's own is read off its paired
    interval.

    Args:
        findings: by the name of a round.
        rounds: all that there are to be.
    """
    planned: dict[str, list[Value | None]] = {}
    for round_ in rounds:
        for contest in round_.contests:
            value = _difference(findings.get(round_.name), contest)
            planned.setdefault(contest.family, []).append(value)
    found = []
    for family, of_cuts in planned.items():
        if not (values := [value for value in of_cuts if value is not None]):
            continue
        mean = sum(value.value for value in values) / len(values)
        errors = [(value.ci_high - value.ci_low) / (2 * TWO_SIDED) for value in values]
        error = sqrt(sum(each**2 for each in errors)) / len(errors)
        low = mean - ONE_SIDED * error
        found.append(Family(family, len(values), len(of_cuts), mean, low))
    return found


def _shown(family: Family) -> str:
    """Return whether it holds, in words: of some of its cuts nothing is claimed of the others."""
    said = "yes" if family.holds else "not shown"
    return said if family.cuts == family.planned else f"{said}, so far"


def drawn(findings: Mapping[str, Findings], rounds: Rounds) -> str:
    """Return the page, in Markdown."""
    families = [
        f"| {f.family} | {f.cuts} of {f.planned} | {_points(f.difference)} | {_points(f.low)}"
        f" | {_shown(f)} |"
        for f in pooled(findings, rounds)
    ]
    blocks = [
        "# Arms beside what a practitioner would use",
        "Drawn by `python -m benchmarks arms`: the same rows, base model and embedder on both"
        " sides. Differences are ours less the peer's, in points, on the same test rows. A family"
        f" holds if the lower bound of 95% of its pooled difference lies above −{WORSE_BY}.",
        _table("family | cuts run | pooled difference | at least | holds", families)
        if families
        else "No contest has been run yet.",
        "## Every contest",
        _table("cut | family | ours | | peer | | difference (95%)", list(_rows(findings, rounds))),
    ]
    if missing := [f"`{round_.name}`" for round_ in rounds if round_.name not in findings]:
        blocks.append(
            f"Not run yet: {', '.join(missing)}. `python -m benchmarks arms` goes on with them;"
            " `--only` and one of these names runs that one."
        )
    if said := list(_chosen(findings)):
        blocks += ["What peers chose on validation rows or by folds:", "\n".join(said)]
    when = sorted({f"{found.started_on} on {found.machine}" for found in findings.values()})
    if when:
        blocks.append(f"Run {'; '.join(when)}.")
    return "\n\n".join(blocks) + "\n"


def _table(heads: str, rows: Sequence[str]) -> str:
    """Return a table; its heads are given with bars between them."""
    return "\n".join([f"| {heads} |", "|---" * len(heads.split("|")) + "|", *rows])


def _rows(findings: Mapping[str, Findings], rounds: Rounds) -> Iterator[str]:
    for round_ in rounds:
        found = findings.get(round_.name)
        for contest in round_.contests:
            value = _difference(found, contest)
            shown = "–"
            if value is not None:
                low, high = _points(value.ci_low), _points(value.ci_high)
                shown = f"{_points(value.value)} ({low} to {high})"
            metric = f" ({found.metric})" if found else ""
            yield (
                f"| {round_.cut}{metric} | {contest.family}"
                f" | `{contest.name}` | {_score(found, contest.name)}"
                f" | `{contest.peer}` | {_score(found, contest.peer)} | {shown} |"
            )


def _chosen(findings: Mapping[str, Findings]) -> Iterator[str]:
    for name, found in findings.items():
        for peer, said in found.chosen.items():
            yield f"- `{peer}` for `{name}`: {said}"


def _difference(found: Findings | None, contest: Contest) -> Value | None:
    """Return how far our arm is ahead; None: one of the two has not finished."""
    return found.differences.get(contest.peer, {}).get(contest.name) if found else None


def _score(found: Findings | None, name: str) -> str:
    """Return an arm's score, or why there is none."""
    if found is None:
        return "not run"
    arm = next((arm for arm in found.arms if arm.name == name), None)
    return numbers.score(arm.score.value) if arm and arm.score else "did not finish"


def _points(difference: float) -> str:
    """Return a difference of two shares in points, with its sign."""
    return f"{100 * difference:+.1f}".replace("-", "−")
