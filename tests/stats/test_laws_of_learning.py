"""Crossings, the law, and what is refused: known answers."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats.learning_curve import crossing, crossings, fitted, gain

SIZES = np.array([25.0, 50, 100, 200, 400])


def test_a_crossing_lies_between_two_sizes_on_a_logarithmic_scale():
    ahead = np.array([-0.2, -0.1, 0.1, 0.2, 0.3])[:, None]
    assert crossings(SIZES, ahead) == pytest.approx([np.sqrt(50 * 100)])


@pytest.mark.parametrize("sizes", [(25, 50, 100, 200, 400), (25, 200, 1600), (50, 100)])
def test_a_power_law_and_a_line_cross_where_they_do_however_far_apart_the_sizes_are(sizes):
    sizes = np.array(sizes, dtype=float)
    ahead = (0.85 - 2.2 * sizes**-0.5 - 0.62)[:, None]
    truth = (2.2 / 0.23) ** 2  # straight lines between sizes 8 apart would say 117
    assert crossings(sizes, ahead) == pytest.approx([truth], rel=0.06)


def test_a_crossing_lies_between_the_sizes_where_the_sign_turns_whatever_the_rest_does():
    ahead = np.random.default_rng(3).standard_normal((5, 500))
    found = crossings(SIZES, ahead)
    for size, of_resample in zip(found, ahead.T, strict=True):
        behind = np.flatnonzero(of_resample <= 0)
        if np.isfinite(size):
            assert SIZES[behind[-1]] <= size <= SIZES[behind[-1] + 1]
        else:
            assert (len(behind) == 0) == (size == -np.inf)


def test_the_last_crossing_counts_and_ends_have_no_size():
    ahead = np.array(
        [[0.1, -0.1, 0.1], [0.2, -0.1, -0.1], [0.3, -0.1, 0.1], [0.3, -0.1, 0.2], [0.3, -0.1, 0.2]]
    )
    found = crossings(SIZES, ahead)
    assert found[0] == -np.inf
    assert found[1] == np.inf
    assert 50 < found[2] < 100


def test_a_range_may_have_one_end():
    draw = np.random.default_rng(0)
    ahead = np.linspace(-0.2, 0.02, 5)[:, None] + 0.02 * draw.standard_normal(4000)
    found = crossing(SIZES, ahead)
    assert np.isfinite(found.low)
    assert found.high == np.inf


@pytest.mark.parametrize("c", [0.2, 0.5, 1.0])
def test_a_known_law_is_found_again(c):
    values = (0.9 - 1.2 * SIZES**-c)[:, None]
    law = fitted(SIZES, values, highest=1.0)
    assert law.at(800.0) == pytest.approx(0.9 - 1.2 * 800.0**-c, abs=0.003)
    more = gain(SIZES, values, 100, highest=1.0)
    assert more == pytest.approx(1.2 * (400.0**-c - 500.0**-c), rel=0.1)


def test_a_law_neither_falls_nor_ends_above_the_best_value():
    falling = np.linspace(0.8, 0.6, 5)[:, None]
    assert gain(SIZES, falling, 100, highest=1.0) == pytest.approx([0.0])
    steep = np.linspace(0.1, 0.95, 5)[:, None]
    assert fitted(SIZES, steep, highest=1.0).at(1e12)[0] <= 1.0


def test_too_few_sizes_or_too_far_give_no_value():
    values = np.full((5, 1), 0.5)
    assert gain(SIZES[:3], values[:3], 100, 1.0) is None
    assert gain(SIZES[:4] / 10, values[:4], 100, 1.0) is None
