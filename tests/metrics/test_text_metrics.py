"""Exact match follows SQuAD's rules: case, punctuation, articles and spaces do not count."""

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics import Items, find
from harness.metrics.answers import normalise_answer

EXACT_MATCH = find("exact_match")


# By the order of evaluate-v2.0.py: lower case, punctuation out, articles out, spaces joined.
@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("The  Cat!", "cat"),
        ("an apple a day", "apple day"),
        ("a", ""),
        ("A.", ""),
        ("theatre", "theatre"),
        ("the-cat", "thecat"),
        ("a.m.", "am"),
        ("O'Neill", "oneill"),
        ("1,000", "1000"),
        ("$5.50", "550"),
        ("  new\tYork\n", "new york"),
        ("Café “X”", "café “x”"),
        ("", ""),
    ],
)
def test_answers_are_normalised_as_squad_does(answer, normal):
    assert normalise_answer(answer) == normal


@settings(deadline=None)
@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_where_no_article_appears_anew(text):
    once = normalise_answer(text)
    assert not set(once) & set(string.punctuation)
    assert once == " ".join(once.split())
    assert not {"a", "an", "the"} & set(once.split())


@pytest.mark.parametrize(
    ("text", "targets", "right"),
    [
        ("the Eiffel Tower.", ("Eiffel Tower",), 1),
        ("Eiffel", ("Eiffel Tower",), 0),
        ("Paris, France", ("paris france", "Paris"), 1),
        ("paris", ("paris france", "Paris"), 1),
        ("It is Paris", ("Paris",), 0),
        ("", ("Paris",), 0),
        (None, ("Paris",), 0),
        (None, ("the",), 0),
        ("", ("the",), 1),
    ],
)
def test_an_answer_is_right_if_it_equals_an_accepted_one(text, targets, right):
    assert EXACT_MATCH.value(Items([text], [targets])) == right


def test_the_value_is_the_share_of_right_answers():
    assert EXACT_MATCH.value(Items(["x", None, "y", "Z"], [("x",), ("x",), ("x",), ("z",)])) == 0.5


def test_no_items_have_no_exact_match():
    assert math.isnan(EXACT_MATCH.value(Items([], [])))
