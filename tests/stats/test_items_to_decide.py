"""How many items would decide about an arm, by hand and against the bounds themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.stats.mcb import MultipleComparisons


def normal(scores, sd, n, **more):
    """Return arms whose resamples spread by `sd` around their scores, independently."""
    scores = np.array(scores)
    noise = np.random.default_rng(0).normal(size=(len(scores), 20_000))
    noise -= noise.mean(axis=1, keepdims=True)
    return MultipleComparisons(
        tuple("abcd"[: len(scores)]), scores, scores[:, None] + sd * noise, n, **more
    )


def test_bounds_shrink_with_the_root_of_the_rows_to_the_nearer_side():
    made = normal([0.90, 0.88], 0.03, 10_000)
    half = 1.645 * 0.03 * np.sqrt(2)
    needed = made.items_to_decide("ab", "b", margin=0.05)
    # Within the margin is 3 points off, significantly worse only 2: 10,000 * (half / 0.03) ** 2.
    assert needed == pytest.approx(10_000 * (half / 0.03) ** 2, rel=0.03)


def test_a_gap_on_the_margin_is_decided_only_by_being_significant():
    made = normal([0.90, 0.85], 0.06, 10_000)
    half = 1.645 * 0.06 * np.sqrt(2)
    needed = made.items_to_decide("ab", "b", margin=0.05)
    assert needed == pytest.approx(10_000 * (half / 0.05) ** 2, rel=0.03)


def test_arms_that_differ_nowhere_need_what_the_rule_of_three_needs():
    alike = MultipleComparisons(("a", "b"), np.ones(2), np.ones((2, 10)), n=20)
    assert alike.items_to_decide("ab", "a", margin=0.05) == 60  # 3 in 60 are 5 points
    clustered = MultipleComparisons(("a", "b"), np.ones(2), np.ones((2, 10)), n=40, units=20)
    assert clustered.items_to_decide("ab", "a", margin=0.05) == 120


def test_no_number_of_rows_shows_that_like_arms_are_as_good():
    alike = MultipleComparisons(("a", "b"), np.ones(2), np.ones((2, 10)), n=20)
    assert alike.items_to_decide("ab", "a", margin=0.0) is None
    assert normal([0.9, 0.9], 0.02, 100).items_to_decide("ab", "a", margin=0.0) is None


def test_without_a_margin_the_leader_is_decided_once_its_rival_is_significantly_worse():
    made = normal([0.90, 0.88], 0.03, 1_000)
    needed = made.items_to_decide("ab", "a", margin=0.0)
    assert needed == made.items_to_decide("ab", "b", margin=0.0)
    assert made.gaps("ab", needed / 1_000)["b"].low > 0


@settings(max_examples=40)
@given(
    st.lists(st.integers(80, 90), min_size=2, max_size=4),
    st.sampled_from([0.0, 0.01, 0.05]),
    st.sampled_from([20, 100, 1_000]),
)
def test_so_many_items_decide_and_one_fewer_does_not(scores, margin, n):
    made = normal(np.array(scores) / 100, 0.03, n)
    among = made.names
    for name, gap in made.gaps(among).items():
        if gap.low > 0 or gap.high <= margin:
            continue
        needed = made.items_to_decide(among, name, margin)
        if needed is None:
            assert margin == 0
            assert gap.value == pytest.approx(0)
            continue
        few, enough = (made.gaps(among, rows / n)[name] for rows in (needed - 1, needed))
        assert enough.low > 0 or enough.high <= margin
        assert few.low <= 0
        assert few.high > margin
