"""Which way papers' findings go on a small model: the same arms, on cuts of public sets.

Every cut is a task that `python -m harness run` runs as it runs anybody's, in `runs/directions`; a
run that was interrupted goes on where it stopped. The page is drawn from the run folders alone.
No peer.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from benchmarks.cuts import FULL, QUICK, WRITERS
from benchmarks.papers import DIRECTIONS, Direction
from benchmarks.sides import NO_PEER, Sides
from harness import numbers
from harness.judge import Comparison, Difference, judge
from harness.judge.evidence import gather
from harness.judge.pairs import differences
from harness.runfolder import RunFolder

PACKAGES = ()
RUNS = Path("runs") / "directions"
PAGE = Path(__file__).parent / "directions.md"
QUICK_CUTS = ("banking77_10",)
QUICK_ARMS = ("tfidf", "zero_shot", "few_shot", "few_shot_nearest")
SAME = 0.05
"""Two arms are the same if their difference is shown to be smaller than this."""
REFERENCES = ("tfidf", "encoder_all")
"""The cheap contenders that all others stand beside, where a cut has them."""
REMARKS = {
    "one_billion": "A model of random weights: what it takes is meant, its scores mean nothing.",
    "hundred_thousand": "What a large corpus takes, and what is found among so many documents.",
}
"""What stands for a verdict where a cut is no contest."""
Found = Literal["as reported", "the other way", "not shown"]

Beside = Mapping[str, Mapping[str, Difference]]
"""Cheap contender to arm to how the arm differs from it."""


@dataclass(frozen=True)
class Outcome:
    """What became of a direction on one cut."""

    direction: Direction
    cut: str
    difference: Difference

    @property
    def found(self) -> Found:
        """Say whether the interval of the difference agrees with the paper."""
        low, high = self.difference.ci_low, self.difference.ci_high
        if self.direction.relation == "the same as":
            if low >= -SAME and high <= SAME:
                return "as reported"
            return "the other way" if low > 0 or high < 0 else "not shown"
        if low > 0:
            return "as reported"
        return "the other way" if high < 0 else "not shown"

    def sentence(self) -> str:
        """Say what did not reproduce."""
        wanted, difference = self.direction, self.difference
        reported = f"{wanted.paper}: {wanted.says}"
        how = {
            "the other way": "Here it is the other way round",
            "not shown": "Here the interval allows either",
            "as reported": "So it is here",
        }[self.found]
        return (
            f"{reported}. {how}: on `{self.cut}` `{wanted.arm}` differs from `{wanted.than}` by"
            f" {_signed(difference)} {difference.metric}."
        )


def run(sides: Sides) -> dict[str, Any]:
    """Run every cut, or go on with it, and draw the page; there is no other side."""
    names = QUICK_CUTS if sides.quick else tuple(WRITERS)
    size = QUICK if sides.quick else FULL
    root = RUNS / "quick" if sides.quick else RUNS
    page = root / "directions.md" if sides.quick else PAGE
    outcomes: list[Outcome] = []
    for name in names:
        task = WRITERS[name](root / "tasks" / name, size)
        only = ["--only", *QUICK_ARMS] if sides.quick else []
        sides.say(f"{name}: {task}")
        command = [sys.executable, "-m", "harness", "run", str(task), "--out", str(root / name)]
        ended = subprocess.run([*command, *only], check=False, stdout=sys.stderr)
        sides.say(f"{name} ended with code {ended.returncode}")
        outcomes = draw(root, page)
    return {
        **NO_PEER,
        "outcomes": [
            {
                "cut": outcome.cut,
                "arm": outcome.direction.arm,
                "relation": outcome.direction.relation,
                "than": outcome.direction.than,
                "found": outcome.found,
                **outcome.difference.model_dump(exclude={"strategy"}),
            }
            for outcome in outcomes
        ],
    }


def draw(root: Path, page: Path) -> list[Outcome]:
    """Draw the page from what the cuts' runs have come to so far."""
    folders = {name: RunFolder(root / name) for name in WRITERS}
    begun = {name: folder for name, folder in folders.items() if folder.truth.is_file()}
    outcomes = list(tested(begun))
    if begun:
        comparisons = {name: judge(folder) for name, folder in begun.items()}
        beside = {name: beside_references(folder) for name, folder in begun.items()}
        page.write_text(drawn(comparisons, outcomes, beside), encoding="utf-8")
    return outcomes


def tested(folders: Mapping[str, RunFolder]) -> Iterator[Outcome]:
    """Hold every direction against the cuts where both arms finished."""
    evidence = {name: gather(folder) for name, folder in folders.items()}
    for direction in DIRECTIONS:
        for cut in direction.cuts:
            beside = differences(evidence[cut], direction.than) if cut in evidence else ()
            for difference in beside:
                if difference.strategy == direction.arm:
                    yield Outcome(direction, cut, difference)


def beside_references(folder: RunFolder) -> Beside:
    """Return how every arm of a cut differs from each cheap contender that finished."""
    evidence = gather(folder)
    found = {name: differences(evidence, name) for name in REFERENCES}
    return {name: {d.strategy: d for d in rows} for name, rows in found.items() if rows}


def drawn(
    comparisons: Mapping[str, Comparison],
    outcomes: Sequence[Outcome],
    beside: Mapping[str, Beside],
) -> str:
    """Return the page: directions beside what was found, then every cut's table."""
    machine = next(iter(comparisons.values())).machine
    blocks = [
        "# Directions that papers report, on a model of 135 million weights",
        "Drawn by `python -m benchmarks directions` from runs of the cuts in `cuts.py`, each by"
        f" `python -m harness run`, on {machine.cores} cores of {machine.cpu_model}"
        f"{f' with {machine.gpu}' if machine.gpu else ''}. A difference is of the"
        " same test items, with its 95 % interval; it agrees with a paper if all of the interval"
        f" does, and two arms are the same if all of it is within ±{SAME}. Papers mostly report"
        " larger models: what does not reproduce here speaks of this size and these few rows.",
        "\n".join(
            [
                "| paper | reports | cut | difference | found |",
                "|---|---|---|---|---|",
                *map(_line, outcomes),
            ]
        ),
        "## What did not reproduce",
        "\n".join(f"- {o.sentence()}" for o in outcomes if o.found != "as reported")
        or "Everything that was tested did.",
    ]
    if missing := [f"`{name}`" for name in WRITERS if name not in comparisons]:
        blocks.append(f"Cuts that have not been run yet: {', '.join(missing)}.")
    for name, comparison in comparisons.items():
        said = REMARKS.get(name, comparison.recommendation.headline)
        blocks += [f"## `{name}`", f"{said} {_when(comparison)}", _table(comparison, beside[name])]
    return "\n\n".join(blocks) + "\n"


def _when(comparison: Comparison) -> str:
    """Say what a cut's arms were run with: some may have finished in an earlier run."""
    day, commit = comparison.run["started_at"][:10], comparison.run["git_commit"]
    return f"Last run on {day}, {f'at commit `{commit[:7]}`' if commit else 'at no commit'}."


def _line(outcome: Outcome) -> str:
    wanted = outcome.direction
    claim = f"{wanted.says}: `{wanted.arm}` {wanted.relation} `{wanted.than}`"
    difference = f"{_signed(outcome.difference)} {outcome.difference.metric}"
    return f"| {wanted.paper} | {claim} | `{outcome.cut}` | {difference} | {outcome.found} |"


def _signed(found: Difference) -> str:
    return f"{found.value:+.3f} ({found.ci_low:+.3f} to {found.ci_high:+.3f})"


def _table(comparison: Comparison, beside: Beside) -> str:
    """Scores, and what each arm takes; no times: a cut may be run on a machine with other work."""
    heads = ["arm", comparison.task["metric"], *(f"beside `{name}`" for name in beside)]
    heads += ["peak memory in fitting", "in serving", "artifact"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in comparison.rows:
        if row.score is None or row.score.value is None:
            empty = " |" * (len(heads) - 2)
            lines.append(f"| `{row.strategy}` | {row.status}: {row.error} |{empty}")
            continue
        cells = [
            f"`{row.strategy}`",
            f"{row.score.value:.3f} ({numbers.interval(row.score.ci_low, row.score.ci_high)})",
            *(_signed(of[row.strategy]) if row.strategy in of else "" for of in beside.values()),
            numbers.size(row.fit_peak_bytes),
            numbers.size(row.predict_peak_bytes),
            numbers.size(row.artifact_bytes),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    loaded = {text: row.strategy for row in reversed(comparison.rows) for text in row.models}
    models = [f"- `{arm}`: {text}" for text, arm in reversed(loaded.items())]
    return "\n".join([*lines, *(["", "Models as loaded:", "", *models] if models else [])])
