"""The joint bootstrap against scipy, against formulas, and against itself."""

from __future__ import annotations

import numpy as np
import pytest

from harness.judge.resample import RESAMPLES, bias_corrected_interval, bootstrap
from harness.metrics import find

ACCURACY = find("accuracy")


def arm(*seeds):
    """Return [seeds, n, 2]: values with a 1 for counting."""
    values = np.array(seeds, dtype=float)
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_bias_corrected_interval_is_scipys_bca_where_nothing_is_skewed():
    from scipy import stats

    half = np.random.default_rng(0).normal(size=30)
    data = np.concatenate([half, -half])  # symmetric: its acceleration is 0, so BCa is BC
    found = stats.bootstrap(
        (data,), np.mean, n_resamples=4_000, method="BCa", rng=np.random.default_rng(1)
    )
    mine = bias_corrected_interval(float(data.mean()), found.bootstrap_distribution)
    expected = (found.confidence_interval.low, found.confidence_interval.high)
    assert mine == pytest.approx(expected, abs=1e-6)


def test_interval_of_a_mean_agrees_with_scipys_bca_on_skewed_values():
    from scipy import stats

    data = np.random.default_rng(5).beta(2, 5, size=150)
    expected = stats.bootstrap(
        (data,), np.mean, n_resamples=5_000, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    mine = bias_corrected_interval(float(data.mean()), bootstrap(ACCURACY, [arm(data)])[0])
    assert mine == pytest.approx((expected.low, expected.high), abs=0.05 * np.ptp(expected))


def test_interval_moves_against_the_bias_of_the_resamples():
    resampled = np.random.default_rng(0).normal(0.02, 0.1, size=RESAMPLES)
    low, high = bias_corrected_interval(0.0, resampled)
    assert (low + high) / 2 == pytest.approx(-0.02, abs=0.01)


def test_rounding_of_equal_values_does_not_count_as_bias():
    draw = np.random.default_rng(1).binomial(20, 0.5, size=RESAMPLES) / 20
    exact = bias_corrected_interval(0.5, draw)
    assert bias_corrected_interval(0.5, draw - 1e-17 * draw) == exact
    assert bias_corrected_interval(0.5, draw * (1 - 1e-15)) == pytest.approx(exact)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_resamples_that_are_all_alike_give_a_point(value):
    assert bias_corrected_interval(value, np.full(100, value)) == (value, value)


def test_the_spread_of_a_share_is_the_binomials():
    values = np.repeat([1.0, 0.0], [80, 20])
    resampled = bootstrap(ACCURACY, [arm(values)])
    assert resampled.shape == (1, RESAMPLES)
    assert resampled.std() == pytest.approx(np.sqrt(0.8 * 0.2 / 100), rel=0.03)


def test_all_arms_see_the_same_resamples():
    values = np.random.default_rng(0).random(50)
    twice = bootstrap(ACCURACY, [arm(values), arm(values)])
    assert np.array_equal(twice[0], twice[1])
    shifted = bootstrap(ACCURACY, [arm(values), arm(values + 0.1)])
    assert np.ptp(shifted[1] - shifted[0]) < 1e-9


def test_an_arm_gets_the_same_resamples_alone_and_in_company():
    first, second = np.random.default_rng(0).random((2, 30))
    alone = bootstrap(ACCURACY, [arm(second)])
    assert np.array_equal(alone[0], bootstrap(ACCURACY, [arm(first), arm(second)])[1])


def test_clusters_of_five_equal_items_widen_by_the_root_of_five():
    of_cluster = np.repeat([1.0, 0.0], [28, 12])
    values, clusters = np.repeat(of_cluster, 5), [f"author {i // 5}" for i in range(200)]
    ratio = (
        bootstrap(ACCURACY, [arm(values)], clusters).std()
        / bootstrap(ACCURACY, [arm(values)]).std()
    )
    assert ratio == pytest.approx(np.sqrt(5), rel=0.05)


def test_items_without_a_cluster_stand_for_themselves():
    values = np.repeat([1.0, 0.0], [80, 20])
    alone = [f"item {i}" for i in range(100)]  # a name that a lone item's own key could take
    spread = bootstrap(ACCURACY, [arm(values)], [None, *alone[1:]]).std()
    assert spread == pytest.approx(0.04, rel=0.05)


def test_seeds_that_disagree_widen_the_interval():
    steady, high, low = np.full(50, 0.5), np.full(50, 0.7), np.full(50, 0.3)
    assert bootstrap(ACCURACY, [arm(steady, steady)]).std() == 0
    resampled = bootstrap(ACCURACY, [arm(high, low)])[0]
    # Two seeds drawn with replacement: 0.7, 0.5, 0.5 or 0.3.
    assert resampled.std() == pytest.approx(np.sqrt(0.02), rel=0.05)


def test_arms_with_as_many_seeds_share_the_resampled_seeds():
    one, two = bootstrap(ACCURACY, [arm([0.7] * 9, [0.3] * 9), arm([0.8] * 9, [0.4] * 9)])
    assert np.ptp(two - one) < 1e-9
