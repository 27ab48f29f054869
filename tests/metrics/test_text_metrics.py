"""Exact match follows SQuAD's rules: case, punctuation, articles and spaces do not count."""

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import Items, find
from harness.metrics.reading import squad_normalised
from harness.metrics.words import WordTokenizer

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
        ("Café “X”", "café x"),
        ("", ""),
    ],
)
def test_answers_are_normalised_as_squad_does(answer, normal):
    assert squad_normalised(answer) == normal


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_where_no_article_appears_anew(text):
    once = squad_normalised(text)
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
        ("", ("the",), 0),
    ],
)
def test_an_answer_is_right_if_it_equals_an_accepted_one(text, targets, right):
    assert EXACT_MATCH.value(Items([text], [targets])) == right


def test_the_value_is_the_share_of_right_answers():
    assert EXACT_MATCH.value(Items(["x", None, "y", "Z"], [("x",), ("x",), ("x",), ("z",)])) == 0.5


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("полиция убила стрелка", "Полиция задержала стрелка.", 2 / 3),
        ("警察逮捕枪手", "警察击毙枪手。", 4 / 6),
        ("القاهرة هي العاصمة", "العاصمة القاهرة", 2 / 5),  # one word in order, of 3 and 2
        ("पुलिस ने मारा", "पुलिस ने पकड़ा", 2 / 3),
        ("ตำรวจ", "ตำรวจ", 1),
        ("cafe\u0301 noir", "Café", 2 / 3),  # an accent of its own is the same letter
        ("caf", "Café", 0),
        ("北京 2008", "2008年", 2 / 5),
    ],
)
def test_rouge_l_reads_every_script(text, target, expected):
    assert find("rouge_l").value(Items([text], [(target,)])) == pytest.approx(expected)


@given(st.text(st.characters(max_codepoint=127), max_size=60))
def test_ascii_is_cut_as_rouge_score_cuts_it(text):
    from rouge_score.tokenizers import DefaultTokenizer

    assert WordTokenizer().tokenize(text) == DefaultTokenizer().tokenize(text)


def test_no_items_have_no_exact_match():
    assert math.isnan(EXACT_MATCH.value(Items([], [])))
