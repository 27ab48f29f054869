"""The joint bootstrap against scipy, against formulas, and against itself."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics import Items, class_counts, find
from harness.stats.bootstrap import (
    RESAMPLES,
    SEED,
    Resamples,
    _counts,
    acceleration,
    bias_corrected_interval,
    bootstrap,
    effective_units,
    item_counts,
    left_out,
)

ACCURACY, MACRO_F1 = find("accuracy"), find("macro_f1")


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


def test_interval_with_acceleration_is_scipys_bca_on_skewed_values():
    from scipy import stats

    data = np.random.default_rng(5).beta(0.3, 3, size=40)
    found = stats.bootstrap(
        (data,), np.mean, n_resamples=4_000, method="BCa", rng=np.random.default_rng(2)
    )
    resampled = found.bootstrap_distribution
    steep = acceleration(left_out(ACCURACY, arm(data)), float(resampled.var()) / 2)
    assert steep > 0.01
    mine = bias_corrected_interval(float(data.mean()), resampled, acceleration=steep)
    expected = (found.confidence_interval.low, found.confidence_interval.high)
    assert mine == pytest.approx(expected, abs=1e-6)


def test_what_seeds_add_takes_the_skewness_down():
    without = left_out(ACCURACY, arm(np.random.default_rng(5).beta(0.3, 3, size=40)))
    of_items = float(((without - without.mean()) ** 2).sum()) * 39 / 40
    whole = acceleration(without, of_items)
    assert acceleration(without, 4 * of_items) == pytest.approx(whole / 8)


def test_an_interval_is_expanded_for_few_items_as_hesterberg_says():
    from scipy import stats

    resampled = np.random.default_rng(0).normal(0, 1, size=400_000)
    low, high = bias_corrected_interval(0.0, resampled, units=10)
    expected = np.sqrt(10 / 9) * stats.t.ppf(0.975, 9)
    assert (low, high) == pytest.approx((-expected, expected), abs=0.05)


def test_a_transformation_past_its_pole_ends_where_the_resamples_end():
    resampled = np.random.default_rng(0).normal(0, 1, size=1_000)
    low, high = bias_corrected_interval(0.0, resampled, units=3, acceleration=0.5)
    assert high == resampled.max()
    assert low > resampled.min()


def test_leaving_out_a_cluster_leaves_out_all_its_items():
    values = [1.0, 0.0, 1.0, 1.0]
    assert left_out(ACCURACY, arm(values)) == pytest.approx([2 / 3, 1, 2 / 3, 2 / 3])
    found = left_out(ACCURACY, arm(values), ["a", "a", None, "b"])
    assert sorted(found) == pytest.approx([2 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    ("clusters", "units"),
    [(None, 6), ([None] * 6, 6), (list("aabbcc"), 3), (list("aaaaab"), 36 / 26)],
)
def test_large_clusters_are_worth_less_than_their_number(clusters, units):
    assert effective_units(clusters, 6) == pytest.approx(units)


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
        bootstrap(ACCURACY, [arm(values)], Resamples(len(values), clusters)).std()
        / bootstrap(ACCURACY, [arm(values)]).std()
    )
    assert ratio == pytest.approx(np.sqrt(5), rel=0.05)


def test_items_without_a_cluster_stand_for_themselves():
    values = np.repeat([1.0, 0.0], [80, 20])
    alone = [f"item {i}" for i in range(100)]  # a name that a lone item's own key could take
    spread = bootstrap(ACCURACY, [arm(values)], Resamples(len(values), [None, *alone[1:]])).std()
    assert spread == pytest.approx(0.04, rel=0.05)


def test_seeds_that_disagree_widen_the_interval():
    steady, high, low = np.full(50, 0.5), np.full(50, 0.7), np.full(50, 0.3)
    assert bootstrap(ACCURACY, [arm(steady, steady)]).std() == 0
    resampled = bootstrap(ACCURACY, [arm(high, low)])[0]
    # No item differs, so all variance is the seeds': 0.08 / 2, as wide as t with 2 degrees.
    assert resampled.std() == pytest.approx(0.2 * 4.303 / 1.960, rel=0.03)


def test_seeds_and_items_give_the_variance_of_a_two_way_random_model():
    draw = np.random.default_rng(3)
    of_item, of_seed = draw.normal(0, 0.3, 400), draw.normal(0, 0.05, 40)
    values = 0.5 + of_item + of_seed[:, None] + draw.normal(0, 0.4, (40, 400))
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    rest = values - rows[:, None] - columns + values.mean()
    mean_squares = (400 * rows.var(ddof=1), 40 * columns.var(ddof=1), (rest**2).sum() / 39 / 399)
    expected = (mean_squares[0] + mean_squares[1] - mean_squares[2]) / 16_000
    assert bootstrap(ACCURACY, [arm(*values)])[0].var() == pytest.approx(expected, rel=0.08)


def test_items_that_chance_decides_are_not_counted_a_second_time_as_seeds(monkeypatch):
    # Ten seeds, each right on 80 % of the items by chance alone: 1,000 independent answers.
    monkeypatch.setattr("harness.stats.bootstrap.RESAMPLES", 1_000)
    draws = np.random.default_rng(6).random((30, 10, 100)) < 0.8
    spreads = [bootstrap(ACCURACY, [arm(*values)])[0].std() for values in draws]
    assert np.mean(spreads) < 1.25 * np.sqrt(0.8 * 0.2 / 1000)  # counted twice it is 1.41


def test_arms_with_as_many_seeds_share_the_resampled_seeds():
    one, two = bootstrap(ACCURACY, [arm([0.7] * 9, [0.3] * 9), arm([0.8] * 9, [0.4] * 9)])
    assert np.ptp(two - one) < 1e-9


def class_counts_of(predicted, actual, labels=40):
    """Return [1, n, 3 · labels] class counts, as whole numbers that cannot change."""
    names = [str(label) for label in range(labels)]
    items = Items([names[p] for p in predicted], [(names[a],) for a in actual], labels=names)
    found = class_counts(items)[None]
    found.setflags(write=False)
    return found


def test_skipping_zeros_changes_no_value(monkeypatch):
    draw = np.random.default_rng(3)
    of_arm = class_counts_of(draw.integers(0, 40, 90), draw.integers(0, 40, 90))
    sparse = Resamples(90).values(MACRO_F1, of_arm)
    monkeypatch.setattr("harness.stats.bootstrap.SPARSE", 0.0)
    assert np.array_equal(sparse, Resamples(90).values(MACRO_F1, of_arm.astype(float)))


@pytest.mark.parametrize("clusters", [None, [str(item // 7) for item in range(90)]])
@pytest.mark.parametrize("at_once", [1, 91, 10_000])
def test_counts_drawn_part_by_part_are_those_drawn_at_once(monkeypatch, clusters, at_once):
    monkeypatch.setattr("harness.stats.bootstrap.DRAWN_AT_ONCE", at_once)
    parts = next(Resamples(90, clusters)._drawn())
    whole = item_counts(np.random.default_rng([SEED, 0]), parts.shape[1], 90, clusters)
    assert np.array_equal(parts, whole.T)
    assert parts.dtype == np.uint8
    assert parts.flags.c_contiguous


def test_an_arm_is_resampled_once_however_many_ask_and_counts_are_drawn_once(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "harness.stats.bootstrap._counts",
        lambda *given: drawn.append(given[1]) or _counts(*given),
    )
    draw = np.random.default_rng(3)
    arms = [class_counts_of(draw.integers(0, 40, 90), draw.integers(0, 40, 90)) for _ in range(3)]
    resamples = Resamples(90, keep=True)
    together = bootstrap(MACRO_F1, arms, resamples)
    assert sum(drawn) == RESAMPLES
    assert np.array_equal(together[1], bootstrap(MACRO_F1, [arms[1]], resamples)[0])
    assert resamples.values(MACRO_F1, arms[0]) is resamples.values(MACRO_F1, arms[0])
    assert sum(drawn) == RESAMPLES


def test_what_may_change_is_computed_anew():
    values = arm([1.0] * 5 + [0.0] * 5)
    resamples = Resamples(10, keep=True)
    before = resamples.values(ACCURACY, values)
    values[:, :, 0] = 1.0
    assert (resamples.values(ACCURACY, values) == 1).all()
    assert before.min() < 1


def test_counts_of_clusters_stand_for_their_items():
    counts = item_counts(np.random.default_rng(0), 50, 6, ["a", "a", None, "b", "b", "b"])
    assert (counts[:, 0] == counts[:, 1]).all()
    assert (counts[:, 3] == counts[:, 5]).all()
    assert (counts[:, [0, 2, 3]].sum(axis=1) == 3).all()


def test_leaving_out_some_at_a_time_changes_no_value(monkeypatch):
    draw = np.random.default_rng(3)
    of_arm = class_counts_of(draw.integers(0, 40, 90), draw.integers(0, 40, 90))
    whole = left_out(MACRO_F1, of_arm)
    monkeypatch.setattr("harness.stats.bootstrap.UNITS_AT_ONCE", 7)
    assert np.array_equal(whole, left_out(MACRO_F1, of_arm))
