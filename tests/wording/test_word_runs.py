"""What counts as a run of words, in scripts with and without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.wording.word_runs import chunks, holds, lines

TOWER = "The tower,  built\tin 1889,\nis 330 m high (1,083 ft)."


@pytest.mark.parametrize("run", ["built in 1889", "1889", "330 m", "(1,083 ft).", " The tower, "])
def test_a_run_of_words_within_a_line_is_held_whatever_the_blanks(run):
    assert holds(TOWER, run)


@pytest.mark.parametrize("run", ["188", "owe", "1889, is", "built 1889", "the tower", "", "  "])
def test_parts_of_words_other_words_and_lines_are_not(run):
    assert not holds(TOWER, run)


@pytest.mark.parametrize(
    ("text", "run", "inside"),
    [
        ("北京是中国的首都。", "中国", True),
        ("กรุงเทพเป็นเมืองหลวง", "เมือง", True),
        ("서울에서 만나요", "서울", True),
        ("東京タワーは333m", "333", False),  # "333m" is one word
        ("नई दिल्ली भारत की राजधानी", "दिल्ली", True),
        ("नई दिल्ली भारत की राजधानी", "दिल", False),
        ("ein Cafe\u0301 dort", "Cafe", False),
    ],
)
def test_scripts_without_spaces_are_taken_by_the_character(text, run, inside):
    assert holds(text, run) is inside


def test_a_later_place_counts_where_the_first_cuts_a_word():
    assert holds("carpet and car", "car")


@given(st.text())
def test_chunks_lose_nothing(text):
    for line in lines(text):
        assert "".join(chunks(line)) == line
        assert holds(text, line)
