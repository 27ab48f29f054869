"""Simultaneous bounds on the gap to the best of the others, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.mcb import MultipleComparisons

RIGHT_OR_WRONG = st.tuples(st.integers(1, 5), st.integers(2, 30)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def comparisons_of(values, resamples=400, seed=0):
    """Compare arms whose items are worth `values` [arms, n]."""
    values = np.array(values, dtype=float)
    n = values.shape[1]
    draw = np.random.default_rng(seed)
    counts = draw.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
    names = tuple("abcdefgh"[: len(values)])
    return MultipleComparisons(names, values.mean(axis=1), values @ counts.T / n, n)


def differing(n, times):
    """Return two arms on n items, of which the second misses `times` that the first has."""
    second = np.ones(n)
    second[:times] = 0
    return comparisons_of([np.ones(n), second], resamples=4_000)


def test_the_only_arm_has_no_gap():
    gap = comparisons_of([[1, 0, 1]]).gaps(["a"])["a"]
    assert (gap.value, gap.low, gap.high, gap.to) == (None, None, 0.0, None)


def test_arms_that_differ_nowhere_may_still_differ_by_the_rule_of_three():
    made = comparisons_of(np.ones((3, 150)))
    for gap in made.gaps("abc").values():
        assert (gap.value, gap.low, gap.high) == (0, pytest.approx(-0.02), pytest.approx(0.02))
    assert made.differences("a", "abc")["b"] == pytest.approx((-0.02, 0.02))


def test_the_floor_scales_with_the_metrics_range():
    made = MultipleComparisons(("a", "b"), np.zeros(2), np.zeros((2, 10)), n=60, metric_range=100)
    assert made.gaps("ab")["a"].high == pytest.approx(5)


def test_gap_is_to_the_best_of_the_others():
    gaps = comparisons_of([[1] * 9 + [0], [1] * 6 + [0] * 4, [1] * 3 + [0] * 7]).gaps("abc")
    assert [(gap.to, round(gap.value, 9)) for gap in gaps.values()] == [
        ("b", -0.3),
        ("a", 0.3),
        ("a", 0.6),
    ]


def test_gaps_are_taken_among_the_named_arms_only():
    gaps = comparisons_of([[1] * 9 + [0], [1] * 6 + [0] * 4, [1] * 3 + [0] * 7]).gaps("bc")
    assert set(gaps) == {"b", "c"}
    assert gaps["c"].to == "b"


def test_two_arms_have_hsus_bounds_from_normal_resamples():
    # One comparison: the one-sided 95 % point of the normal distribution, 1.645.
    draw = np.random.default_rng(0)
    resampled = np.array([[0.80], [0.76]]) + draw.normal(0, 0.02, size=(2, 200_000))
    gaps = MultipleComparisons(("a", "b"), np.array([0.80, 0.76]), resampled, 10_000).gaps("ab")
    half = 1.645 * 0.02 * np.sqrt(2)
    assert gaps["b"].low == pytest.approx(0.04 - half, abs=5e-4)
    assert gaps["b"].high == pytest.approx(0.04 + half, abs=5e-4)
    assert gaps["a"].high == pytest.approx(-0.04 + half, abs=5e-4)


def test_differences_of_three_arms_use_dunnetts_critical_value():
    # Dunnett 1964, two-sided 95 %, two comparisons with one control, many degrees: 2.21.
    draw = np.random.default_rng(0)
    resampled = draw.normal(0, 0.02, size=(3, 200_000))
    low, high = MultipleComparisons(tuple("abc"), np.zeros(3), resampled, 10_000).differences(
        "a", "abc"
    )["b"]
    assert (low, high) == pytest.approx((-2.21 * 0.02828, 2.21 * 0.02828), abs=5e-4)


@pytest.mark.parametrize(("units", "wider"), [(None, 1.0), (10, np.sqrt(10 / 9) * 1.833 / 1.645)])
def test_few_independent_items_widen_bounds_by_t_and_the_bootstraps_narrowness(units, wider):
    draw = np.random.default_rng(0)
    resampled = np.array([[0.80], [0.76]]) + draw.normal(0, 0.02, size=(2, 200_000))
    # A narrow range keeps the rule of three out of it.
    made = MultipleComparisons(("a", "b"), np.array([0.80, 0.76]), resampled, 10_000, 0.1, units)
    low = made.gaps("ab")["b"].low
    assert low == pytest.approx(0.04 - 1.645 * 0.02 * np.sqrt(2) * wider, abs=5e-4)


def unlike_arms(scores):
    """Return arm a, which goes its own way, and b and c, which all but move as one."""
    draw = np.random.default_rng(0).normal(size=(3, 200_000))
    noise = np.array([0.02 * draw[0], 0.02 * draw[1], 0.02 * draw[1] + 0.001 * draw[2]])
    scores = np.array(scores)
    return MultipleComparisons(tuple("abc"), scores, scores[:, None] + noise, 10_000)


def test_each_arm_is_tested_as_the_reference_itself_and_its_rivals_bound_its_gap():
    # Seen from a, b and c are one comparison: 1.645. Seen from b, a and c are two independent
    # ones: the 95 % point of the larger of two, 1.955.
    gaps = unlike_arms([0.80, 0.84, 0.84]).gaps("abc")
    spread = 0.02 * np.sqrt(2)
    assert gaps["a"].low == pytest.approx(0.04 - 1.645 * spread, abs=1e-3)
    assert gaps["a"].high == pytest.approx(0.04 + 1.955 * spread, abs=1e-3)


@given(RIGHT_OR_WRONG)
@settings(max_examples=60)
def test_bounds_contain_the_point_and_claim_no_more_than_three_in_n(values):
    made = comparisons_of(values, resamples=200)
    gaps = made.gaps(made.names)
    if len(values) == 1:
        return
    in_play = {name for name, gap in gaps.items() if gap.low <= 0}
    for name, gap in gaps.items():
        assert gap.low <= gap.value + 1e-9
        assert gap.high >= gap.value - 1e-9
        if in_play - {name}:
            assert gap.high >= 3 / made.n - 1e-9
        else:
            assert gap.high == 0
        assert gap.low <= gap.value - 3 / made.n + 1e-9
        assert np.isfinite([gap.low, gap.high]).all()
    assert any(gap.low <= 0 for gap in gaps.values())
    best = made.names[int(np.argmax(made.estimates))]
    assert gaps[best].value <= 0
    for low, high in made.differences(best, made.names).values():
        assert high - low >= 6 / made.n - 1e-9


@given(RIGHT_OR_WRONG, st.randoms())
@settings(max_examples=30)
def test_the_order_of_arms_changes_no_bound(values, random):
    made = comparisons_of(values, resamples=100)
    shuffled = list(made.names)
    random.shuffle(shuffled)
    first, second = made.gaps(made.names), made.gaps(shuffled)
    for name in made.names:
        assert first[name].high == pytest.approx(second[name].high, abs=1e-9)
        assert (first[name].low or 0) == pytest.approx(second[name].low or 0, abs=1e-9)


@pytest.mark.parametrize("n", [40, 100, 300])
def test_two_differing_items_show_nothing_and_ten_do(n):
    # McNemar's z is the root of the number of items that only one arm has right.
    assert differing(n, 2).gaps("ab")["b"].low <= 0
    assert differing(n, 10).gaps("ab")["b"].low > 0


@pytest.mark.parametrize(("n", "times"), [(3, 3), (10, 3), (300, 3)])
def test_three_differing_items_show_nothing_even_where_all_of_them_differ(n, times):
    # Three of three: the bootstrap sees no spread at all, chance alone does so one time in eight.
    gaps = differing(n, times).gaps("ab")
    assert gaps["b"].low <= 0
    assert gaps["a"].high == pytest.approx(3 / n)


def test_the_last_arm_that_can_be_the_best_has_no_gap():
    # Constrained comparison with the best (Hsu): no rival is left that could be better.
    values = (np.random.default_rng(4).random((3, 120)) < [[0.97], [0.7], [0.6]]).astype(float)
    gaps = comparisons_of(values).gaps("abc")
    assert (gaps["b"].low > 0, gaps["c"].low > 0) == (True, True)
    assert (gaps["a"].value < 0, gaps["a"].high) == (True, 0)
    assert gaps["b"].high > gaps["b"].value


def test_a_clearly_worse_arm_is_significantly_worse():
    values = (np.random.default_rng(4).random((3, 300)) < [[0.9], [0.9], [0.7]]).astype(float)
    gaps = comparisons_of(values).gaps("abc")
    assert gaps["c"].low > 0.05
    assert gaps["a"].low <= 0 or gaps["b"].low <= 0


@pytest.mark.parametrize("n", [10, 80])
@pytest.mark.parametrize("shared", [0.0, 0.8])
@pytest.mark.parametrize("arms", [2, 4])
def test_one_of_equally_good_arms_is_rarely_significantly_worse(arms, shared, n):
    draw = np.random.default_rng(11)
    excluded, rounds = 0, 300
    for _ in range(rounds):
        items = draw.random(n) < 0.85
        own = draw.random((arms, n)) < 0.85
        values = np.where(draw.random((arms, n)) < shared, items, own)
        gaps = comparisons_of(values, 300, int(draw.integers(2**31))).gaps("abcdefgh"[:arms])
        excluded += sum(gap.low > 0 for gap in gaps.values()) / arms
    # 5 % by design; 300 resamples of 80 independent items come to 6 or 7.
    assert excluded / rounds <= 0.08


def test_upper_bounds_rarely_fall_short_of_the_true_gap():
    draw = np.random.default_rng(12)
    truth = np.array([[0.90], [0.84], [0.80]])
    gap_of = {"a": -0.06, "b": 0.06, "c": 0.10}
    short, rounds = 0, 300
    for _ in range(rounds):
        values = draw.random((3, 100)) < truth
        gaps = comparisons_of(values, 300, int(draw.integers(2**31))).gaps("abc")
        short += any(gaps[name].high < true for name, true in gap_of.items())
    assert short / rounds <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / rounds)
