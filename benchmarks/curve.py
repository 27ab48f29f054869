"""How often a crossover's range holds the truth, by simulation with power laws that are known.

Test rows differ in how hard they are, and arms tend to fail on the same ones; each repeat of a size
has a value of its own. The ranges are those of the report, with 1,000 resamples. Needs no model; no
peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.populations import Array, with_ones
from benchmarks.sides import NO_PEER, Sides
from harness.metrics import find
from harness.stats.bootstrap import Resamples, bootstrap, item_counts
from harness.stats.learning_curve import Crossing, crossing

PACKAGES = ()
MODEL = None
DRAWS, QUICK_DRAWS = 500, 50
RESAMPLES = 1_000
LEAST = 0.90
REPEATS = 3
SHARED = 0.5
"""Correlation between what two trainings find hard."""


@dataclass(frozen=True)
class Regime:
    """Two curves a − b·n^−c, or a line (b = 0), and how they are measured."""

    detail: str
    first: tuple[float, float, float]
    """Of the one that overtakes."""
    second: tuple[float, float, float]
    sizes: tuple[int, ...] = (25, 50, 100, 200, 400)
    n: int = 300
    """Test rows."""
    spread: float = 0.02
    """Standard deviation between repeats at 100 rows; it falls as 1/√rows."""
    seeds_at_all: int = 3
    """Trainings at the largest size: 1 of an arm that no seed changes."""

    @property
    def truth(self) -> float:
        """The size at which the first overtakes the second; ±inf outside of the sizes."""
        fine = np.geomspace(self.sizes[0], self.sizes[-1], 20_001)
        ahead = law(self.first, fine) > law(self.second, fine)
        if ahead.all():
            return -np.inf
        return float(fine[np.flatnonzero(~ahead)[-1] + 1]) if ahead[-1] else np.inf


def law(of: tuple[float, float, float], sizes: Array) -> Array:
    """Return the values of a power law."""
    a, b, c = of
    return np.asarray(a - b * sizes**-c)


def regimes() -> Iterator[Regime]:
    """Yield everything that is simulated."""
    lora, line, steep = (0.85, 2.2, 0.5), (0.62, 0.0, 1.0), (0.92, 4.0, 0.6)
    yield Regime("a curve and a line, crossing at 91", lora, line)
    yield Regime("the same, 100 test rows", lora, line, n=100)
    yield Regime("the same, 1,000 test rows", lora, line, n=1000)
    yield Regime("the same, repeats 5 points apart", lora, line, spread=0.05)
    yield Regime("the same, one training at the largest size", lora, line, seeds_at_all=1)
    yield Regime("the same, three sizes far apart", lora, line, sizes=(25, 200, 1600))
    yield Regime("two curves, crossing at 94", steep, (0.80, 1.1, 0.45), n=300)
    yield Regime("two curves, crossing at 94, 1,000 test rows", steep, (0.80, 1.1, 0.45), n=1000)
    yield Regime("a crossing beyond the labels", (0.85, 2.2, 0.3), line, n=300)
    yield Regime("a crossing below the smallest size", (0.85, 1.0, 0.5), line, n=300)


def draw(regime: Regime, chance: np.random.Generator) -> list[list[Array]]:
    """Return, for each arm and size, [repeats, n, 2] of right or wrong."""
    from scipy.stats import norm

    hard = chance.standard_normal(regime.n)
    found = []
    for of in (regime.first, regime.second):
        line = of[1] == 0.0
        points: list[Array] = []
        for size in regime.sizes:
            repeats = regime.seeds_at_all if size == regime.sizes[-1] else REPEATS
            if line:
                if points:
                    points.append(points[0])
                    continue
                repeats = 1
            sd = 0.0 if line else regime.spread * np.sqrt(100 / size)
            values = law(of, np.array(float(size))) + sd * chance.standard_normal(repeats)
            own = chance.standard_normal((repeats, regime.n))
            difficulty = np.sqrt(SHARED) * hard + np.sqrt(1 - SHARED) * own
            cut = norm.ppf(np.clip(values, 0.001, 0.999))
            points.append(with_ones((difficulty < cut[:, None]).astype(float)))
        found.append(points)
    return found


def ranged(regime: Regime, chance: np.random.Generator) -> Crossing:
    """Return the range of one draw, as the report has it."""
    first, second = draw(regime, chance)
    counts = item_counts(chance, RESAMPLES, regime.n, None)
    resampled = bootstrap(find("accuracy"), [*first, *second], Resamples.given(counts))
    k = len(regime.sizes)
    return crossing(np.array(regime.sizes, dtype=float), resampled[:k] - resampled[k:])


def held(found: Crossing, truth: float) -> bool:
    """Tell whether a range holds the truth."""
    return found.low <= truth <= found.high


def simulate(regime: Regime, times: int, number: int) -> dict[str, Any]:
    """Return how often the range held the truth, and what it looked like."""
    chance = np.random.default_rng([21, number])
    found = [ranged(regime, chance) for _ in range(times)]
    both = [each for each in found if np.isfinite(each.low) and np.isfinite(each.high)]
    ratio = float(np.median([each.high / each.low for each in both])) if both else None
    truth = regime.truth
    return {
        "detail": regime.detail,
        "n": regime.n,
        "truth": truth if np.isfinite(truth) else str(truth),
        "held": float(np.mean([held(each, truth) for each in found])),
        "both_ends": len(both) / times,
        "high_over_low": None if ratio is None else round(ratio, 2),
    }


def run(sides: Sides) -> dict[str, Any]:
    """Simulate each regime; there is no other side."""
    times = QUICK_DRAWS if sides.quick else DRAWS
    rows = []
    for number, regime in enumerate(regimes()):
        rows.append(simulate(regime, times, number))
        sides.say(
            "{detail}: truth {truth}, held {held:.3f}, high/low {high_over_low}".format(**rows[-1])
        )
    return {**NO_PEER, "draws": times, "simulated": rows}
