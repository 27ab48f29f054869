"""Fusion: two searches joined, by scores and by ranks, against values computed by hand."""

import numpy as np
import pytest

from harness.retrieval.fusion import convex_combination, reciprocal_rank_fusion


def array(*values):
    return np.array(values, dtype=np.float32)


def test_scores_are_the_mean_of_shares_of_the_largest():
    found = convex_combination(array(4, 2, 0), array(0.5, 1.0, 0.25))
    assert found.tolist() == [0.75, 0.75, 0.125]
    assert found.dtype == np.float32


def test_a_score_below_zero_counts_as_none():
    assert convex_combination(array(-1, 2), array(1, -3)).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(("other", "found"), [((0, 0), (0.5, 0.25)), ((-1, -2), (0.5, 0.25))])
def test_a_search_that_found_nothing_changes_no_order(other, found):
    assert convex_combination(array(2, 1), array(*other)).tolist() == list(found)


def test_nothing_joined_is_nothing():
    assert convex_combination(array(), array()).tolist() == []
    assert reciprocal_rank_fusion([[], []]) == []


def test_ranks_are_summed_as_reciprocals_behind_sixty():
    found = reciprocal_rank_fusion([[7, 3, 5], [3, 9]])
    assert [place for place, _ in found] == [3, 7, 9, 5]
    assert [score for _, score in found] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_of_equal_ranks_the_first_met_is_first():
    assert [place for place, _ in reciprocal_rank_fusion([[4, 1], [1, 4]])] == [4, 1]
