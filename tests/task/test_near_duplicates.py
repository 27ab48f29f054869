"""Near-duplicates across splits are found, and nothing else is called one."""

from __future__ import annotations

from harness.task import near_duplicates
from harness.types import Example, Query, Split

TRAIN = [
    "My card has not arrived yet, it is two weeks now",
    "How do I change the PIN of my card?",
    "The transfer to my sister was declined twice this morning",
]


def splits(*tests, train=TRAIN):
    return {
        name: Split(
            name,
            tuple(Example(Query(f"{name}-{i}", t), ("x",)) for i, t in enumerate(texts)),
        )
        for name, texts in (("train", train), ("validation", []), ("test", tests))
    }


def test_a_typo_does_not_hide_a_repeated_input():
    found = near_duplicates(splits("My card has not arrived yet, it's two weeks now!", "Hello"))
    assert found[0].startswith("1 of 2 test inputs (50.0%)")
    assert "test-0 is nearly train-0" in found[1]


def test_the_same_topic_in_other_words_is_not_a_duplicate():
    found = near_duplicates(splits("Still waiting for my new card to be delivered"))
    assert found == (
        "0 of 1 test inputs (0.0%) are nearly the same as one in train or validation"
        " (cosine of character n-grams at least 0.9)",
    )


def test_without_other_splits_there_is_nothing_to_compare():
    assert "no other splits" in near_duplicates(splits("Hello", train=[]))[0]
