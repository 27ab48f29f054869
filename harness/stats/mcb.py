"""Hsu's multiple comparisons with the best: what can still be the best, and how far each is behind.

On joint paired resamples, so that having picked the winner on the same data is paid for. What is
compared is called a treatment, as in the literature; its name is an opaque string. Knows neither
arms nor tasks, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LEVEL = 0.95
MOST_ITEMS = 10**9
"""What so many items would not decide, no number does."""
Array = NDArray[np.float64]


class GapBounds(NamedTuple):
    """How far a treatment is below the best of the others, with 95% bounds."""

    value: float | None
    """By the estimates; below 0 where it leads; None where there is no other."""
    low: float | None
    """Above 0: significantly worse than the best. As a figure it holds for this treatment alone."""
    high: float
    """The upper bounds of all treatments hold together; 0 where all others are significantly
    worse."""
    to: str | None
    """The best of the others, by the estimates."""

    @property
    def significant(self) -> bool:
        """Whether the treatment is significantly worse than the best."""
        return self.low is not None and self.low > 0


class Leads(NamedTuple):
    """How far several treatments are ahead of each other, and how far that may be wrong."""

    lead: Array
    """[treatments, treatments]: in row i and column j, how far j is ahead of i."""
    spread: Array
    """[treatments, treatments]: the bootstrap standard error of each lead."""
    critical: Array
    """[treatments]: with that one as the reference, how many standard errors the largest error of
    any lead over it reaches in 95% of resamples."""


@dataclass(frozen=True)
class MultipleComparisons:
    """Estimates and joint resamples of one metric for several treatments."""

    names: tuple[str, ...]
    estimates: Array
    """[treatments]."""
    resampled: Array
    """[treatments, resamples]: column b is the same resample for every treatment."""
    n: int
    """Items behind the estimates."""
    metric_range: float = 1.0
    units: float | None = None
    """Items that are independent of each other: fewer than n where there are clusters."""
    known: dict[tuple[str, ...], Leads] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """Leads computed before: a search for what would change a decision asks for them often."""

    def shifted(self, name: str, by: float) -> MultipleComparisons:
        """Return the same as if one treatment had scored `by` more, in every resample too."""
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
        """Return the bootstrap standard error of the difference of two treatments."""
        a, b = (self.resampled[self.names.index(name)] for name in (first, second))
        return float(np.std(a - b))

    def gaps(self, among: Sequence[str], times: float = 1.0) -> Mapping[str, GapBounds]:
        """Return each treatment's gap to the best of the others, with bounds at 95%.

        The lower bound is above 0 where a treatment is significantly worse than the best. Upper
        bounds are taken against those not so excluded (Edwards and Hsu 1983, JASA 78, 965–971);
        they hold together, and so does every exclusion. How far an excluded one is behind at the
        least holds for that one alone.

        Args:
            among: the treatments that are compared.
            times: 2 gives the bounds on twice as many items, if they are like these.
        """
        if len(among) < 2:
            return {name: GapBounds(value=None, low=None, high=0.0, to=None) for name in among}
        leads, floor = self._leads(among), self.floor / times
        lead = leads.lead
        width = leads.critical[:, None] * leads.spread * self._widening(LEVEL, times)
        others = ~np.eye(len(among), dtype=bool)
        # Neither bound claims more than the rule of three lets it.
        least = lead - np.maximum(width, floor)
        # Resamples are counts, so a bound falls on 0, or on the margin, exactly: without rounding,
        # 1e-16 would make a treatment significantly worse.
        low = np.where(others, least, -np.inf).max(axis=1).round(12)
        rivals = others & (low <= 0)[None, :]
        reach = np.where(rivals, np.maximum(lead + width.T, floor), -np.inf).max(axis=1)
        # Where all others are significantly worse, none is left that could be better.
        reach = np.where(rivals.any(axis=1), reach, 0.0)
        best_other = np.where(others, lead, -np.inf).argmax(axis=1)
        return {
            name: GapBounds(
                value=float(lead[i, best_other[i]]),
                low=float(low[i]) + 0.0,  # no -0.0
                high=round(float(max(reach[i], lead[i, best_other[i]])), 12),
                to=among[best_other[i]],
            )
            for i, name in enumerate(among)
        }

    def differences(
        self, reference: str, among: Sequence[str]
    ) -> Mapping[str, tuple[float, float]]:
        """Return simultaneous 95% intervals of (other − reference) for every other treatment.

        Two that differ on no item still may differ by the rule of three.
        """
        index = [self.names.index(name) for name in among]
        place = list(among).index(reference)
        x, spread = self.estimates[index], self._spread(index)
        critical = self._critical(index, place, two_sided=True)
        width = critical * spread[place] * self._widening((1 + LEVEL) / 2)
        width = np.maximum(width, self.floor)
        return {
            name: (float(x[i] - x[place] - width[i]), float(x[i] - x[place] + width[i]))
            for i, name in enumerate(among)
            if i != place
        }

    def items_to_decide(self, among: Sequence[str], name: str, margin: float) -> int | None:
        """Return how many items would show a treatment worse than the best, or within a margin.

        The same bounds are taken on more items: estimates stay as they are, bounds shrink with the
        square root of the number of items, the rule of three with the number itself.

        Args:
            among: the treatments that are compared.
            name: the one in question, undecided so far.
            margin: the gap that is accepted.

        Returns:
            None where no number of items would: two treatments alike, and a margin of 0.
        """

        def decided(items: int) -> bool:
            bounds = self.gaps(among, items / self.n)[name]
            return bounds.significant or bounds.high <= margin

        too_few, enough = self.n, MOST_ITEMS
        if not decided(enough):
            return None
        while enough - too_few > 1:
            middle = (too_few + enough) // 2
            if decided(middle):
                enough = middle
            else:
                too_few = middle
        return enough

    def _leads(self, among: Sequence[str]) -> Leads:
        key = tuple(among)
        if key not in self.known:
            index = [self.names.index(name) for name in among]
            x = self.estimates[index]
            critical = [self._critical(index, j, two_sided=False) for j in range(len(index))]
            self.known[key] = Leads(
                lead=x[None, :] - x[:, None],
                spread=self._spread(index),
                critical=np.array(critical),
            )
        return self.known[key]

    def _spread(self, index: Sequence[int]) -> Array:
        """Return [treatments, treatments]: the bootstrap standard error of each difference."""
        rows = self.resampled[list(index)]
        return np.array([[np.std(a - b) for b in rows] for a in rows])

    def _critical(self, index: Sequence[int], reference: int, two_sided: bool) -> float:
        """Return how many standard errors the largest error of a difference reaches in 95%."""
        rows = self.resampled[list(index)]
        x = self.estimates[list(index)]
        errors = (rows - rows[reference]) - (x - x[reference])[:, None]  # [treatments, resamples]
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
