"""Which rows a point of a curve has: nested, stratified, exact; what noise and augmentation do."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.store.rows_variant import RowsVariant
from harness.task.training_rows import learnt_rows, shares
from harness.types import Example, Query, Split


def split(name, labels):
    rows = (
        Example(Query(f"{name}-{n}", f"the {label} message number {n}"), (label,))
        for n, label in enumerate(labels)
    )
    return Split(name, tuple(rows))


TRAIN = split("train", ["common"] * 60 + ["middle"] * 20 + ["rare"] * 4)
VALIDATION = split("validation", ["common"] * 15 + ["middle"] * 5 + ["rare"])


def learnt(by_target=True, **variant):
    return learnt_rows(TRAIN, VALIDATION, RowsVariant(**variant), by_target=by_target)


def ids(rows):
    return {row.query.id for row in rows}


@given(st.integers(1, 500), st.integers(1, 400), st.integers(0, 100))
def test_a_size_is_shared_in_the_tasks_proportion(size, train_n, validation_n):
    size = min(size, train_n + validation_n)
    of_train, of_validation = shares(size, train_n, validation_n)
    assert of_train + of_validation == size
    assert of_train >= 1
    assert abs(of_validation - size * validation_n / (train_n + validation_n)) <= 1


@given(st.integers(1, 104), st.integers(0, 3))
def test_a_size_is_exact_and_lies_within_each_larger_one(size, repeat):
    small, large = learnt(size=size, repeat=repeat), learnt(size=size + 1, repeat=repeat)
    assert len(small.train) + len(small.validation) == size
    for name in ("train", "validation"):
        assert ids(getattr(small, name)) <= ids(getattr(large, name))


def test_every_label_has_a_row_where_the_size_allows_and_keeps_its_share():
    assert Counter(r.targets[0] for r in learnt(size=4).train) == {
        "common": 1,
        "middle": 1,
        "rare": 1,
    }
    half = Counter(row.targets[0] for row in learnt(size=52).train)
    assert half == {"common": 30, "middle": 10, "rare": 2}


def test_rows_stand_in_the_order_in_which_they_are_given():
    order = [row.query.id for row in TRAIN]
    chosen = [row.query.id for row in learnt(size=30).train]
    assert chosen == sorted(chosen, key=order.index)


def test_repeats_and_seeds_draw_other_rows_and_the_same_ones_again():
    rows = learnt(size=30).train
    assert rows == learnt(size=30).train
    assert ids(rows) != ids(learnt(size=30, repeat=1).train)
    assert ids(rows) != ids(learnt(size=30, seed=1).train)


def test_where_answers_are_no_labels_rows_are_drawn_as_they_come():
    assert len(learnt(by_target=False, size=30).train) == 24


def test_noise_gives_a_share_of_the_training_rows_another_label():
    found = learnt(noise=0.25)
    changed = [
        (before, after) for before, after in zip(TRAIN, found.train, strict=True) if before != after
    ]
    assert len(changed) == 21
    assert all(after.targets != before.targets for before, after in changed)
    assert all(after.query == before.query for before, after in changed)
    assert found.validation == VALIDATION
    assert found.train == learnt(noise=0.25).train != learnt(noise=0.25, repeat=1).train


def test_noise_cannot_change_rows_that_all_have_one_answer():
    rows = split("train", ["a"] * 10)
    found = learnt_rows(rows, VALIDATION, RowsVariant(noise=0.5), by_target=True)
    assert found.train == rows


@pytest.mark.parametrize("factor", [2, 3])
def test_augmented_rows_are_marked_and_stand_behind_what_they_are_made_of(factor):
    found = learnt(factor=factor, kinds=("typo",))
    assert len(found.train) == factor * len(TRAIN)
    assert found.validation == VALIDATION
    assert [row for row in found.train if row.query.id not in found.made_of] == list(TRAIN)
    for place, row in enumerate(found.train):
        if (source := found.made_of.get(row.query.id)) is not None:
            original = found.train[place - place % factor]
            assert original.query.id == source
            assert row.query.id == f"{source}~typo-{place % factor}"
            assert row.targets == original.targets
            assert row.query.text != original.query.text


def test_a_row_without_a_long_word_has_none_made_of_it():
    rows = Split("train", (Example(Query("a", "it is so"), ("x",)),))
    found = learnt_rows(rows, VALIDATION, RowsVariant(factor=2, kinds=("typo",)), by_target=True)
    assert found.train == rows
