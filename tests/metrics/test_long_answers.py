"""Answers of any length are read in time that grows as they do, and as short ones are."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.metrics import read_object
from harness.metrics.numbers import read_number
from harness.metrics.reading import _denied, final_answer, plain, read_choice, squad_normalised
from harness.metrics.text import token_f1
from harness.metrics.words import WordTokenizer, cuts_no_word, letters_of, spaced

LENGTH = 100_000
"""Characters. What reads them in the square of it is stopped by pytest's time limit."""
LABELS = ["card", "card lost", "A", "yes", "no", "not", "a", "."]
REPEATED = [
    "not ",
    "no a ",
    "n't ",
    "kein",
    "不",
    "不!",
    "card ",
    "card. ",
    "card lost\n",
    "A ",
    "A is ",
    "*A*",
    "a",
    ".",
    "{",
    "}",
    '{"a":',
    '{"a":[',
    "{} ",
    "[",
    "<think>",
    "</think>",
    "<",
    "Answer: ",
    "Answer: x\n",
    "final ",
    "\\boxed{",
    "```json\n",
    " ",
    "\n",
    "1",
    "1,",
    "123,",
    "+ ",
    "-",
    '"',
    "the ",
    "e\u0301",
    "\u0301",
    "ſ",
    "ﬃ",
]
LONG = {repr(part): (part * (LENGTH // len(part) + 1))[:LENGTH] for part in REPEATED}
LONG |= {f"{key} and a label": f"{text} card" for key, text in LONG.items()}
BLANKS = " " * LENGTH
LONG |= {
    f"{before!r}, blanks, {behind!r}": f"{before}{BLANKS}{behind}"
    for before in ("not", "A", "+", "Answer", "answer is", "the", "x", "```")
    for behind in ("card", "y", "1", "!")
}
READERS = {
    "choice": lambda text: read_choice(text, LABELS),
    "final": final_answer,
    "plain": plain,
    "squad": squad_normalised,
    "object": read_object,
    "number": read_number,
    "token_f1": lambda text: token_f1(text, "card lost"),
    "words": WordTokenizer().tokenize,
}


@pytest.mark.timeout(
    100
)  # a hundred texts; read in the square of their length they take many minutes
@pytest.mark.parametrize("reader", READERS)
def test_long_answers_of_any_shape_are_read(reader):
    for text in LONG.values():
        READERS[reader](text)


def test_a_long_answer_is_read_as_a_short_one():
    assert read_choice("card " * 50_000, ["card", "yes"]) == "card"
    assert read_choice("card " * 50_000 + "or not card", ["card", "yes"]) is None
    assert read_choice("It is not. " * 50_000 + "It is card", ["card", "yes"]) == "card"
    assert read_number("+" + " " * 50_000 + "7 kg") == read_number("+7 kg")


BEFORE = re.compile(
    r"(?:(?<!\w)(?:not|never|neither|nor|no|non|cannot|without|nicht|kein\w*|pas|ni|не|нет)"
    r"|n['’]t)(?:\s+\w+){0,2}\W*$|(?:不是|不属于|并非|不会是|没有|不|非|未|無)\W*$",
    re.IGNORECASE,
)
"""What denies a label that stands behind it: looked for from each label backwards."""
PARTS = ["not", "no", "non", "kein", "keine", "n't", "不", "不是", "不属于", "并非", "没有", "нет"]
PARTS += [" ", "  ", "\n", ".", "; ", ", ", "-", "a", "word", "中", "_", "card", "не"]


@example("non't")  # the n belongs to both
@given(st.lists(st.sampled_from(PARTS), max_size=9).map("".join))
def test_a_place_is_denied_where_a_negation_ends_before_it(text):
    denied = _denied(text)
    for begin in range(len(text) + 1):
        clause = re.split(r"[.;!?。；！？\n]", text[:begin])[-1]
        left = text[begin - 1 : begin + 1]
        if len(left) == 2 and re.fullmatch("[a-zа-я]{2}", left):
            continue  # inside a word, where no label begins
        assert bool(denied[begin]) == bool(BEFORE.search(clause)), (text, begin)


@given(st.text(st.sampled_from("aZ_9 é\u0301中の.。・٣"), max_size=8), st.data())
def test_a_part_cuts_no_word_where_its_neighbours_are_of_other_words(text, data):
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    if begin == end:
        return
    letters = [bool(re.fullmatch("[aZ_9é\u0301٣]", character)) for character in text]
    cut = (begin and letters[begin - 1] and letters[begin]) or (
        end < len(text) and letters[end - 1] and letters[end]
    )
    assert cuts_no_word(letters_of(text), begin, end) == (not cut)


def test_letters_without_spaces_are_set_apart_and_marks_between_them_dropped():
    assert spaced("ab中文、の。x") == "ab 中  文   の  x"
