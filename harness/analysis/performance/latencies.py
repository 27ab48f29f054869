"""Single requests' latencies as quantiles, for a plot of their distribution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.analysis.performance.measured import own_times_s, warm_walls_s
from harness.analysis.run_data import ArmData
from harness.analysis.schema.measured_curves import Latencies

MOST_POINTS = 51
"""Quantiles that are kept: every two hundredths. More would not be seen in a plot."""


def latencies_of(arm: ArmData) -> Latencies | None:
    """Return an arm's latencies; None of replayed answers that carry no times."""
    own_clock = not own_times_s(arm)
    warm = [] if own_clock and arm.plan.replays else warm_walls_s(arm)
    if not warm:
        return None
    cold = [wall for t in arm.trials if t.serve for wall in t.serve.cold_walls_s]
    cold = cold if own_clock else []
    return Latencies(
        warm_s=_quantiles(warm), warm_n=len(warm), cold_s=_quantiles(cold), cold_n=len(cold)
    )


def _quantiles(walls_s: Sequence[float]) -> tuple[float, ...]:
    """Return quantiles at equal shares: all values where there are few."""
    if not walls_s:
        return ()
    shares = np.linspace(0, 1, min(len(walls_s), MOST_POINTS))
    return tuple(float(f"{value:.4g}") for value in np.quantile(walls_s, shares))
