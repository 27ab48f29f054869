"""Hashes of lists, written in parts: the digest is the one of the whole."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.files.hashing import AT_ONCE, sha256_of, sha256_of_items
from harness.types import Example, Query, Split


@pytest.mark.parametrize("n", [0, 1, 2, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE])
def test_a_hash_in_parts_is_the_hash_of_the_whole_list(n):
    values = [{"b": "ü", "a": [number, None, 1.5]} for number in range(n)]
    assert sha256_of_items(iter(values)) == sha256_of(values)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
FIELDS = st.dictionaries(TEXTS, st.one_of(TEXTS, st.none(), st.lists(st.floats(0, 1), max_size=2)))
EXAMPLES = st.builds(
    Example,
    st.builds(Query, TEXTS, TEXTS, FIELDS, st.lists(TEXTS, max_size=2).map(tuple)),
    st.lists(TEXTS, max_size=3).map(tuple),
)


@given(st.lists(EXAMPLES, max_size=4))
def test_a_splits_hash_is_that_of_its_rows_as_dicts(examples):
    """Ids of trials rest on it: runs that are on record must be found again."""
    assert Split("test", tuple(examples)).sha256 == sha256_of(list(map(asdict, examples)))


def test_a_splits_hash_is_the_one_on_record():
    rows = (
        Example(Query("1", "Grüße", {"v": 2}, ("hr",)), ("a", "b")),
        Example(Query("2", ""), ()),
    )
    known = "23b34e5e5eabbc4f25f267251eab812803ff6225f336ef7a6d6fb270c07f0176"
    assert Split("test", rows).sha256 == known
