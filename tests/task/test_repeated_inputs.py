"""Rows that ask the same are found without holding every row's key."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.task.audit.answers import two_views
from harness.task.audit.repeated_inputs import RepeatedInputs
from harness.task.same_input import key_of
from harness.types import Example, Query, Split


def splits(**texts):
    return {
        name: Split(
            name,
            tuple(Example(Query(f"{name}{at}", text), ("a",)) for at, text in enumerate(some)),
        )
        for name, some in {"train": [], "validation": [], "test": [], **texts}.items()
    }


def test_rows_are_grouped_in_the_order_of_the_first_of_them():
    found = RepeatedInputs(splits(train=["c", "x", "b"], test=["B!", "a", "c", "A", "b"]))
    assert found.of("test") == [
        {"train": [2], "test": [0, 4]},
        {"test": [1, 3]},
        {"train": [0], "test": [2]},
    ]
    assert found.of("train") == [{"train": [0], "test": [2]}, {"train": [2], "test": [0, 4]}]
    assert found.leaked_ids() == ("test0", "test2", "test4")
    assert (found.inside("test"), found.inside("train"), found.inside("validation")) == (2, 0, 0)


def test_no_rows_at_all_are_no_groups():
    assert RepeatedInputs(splits()).of("test") == []


def test_keys_that_share_a_hash_are_still_different_inputs(monkeypatch):
    monkeypatch.setattr("builtins.hash", lambda key: 7)
    found = RepeatedInputs(splits(train=["a", "b"], test=["b", "c"]))
    assert found.leaked_ids() == ("test0",)
    assert found.of("train") == [{"train": [1], "test": [0]}]


WORDS = st.lists(st.sampled_from(["a", "A ", "b", "ß", "SS", "—", "é", "e\u0301"]), max_size=9)


@given(WORDS, WORDS, WORDS)
def test_the_same_is_found_as_by_comparing_every_pair(train, validation, test):
    given_splits = splits(train=train, validation=validation, test=test)
    found = RepeatedInputs(given_splits)
    keys = {name: [key_of(q) for q in split.queries] for name, split in given_splits.items()}
    learnt = keys["train"] + keys["validation"]
    leaked = [f"test{at}" for at, key in enumerate(keys["test"]) if key in learnt]
    assert list(found.leaked_ids()) == leaked
    for name, some in keys.items():
        assert found.inside(name) == len(some) - len(set(some))


@pytest.mark.parametrize("n", [3, 60])
def test_pairs_are_told_in_the_order_of_their_first_rows(n):
    """Of many rows that ask the same each is compared with the first only."""
    askers = [("x",), ("y",)]
    rows = [
        Example(
            Query(f"t{at}", "same" if at % 2 else "other", groups=askers[at // 2 % 2]), (str(at),)
        )
        for at in range(4 * n)
    ]
    repeated = RepeatedInputs({**splits(), "test": Split("test", tuple(rows))})
    (said,) = two_views(repeated, exact=True)
    expected = []
    for first in range(4):
        alike = [f"t{at}" for at in range(first, 4 * n, 4)]
        pairs = combinations(alike, 2) if n <= 50 else ((alike[0], one) for one in alike[1:])
        expected += [f"{one} and {other}" for one, other in pairs]
    assert f"({', '.join(expected[:5])}, and {len(expected) - 5} more)" in said.text
