"""Who can still be the best: bounds on every arm's loss to the best of the others.

Hsu's multiple comparisons with the best, on the joint paired bootstrap, so that having chosen the
winner on the test split is paid for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from harness.analysis.schema.scores import Loss

LEVEL = 0.95
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Leads:
    """How far several arms are ahead of each other, and how far these leads may be wrong."""

    lead: Array
    """[arms, arms]: in row i and column j, how far j is ahead of i."""
    spread: Array
    """[arms, arms]: the bootstrap standard error of each lead."""
    critical: Array
    """[arms]: with that arm as the reference, how many standard errors the largest error of any
    lead over it reaches in 95 % of resamples."""


@dataclass(frozen=True)
class Contest:
    """Estimates and joint resamples of one metric for several arms."""

    names: tuple[str, ...]
    estimates: Array
    """[arms]."""
    resampled: Array
    """[arms, resamples]: column b is the same resample for every arm."""
    n: int
    metric_range: float = 1.0
    units: float | None = None
    """Items that are independent of each other: fewer than n where there are clusters."""
    known: dict[tuple[str, ...], Leads] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Leads that were asked for before: looking for flips asks for the same ones often."""

    def shifted(self, name: str, by: float) -> Contest:
        """Return the contest as if one arm had scored that much more, in every resample too."""
        rows = np.array(self.names) == name
        return replace(
            self,
            estimates=self.estimates + by * rows,
            resampled=self.resampled + by * rows[:, None],
        )

    @property
    def floor(self) -> float:
        """What no differing item in all still allows: the rule of three (Hanley 1983)."""
        return 3 / (self.units or self.n) * self.metric_range

    def standard_error(self, first: str, second: str) -> float:
        """Return the bootstrap standard error of the difference of two arms."""
        a, b = (self.resampled[self.names.index(name)] for name in (first, second))
        return float(np.std(a - b))

    def losses(self, among: Sequence[str], times: float = 1.0) -> Mapping[str, Loss]:
        """Return each arm's loss against the best of the others, with bounds at 95 %.

        The lower bound is above 0 where the arm is shown not to be the best. Upper bounds are
        taken against the arms not so excluded (Edwards and Hsu 1983, JASA 78, 965–971); they hold
        together, and so does every exclusion. How far an excluded arm is behind at the least
        holds for that arm by itself. Neither bound claims more than the rule of three lets it; but
        where every other arm is excluded there is no rival left that could be better, and the last
        one's upper bound is 0.

        Args:
            among: the arms that compete.
            times: 2 gives the bounds on twice as many test rows, if they are like these.
        """
        if len(among) < 2:
            return {name: Loss(value=None, low=None, high=0.0, to=None) for name in among}
        leads, floor = self._leads(among), self.floor / times
        lead = leads.lead
        width = leads.critical[:, None] * leads.spread * self._widening(LEVEL, times)
        others = ~np.eye(len(among), dtype=bool)
        # Resamples are counts, so a bound falls on 0, or on the margin, exactly: without rounding,
        # 1e-16 would show an arm worse.
        least = lead - np.maximum(width, floor)
        low = np.where(others, least, -np.inf).max(axis=1).round(12)
        rivals = others & (low <= 0)[None, :]
        reach = np.where(rivals, np.maximum(lead + width.T, floor), -np.inf).max(axis=1)
        # All others are shown not to be the best: then this arm loses nothing.
        reach = np.where(rivals.any(axis=1), reach, 0.0)
        best_other = np.where(others, lead, -np.inf).argmax(axis=1)
        return {
            name: Loss(
                value=float(lead[i, best_other[i]]),
                low=float(low[i]) + 0.0,  # no -0.0
                high=round(float(max(reach[i], lead[i, best_other[i]])), 12),
                to=among[best_other[i]],
            )
            for i, name in enumerate(among)
        }

    def _leads(self, among: Sequence[str]) -> Leads:
        key = tuple(among)
        if key not in self.known:
            index = [self.names.index(name) for name in among]
            x = self.estimates[index]
            self.known[key] = Leads(
                lead=x[None, :] - x[:, None],
                spread=self._spread(index),
                critical=np.array(
                    [self._critical(index, j, two_sided=False) for j in range(len(index))]
                ),
            )
        return self.known[key]

    def differences(self, choice: str, among: Sequence[str]) -> Mapping[str, tuple[float, float]]:
        """Return simultaneous 95 % intervals of (other − choice) for every other arm.

        Two arms that differ on no item still may by the rule of three.
        """
        index = [self.names.index(name) for name in among]
        reference = list(among).index(choice)
        x, spread = self.estimates[index], self._spread(index)
        critical = self._critical(index, reference, two_sided=True)
        width = critical * spread[reference] * self._widening((1 + LEVEL) / 2)
        width = np.maximum(width, self.floor)
        return {
            name: (float(x[i] - x[reference] - width[i]), float(x[i] - x[reference] + width[i]))
            for i, name in enumerate(among)
            if i != reference
        }

    def _spread(self, index: Sequence[int]) -> Array:
        """Return [a, a]: the bootstrap standard error of each paired difference."""
        rows = self.resampled[list(index)]
        return np.array([[np.std(a - b) for b in rows] for a in rows])

    def _critical(self, index: Sequence[int], reference: int, two_sided: bool) -> float:
        rows = self.resampled[list(index)]
        x = self.estimates[list(index)]
        errors = (rows - rows[reference]) - (x - x[reference])[:, None]
        spread = np.std(errors, axis=1, keepdims=True)
        t = np.divide(errors, spread, out=np.zeros_like(errors), where=spread > 0)
        t = np.abs(t) if two_sided else t
        return float(np.quantile(np.delete(t, reference, axis=0).max(axis=0), LEVEL))

    def _widening(self, level: float, times: float = 1.0) -> float:
        """Return by how much few items widen a bound: √(m/(m − 1)) t/z, as for an interval.

        On so many times the items, the standard errors' own narrowing by √times with it.

        Hesterberg 2015, The American Statistician 69, 371–386.
        """
        from scipy.special import ndtri, stdtrit

        m = times * max(self.units or self.n, 2)
        return float(sqrt(m / (m - 1) / times) * stdtrit(m - 1, level) / ndtri(level))
