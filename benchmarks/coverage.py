"""How often 95 % intervals hold the truth: exactly for right or wrong, else by simulation.

By number of rows, labels, seeds and clusters, on made-up test sets whose truth is known. The
intervals are those of the report, with 1,000 resamples in place of 10,000. Needs no model; no peer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.populations import Array, Crossed, Labels, Shares
from benchmarks.sides import NO_PEER, Sides
from harness.analysis.scoring.score import bootstrap_interval, why_unreliable
from harness.metrics import Metric, find
from harness.stats.bootstrap import Resamples, effective_units, item_counts
from harness.stats.intervals import tango, wilson

PACKAGES = ()
MODEL = None
SIMULATED, QUICK_SIMULATED = 2_000, 200
RESAMPLES = 1_000
NOMINAL = (0.93, 0.97)
SHARES = np.arange(10, 91) / 100
"""True accuracies, .10 to .90."""
DISCORDANCES = (0.1, 0.2, 0.4)
LEAST_PROBABILITY = 1e-10
"""Tables that are less likely are left out: 20,000 of them would change the sixth digit."""


@dataclass(frozen=True)
class Regime:
    """One row of the table: a population, and how much of it a test set holds."""

    kind: str
    n: int
    detail: str
    metric: Metric
    truth: float
    draw: Callable[[np.random.Generator], Array]
    """→ [seeds, n, k]."""
    labels: int = 0
    clusters: tuple[str, ...] | None = None
    of_two: bool = False
    """The interval is of the difference between two arms, whose truth is 0."""


def run(sides: Sides) -> dict[str, Any]:
    """Enumerate, then simulate; there is no other side."""
    quick = sides.quick
    exact = []
    for n in (50, 100, 300) if quick else (50, 100, 200, 300, 500, 1000):
        exact.append(exact_wilson(n))
        sides.say(_line(exact[-1]))
    for n in (50, 100) if quick else (50, 100, 300):
        exact.append(exact_tango(n))
        sides.say(_line(exact[-1]))
    times = QUICK_SIMULATED if quick else SIMULATED
    simulated = []
    for number, regime in enumerate(regimes()):
        simulated.append(simulate(regime, times, number))
        sides.say(_line(simulated[-1]))
    return {**NO_PEER, "simulations": times, "exact": exact, "simulated": simulated}


def exact_wilson(n: int) -> dict[str, Any]:
    """Return the least, mean and largest coverage over all accuracies, summed over all outcomes."""
    from scipy.stats import binom

    outcomes = np.arange(n + 1)
    low, high = np.array([wilson(int(k), n) for k in outcomes]).T
    held = (low[:, None] <= SHARES) & (high[:, None] >= SHARES)
    return _spread("wilson", n, (binom.pmf(outcomes[:, None], n, SHARES) * held).sum(axis=0))


def exact_tango(n: int) -> dict[str, Any]:
    """Return the same over discordances and differences, summed over all likely tables."""
    from scipy.stats import multinomial

    b, c = np.array([(b, c) for b in range(n + 1) for c in range(n + 1 - b)]).T
    intervals: dict[tuple[int, int], tuple[float, float]] = {}
    coverages = []
    for discordance in DISCORDANCES:
        for difference in np.linspace(0, discordance, 5)[:-1]:
            chances = [(discordance + difference) / 2, (discordance - difference) / 2]
            p = multinomial.pmf(np.column_stack([b, c, n - b - c]), n, [*chances, 1 - discordance])
            held = 0.0
            for place in np.flatnonzero(p > LEAST_PROBABILITY):
                table = int(b[place]), int(c[place])
                if table not in intervals:
                    intervals[table] = tango(*table, n)
                low, high = intervals[table]
                held += p[place] * (low <= difference <= high)
            coverages.append(held)
    return _spread("tango", n, np.array(coverages))


def regimes() -> Iterator[Regime]:
    """Yield everything that is simulated."""
    yield from _macro_f1()
    yield from _token_f1()
    yield from _seeds()
    yield from _clusters()


def _macro_f1() -> Iterator[Regime]:
    metric = find("macro_f1")
    sizes = {100: (2, 5, 10), 300: (2, 5, 12, 20)}
    made = [
        (n, Labels(labels, accuracy))
        for n, numbers in sizes.items()
        for labels in numbers
        for accuracy in (0.1, 0.5, 0.9)
    ]
    made += [(1000, Labels(10, 0.5)), (1000, Labels(50, 0.1)), (1000, Labels(50, 0.9))]
    made += [(300, Labels(5, a, zipf=1.0, favourite=2.0)) for a in (0.5, 0.9)]
    made += [(300, Labels(12, 0.7, zipf=1.0)), (1000, Labels(50, 0.7, zipf=1.0))]
    for n, population in made:
        uneven = ", uneven" if population.zipf else ""
        yield Regime(
            "macro_f1",
            n,
            f"{population.labels} labels{uneven}, accuracy {population.accuracy}",
            metric,
            population.macro_f1,
            lambda draw, n=n, population=population: population.draw(draw, n),
            labels=population.labels,
        )
    for n in (100, 300):
        population = Labels(5, 0.8)
        yield Regime(
            "macro_f1",
            n,
            "difference of two arms, 5 labels, accuracy 0.8",
            metric,
            0.0,
            lambda draw, n=n, population=population: population.draw(draw, n),
            labels=5,
            of_two=True,
        )


def _token_f1() -> Iterator[Regime]:
    made = (
        Shares(0.80, 0.05, 2, 3),
        Shares(0.25, 0.35, 2, 2),
        Shares(0.06, 0.79, 3, 2),
        Shares(0.03, 0.92, 3, 2),
    )
    for n in (20, 30, 50, 100, 300):
        for population in made:
            yield Regime(
                "token_f1",
                n,
                f"mean {population.mean:.2f}",
                find("token_f1"),
                population.mean,
                lambda draw, n=n, population=population: population.draw(draw, n),
            )


def _seeds() -> Iterator[Regime]:
    for seeds in (2, 3, 4, 5, 10):
        for n in (100, 300):
            for item_sd, seed_sd in ((0.0, 0.0), (2.0, 0.2), (2.0, 0.5), (2.0, 1.0)):
                population = Crossed(2.0, item_sd, seed_sd)
                items = "equal" if item_sd == 0 else "unequal"
                points = 100 * population.sd_of_seeds
                yield Regime(
                    "seeds",
                    n,
                    f"{seeds} seeds {points:.1f} points apart, {items} items",
                    find("accuracy"),
                    population.mean,
                    lambda draw, n=n, s=seeds, p=population: p.draw(draw, n, s, np.arange(n)),
                )


def _clusters() -> Iterator[Regime]:
    for n, number, uneven in (
        (100, 10, 0.0),
        (100, 20, 0.0),
        (100, 30, 0.0),
        (300, 20, 0.0),
        (300, 30, 0.0),
        (300, 60, 0.5),
        (300, 60, 1.0),
    ):
        sizes = _apportioned(1 / np.arange(1, number + 1) ** uneven, n)
        member_of = np.repeat(np.arange(number), sizes)
        clusters = tuple(f"c{m}" for m in member_of)
        worth = "" if uneven == 0 else f" uneven (worth {effective_units(clusters, n):.0f})"
        for centre, spread in ((0.0, 1.0), (2.0, 1.0), (2.0, 2.0)):
            population = Crossed(centre, cluster_sd=spread)
            yield Regime(
                "clusters",
                n,
                f"{number}{worth} clusters, accuracy {population.mean:.2f}",
                find("accuracy"),
                population.mean,
                lambda draw, n=n, p=population, m=member_of: p.draw(draw, n, 1, m),
                clusters=clusters,
            )


def simulate(regime: Regime, times: int, number: int) -> dict[str, Any]:
    """Return how often the interval held the truth: in all draws, and, where these are most, in
    those that were not marked.

    Args:
        regime: what is drawn.
        times: draws.
        number: seeds them.
    """
    draw = np.random.default_rng([number, 1])
    # The same resamples for all test sets: to draw them takes longer than all else.
    counts = item_counts(draw, RESAMPLES, regime.n, regime.clusters)
    resamples = Resamples.given(counts, regime.clusters)
    held, marked = np.zeros(times, dtype=bool), np.zeros(times, dtype=bool)
    names = [str(label) for label in range(regime.labels)]
    for place in range(times):
        arms: Sequence[Array] = [regime.draw(draw) for _ in range(2 if regime.of_two else 1)]
        low, high = bootstrap_interval(regime.metric, arms, resamples)
        held[place] = low - 1e-12 <= regime.truth <= high + 1e-12
        doubt = why_unreliable(regime.metric, arms[0], regime.clusters or (), names)
        marked[place] = doubt is not None
    trusted = held[~marked]
    return {
        "interval": regime.kind,
        "n": regime.n,
        "detail": regime.detail,
        "coverage": float(held.mean()),
        "marked": float(marked.mean()),
        "coverage_unmarked": float(trusted.mean()) if len(trusted) > times / 2 else None,
    }


def _spread(interval: str, n: int, coverages: Array) -> dict[str, Any]:
    low, high = float(coverages.min()), float(coverages.max())
    return {"interval": interval, "n": n, "least": low, "mean": coverages.mean(), "largest": high}


def _apportioned(weights: Array, n: int) -> Array:
    """Return whole sizes of at least 1 that sum to n and are about in these proportions."""
    sizes = np.maximum(1, np.floor(n * weights / weights.sum())).astype(int)
    for place in range(abs(n - int(sizes.sum()))):
        sizes[place % len(sizes)] += np.sign(n - int(sizes.sum()))
    return sizes


def _line(found: dict[str, Any]) -> str:
    where = f"{found['interval']}, n = {found['n']}"
    if "least" in found:
        return f"{where}: {found['least']:.4f} to {found['largest']:.4f}, exactly"
    marked = f", {found['marked']:.0%} marked unreliable" if found["marked"] else ""
    trusted = found["coverage_unmarked"]
    inside = trusted is None or NOMINAL[0] <= trusted <= NOMINAL[1]
    outside = "" if inside else f"; OUTSIDE in what is not marked ({trusted:.3f})"
    return f"{where}, {found['detail']}: {found['coverage']:.3f}{marked}{outside}"
