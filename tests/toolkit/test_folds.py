"""Folds hold every row once and spread each label; too few rows make fewer folds, or none."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.toolkit.folds import dealt


@given(st.lists(st.sampled_from("abcdef"), max_size=60), st.integers(2, 7), st.integers(0, 3))
def test_every_row_is_held_out_once_and_labels_are_spread(answers, most, seed):
    folds = dealt(answers, most, seed)
    if not folds:
        counts = sorted(Counter(answers).values())
        assert not counts or counts[(len(counts) - 1) // 2] < 2
        return
    assert 2 <= len(folds) <= most
    assert sorted(place for fold in folds for place in fold) == list(range(len(answers)))
    sizes = list(map(len, folds))
    assert max(sizes) - min(sizes) <= 1
    for label in set(answers):
        held = [sum(answers[place] == label for place in fold) for fold in folds]
        assert max(held) - min(held) <= 1
    assert folds == dealt(answers, most, seed)


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        ("aaabbbccc", 3),  # three rows a label
        ("aaaaabbbbb" * 2, 5),
        ("aabb", 2),
        ("ab", 0),
        ("abc" + "d" * 9, 0),
        ("a" * 20 + "b" * 20 + "c", 5),  # one label with a single row
        ("", 0),
    ],
)
def test_there_are_as_many_folds_as_the_middle_label_has_rows(answers, count):
    assert len(dealt(answers, 5, 0)) == count
