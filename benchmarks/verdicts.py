"""How often the whole rule errs: simulated contests between arms whose true scores are known.

A thousand contests of each kind: equal arms, one better, one cheaper and slightly worse. The rule
and its bounds are those of the report, with 2,000 resamples in place of 10,000. Needs no model;
no peer.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.populations import Array, alike_arms, with_ones
from benchmarks.sides import NO_PEER, Sides
from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import ArmFigures
from harness.metrics import find
from harness.stats.bootstrap import Resamples, bootstrap, item_counts
from harness.stats.mcb import MultipleComparisons

PACKAGES = ()
MODEL = None
CONTESTS, QUICK_CONTESTS = 1_000, 200
RESAMPLES = 2_000
MARGIN = 0.05
SHARED = 0.6
"""Correlation between what two arms find hard: at accuracy .85 they differ on 15 % of the rows."""
BOUND = 0.05
"""What the rule allows itself: the confidence of its bounds is 95 %."""


@dataclass(frozen=True)
class Kind:
    """A kind of contest."""

    name: str
    accuracies: tuple[float, ...]
    """The true ones, from the cheapest arm to the dearest."""
    equal_costs: bool = False
    """All cost the same; they differ in how simple they are."""

    def ending(self, choice: int) -> str:
        """Say what it is to choose this arm.

        Right is the cheapest of those truly within the margin of the best. Wrong is one that is
        not within it, or one beside which a cheaper one is as good as the best: both rest on
        something shown that is not so. Any other one is dearer than needed, though truly better.
        """
        losses = [round(max(self.accuracies) - one, 9) for one in self.accuracies]
        if losses[choice] >= MARGIN or 0 in losses[:choice]:
            return "wrong"
        return "dearer" if min(losses[:choice], default=1) < MARGIN else "right"


KINDS = (
    Kind("two equal arms", (0.85, 0.85)),
    Kind("four equal arms", (0.85,) * 4),
    Kind("four equal arms at one cost", (0.85,) * 4, equal_costs=True),
    Kind("the dearest of three 12 points better", (0.78, 0.78, 0.90)),
    Kind("the cheaper 2 points worse: within the margin", (0.86, 0.88)),
    Kind("the cheaper 5 points worse: just the margin", (0.83, 0.88)),
    Kind("the cheaper 8 points worse: outside the margin", (0.80, 0.88)),
    Kind("four arms, 13, 8, 1 and 0 points worse, the better the dearer", (0.75, 0.80, 0.87, 0.88)),
)


def run(sides: Sides) -> dict[str, Any]:
    """Hold the contests; there is no other side."""
    times = QUICK_CONTESTS if sides.quick else CONTESTS
    found = []
    for n in (100, 300, 1000):
        for number, kind in enumerate(KINDS):
            found.append({"n": n, **held(kind, n, times, number)})
            sides.say(_line(found[-1]))
    # Three standard errors of the simulation itself.
    allowed = BOUND + 3 * np.sqrt(BOUND * (1 - BOUND) / times)
    worst = max(kind["wrong"] for kind in found)
    sides.say(f"a wrong arm is chosen in at most {worst:.1%}; {allowed:.1%} is allowed")
    return {
        **NO_PEER,
        "contests": times,
        "margin": MARGIN,
        "worst": worst,
        "allowed": float(allowed),
        "within": bool(worst <= allowed),
        "kinds": found,
    }


def held(kind: Kind, n: int, times: int, number: int) -> dict[str, Any]:
    """Hold contests of one kind on n rows and count how they end.

    Args:
        kind: the arms.
        n: test rows.
        times: contests.
        number: seeds them.

    Returns:
        Shares of the contests: `right`, `dearer` and `wrong` of those with a verdict (`Kind`), and
        of these `tie`; `not_enough_evidence`, and of it those `provisionally_wrong`.
    """
    draw = np.random.default_rng([number, n])
    counts = item_counts(draw, RESAMPLES, n, None)
    ends: Counter[str] = Counter()
    for _ in range(times):
        values = alike_arms(draw, np.array(kind.accuracies), n, SHARED)
        found = decide(*_inputs(kind, values, counts))
        ending = kind.ending(int(found.choice or 0))
        if found.provisional:
            ends["not_enough_evidence"] += 1
            ends["provisionally_wrong"] += ending == "wrong"
        else:
            ends[ending] += 1
            ends["tie"] += found.name == "tie"
    names = ("wrong", "right", "dearer", "tie", "not_enough_evidence", "provisionally_wrong")
    return {"kind": kind.name, **{name: ends[name] / times for name in names}}


def _inputs(
    kind: Kind, values: Array, counts: Array
) -> tuple[list[ArmFigures], MultipleComparisons, float]:
    """Return what the rule is given: arms named by their place, and their joint resamples."""
    names = tuple(str(place) for place in range(len(values)))
    arms = [with_ones(of_arm[None]) for of_arm in values]
    comparisons = MultipleComparisons(
        names=names,
        estimates=values.mean(axis=1).round(12),
        resampled=bootstrap(find("accuracy"), arms, Resamples.given(counts)),
        n=values.shape[1],
    )
    figures = [
        ArmFigures(
            name=name,
            score=float(comparisons.estimates[place]),
            complexity=place,
            checks=(),
            cost=1.0 if kind.equal_costs else 10.0**place,
        )
        for place, name in enumerate(names)
    ]
    return figures, comparisons, MARGIN


def _line(found: dict[str, Any]) -> str:
    return (
        f"n = {found['n']}, {found['kind']}: wrong {found['wrong']:.1%}, right"
        f" {found['right']:.1%}, dearer than needed {found['dearer']:.1%} (ties"
        f" {found['tie']:.1%}), not enough evidence"
        f" {found['not_enough_evidence']:.1%}"
    )
