"""The crossover's range holds a known truth; 500 draws a regime are in benchmarks/README.md."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.curve import LEAST, regimes, simulate

FEW = 40
"""Draws: by chance alone a true share of .95 falls below .85 in one case of a hundred."""


@pytest.mark.parametrize("number", [1, 5, 8, 9])
def test_the_range_of_a_crossover_holds_the_truth(number):
    regime = list(regimes())[number]
    assert simulate(regime, FEW, number)["held"] >= LEAST - 0.05


def test_the_truth_of_a_regime_is_where_its_laws_meet():
    regime = next(regimes())
    assert regime.truth == pytest.approx((2.2 / 0.23) ** 2, rel=1e-3)
    assert [each.truth for each in regimes()][-2:] == [np.inf, -np.inf]
