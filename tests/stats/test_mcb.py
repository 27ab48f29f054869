"""Simultaneous bounds on the loss to the best of the others, by hand and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.mcb import Contest

RIGHT_OR_WRONG = st.tuples(st.integers(1, 5), st.integers(2, 30)).flatmap(
    lambda shape: st.lists(
        st.lists(st.integers(0, 1), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    )
)


def contest_of(values, resamples=400, seed=0):
    """Return the contest of arms whose items are worth `values` [arms, n]."""
    values = np.array(values, dtype=float)
    n = values.shape[1]
    draw = np.random.default_rng(seed)
    counts = draw.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
    names = tuple("abcdefgh"[: len(values)])
    return Contest(names, values.mean(axis=1), values @ counts.T / n, n)


def differing(n, times):
    """Return two arms on n items, of which the second misses `times` that the first has."""
    second = np.ones(n)
    second[:times] = 0
    return contest_of([np.ones(n), second], resamples=4_000)


def test_the_only_arm_loses_nothing():
    loss = contest_of([[1, 0, 1]]).losses(["a"])["a"]
    assert (loss.value, loss.low, loss.high, loss.to) == (None, None, 0.0, None)


def test_arms_that_differ_nowhere_may_still_differ_by_the_rule_of_three():
    contest = contest_of(np.ones((3, 150)))
    for loss in contest.losses("abc").values():
        assert (loss.value, loss.low, loss.high) == (0, pytest.approx(-0.02), pytest.approx(0.02))
    assert contest.differences("a", "abc")["b"] == pytest.approx((-0.02, 0.02))


def test_the_floor_scales_with_the_metrics_range():
    contest = Contest(("a", "b"), np.zeros(2), np.zeros((2, 10)), n=60, metric_range=100)
    assert contest.losses("ab")["a"].high == pytest.approx(5)


def test_loss_is_to_the_best_of_the_others():
    losses = contest_of([[1] * 9 + [0], [1] * 6 + [0] * 4, [1] * 3 + [0] * 7]).losses("abc")
    assert [(loss.to, round(loss.value, 9)) for loss in losses.values()] == [
        ("b", -0.3),
        ("a", 0.3),
        ("a", 0.6),
    ]


def test_losses_are_taken_among_the_named_arms_only():
    losses = contest_of([[1] * 9 + [0], [1] * 6 + [0] * 4, [1] * 3 + [0] * 7]).losses("bc")
    assert set(losses) == {"b", "c"}
    assert losses["c"].to == "b"


def test_two_arms_have_hsus_bounds_from_normal_resamples():
    # One comparison: the one-sided 95 % point of the normal distribution, 1.645.
    draw = np.random.default_rng(0)
    resampled = np.array([[0.80], [0.76]]) + draw.normal(0, 0.02, size=(2, 200_000))
    losses = Contest(("a", "b"), np.array([0.80, 0.76]), resampled, 10_000).losses("ab")
    half = 1.645 * 0.02 * np.sqrt(2)
    assert losses["b"].low == pytest.approx(0.04 - half, abs=5e-4)
    assert losses["b"].high == pytest.approx(0.04 + half, abs=5e-4)
    assert losses["a"].high == pytest.approx(-0.04 + half, abs=5e-4)


def test_differences_of_three_arms_use_dunnetts_critical_value():
    # Dunnett 1964, two-sided 95 %, two comparisons with one control, many degrees: 2.21.
    draw = np.random.default_rng(0)
    resampled = draw.normal(0, 0.02, size=(3, 200_000))
    low, high = Contest(tuple("abc"), np.zeros(3), resampled, 10_000).differences("a", "abc")["b"]
    assert (low, high) == pytest.approx((-2.21 * 0.02828, 2.21 * 0.02828), abs=5e-4)


@pytest.mark.parametrize(("units", "wider"), [(None, 1.0), (10, np.sqrt(10 / 9) * 1.833 / 1.645)])
def test_few_independent_items_widen_bounds_by_t_and_the_bootstraps_narrowness(units, wider):
    draw = np.random.default_rng(0)
    resampled = np.array([[0.80], [0.76]]) + draw.normal(0, 0.02, size=(2, 200_000))
    # A narrow range keeps the rule of three out of it.
    contest = Contest(("a", "b"), np.array([0.80, 0.76]), resampled, 10_000, 0.1, units)
    low = contest.losses("ab")["b"].low
    assert low == pytest.approx(0.04 - 1.645 * 0.02 * np.sqrt(2) * wider, abs=5e-4)


def unlike_arms(scores):
    """Return arm a, which goes its own way, and b and c, which all but move as one."""
    draw = np.random.default_rng(0).normal(size=(3, 200_000))
    noise = np.array([0.02 * draw[0], 0.02 * draw[1], 0.02 * draw[1] + 0.001 * draw[2]])
    scores = np.array(scores)
    return Contest(tuple("abc"), scores, scores[:, None] + noise, 10_000)


def test_each_arm_is_tested_as_the_reference_itself_and_its_rivals_bound_its_loss():
    # Seen from a, b and c are one comparison: 1.645. Seen from b, a and c are two independent
    # ones: the 95 % point of the larger of two, 1.955.
    losses = unlike_arms([0.80, 0.84, 0.84]).losses("abc")
    spread = 0.02 * np.sqrt(2)
    assert losses["a"].low == pytest.approx(0.04 - 1.645 * spread, abs=1e-3)
    assert losses["a"].high == pytest.approx(0.04 + 1.955 * spread, abs=1e-3)


@given(RIGHT_OR_WRONG)
@settings(max_examples=60, deadline=None)
def test_bounds_contain_the_point_and_claim_no_more_than_three_in_n(values):
    contest = contest_of(values, resamples=200)
    losses = contest.losses(contest.names)
    if len(values) == 1:
        return
    in_play = {name for name, loss in losses.items() if loss.low <= 0}
    for name, loss in losses.items():
        assert loss.low <= loss.value + 1e-9
        assert loss.high >= loss.value - 1e-9
        if in_play - {name}:
            assert loss.high >= 3 / contest.n - 1e-9
        else:
            assert loss.high == 0
        assert loss.low <= loss.value - 3 / contest.n + 1e-9
        assert np.isfinite([loss.low, loss.high]).all()
    assert any(loss.low <= 0 for loss in losses.values())
    best = contest.names[int(np.argmax(contest.estimates))]
    assert losses[best].value <= 0
    for low, high in contest.differences(best, contest.names).values():
        assert high - low >= 6 / contest.n - 1e-9


@given(RIGHT_OR_WRONG, st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_of_arms_changes_no_bound(values, random):
    contest = contest_of(values, resamples=100)
    shuffled = list(contest.names)
    random.shuffle(shuffled)
    first, second = contest.losses(contest.names), contest.losses(shuffled)
    for name in contest.names:
        assert first[name].high == pytest.approx(second[name].high, abs=1e-9)
        assert (first[name].low or 0) == pytest.approx(second[name].low or 0, abs=1e-9)


@pytest.mark.parametrize("n", [40, 100, 300])
def test_two_differing_items_show_nothing_and_ten_do(n):
    # McNemar's z is the root of the number of items that only one arm has right.
    assert differing(n, 2).losses("ab")["b"].low <= 0
    assert differing(n, 10).losses("ab")["b"].low > 0


@pytest.mark.parametrize(("n", "times"), [(3, 3), (10, 3), (300, 3)])
def test_three_differing_items_show_nothing_even_where_all_of_them_differ(n, times):
    # Three of three: the bootstrap sees no spread at all, chance alone does so one time in eight.
    losses = differing(n, times).losses("ab")
    assert losses["b"].low <= 0
    assert losses["a"].high == pytest.approx(3 / n)


def test_the_last_arm_that_can_be_the_best_loses_nothing():
    # Constrained comparison with the best (Hsu): no rival is left that could be better.
    values = (np.random.default_rng(4).random((3, 120)) < [[0.97], [0.7], [0.6]]).astype(float)
    losses = contest_of(values).losses("abc")
    assert (losses["b"].low > 0, losses["c"].low > 0) == (True, True)
    assert (losses["a"].value < 0, losses["a"].high) == (True, 0)
    assert losses["b"].high > losses["b"].value


def test_a_clearly_worse_arm_is_shown_worse():
    values = (np.random.default_rng(4).random((3, 300)) < [[0.9], [0.9], [0.7]]).astype(float)
    losses = contest_of(values).losses("abc")
    assert losses["c"].low > 0.05
    assert losses["a"].low <= 0 or losses["b"].low <= 0


@pytest.mark.parametrize("n", [10, 80])
@pytest.mark.parametrize("shared", [0.0, 0.8])
@pytest.mark.parametrize("arms", [2, 4])
def test_one_of_equally_good_arms_is_rarely_shown_worse(arms, shared, n):
    draw = np.random.default_rng(11)
    excluded, rounds = 0, 300
    for _ in range(rounds):
        items = draw.random(n) < 0.85
        own = draw.random((arms, n)) < 0.85
        values = np.where(draw.random((arms, n)) < shared, items, own)
        losses = contest_of(values, 300, int(draw.integers(2**31))).losses("abcdefgh"[:arms])
        excluded += sum(loss.low > 0 for loss in losses.values()) / arms
    # 5 % by design; 300 resamples of 80 independent items come to 6 or 7.
    assert excluded / rounds <= 0.08


def test_upper_bounds_rarely_fall_short_of_the_true_loss():
    draw = np.random.default_rng(12)
    truth = np.array([[0.90], [0.84], [0.80]])
    loss_of = {"a": -0.06, "b": 0.06, "c": 0.10}
    short, rounds = 0, 300
    for _ in range(rounds):
        values = draw.random((3, 100)) < truth
        losses = contest_of(values, 300, int(draw.integers(2**31))).losses("abc")
        short += any(losses[name].high < true for name, true in loss_of.items())
    assert short / rounds <= 0.05 + 2.5 * np.sqrt(0.05 * 0.95 / rounds)
