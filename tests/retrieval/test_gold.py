"""Which passage is right for a labelled row, by its evidence or by its answer's words."""

from __future__ import annotations

import pytest

from harness.retrieval import Passage, gold_passage, is_gold
from harness.types import Example, Query

ROW = Example(Query("q", "How high is the tower?"), ("330 m", "330 metres"))
SAYS = Passage("tower", "Tower", "", "It is 330 metres high.")
ELSE = Passage("tower", "Tower", "", "It was built in 1889.", copies=("old",))
OTHER = Passage("hill", "", "", "The hill is 330 m high.")


@pytest.mark.parametrize(
    ("passage", "evidence", "right"),
    [
        (SAYS, ("tower",), True),
        (ELSE, ("old", "none such"), True),  # a copy stands for its document
        (OTHER, ("tower",), False),
        (OTHER, (), True),
        (ELSE, (), False),
        (SAYS, (), True),  # any accepted answer will do
    ],
)
def test_evidence_decides_and_else_the_words_of_an_answer(passage, evidence, right):
    assert is_gold(passage, ROW, evidence) is right


@pytest.mark.parametrize(
    ("found", "evidence", "shown"),
    [
        ([ELSE, OTHER, SAYS], ("tower",), (SAYS, "330 metres")),
        ([OTHER, ELSE], ("tower",), (ELSE, "330 m")),  # in other words than the document's
        ([ELSE, OTHER, SAYS], (), (OTHER, "330 m")),
        ([ELSE], (), None),
        ([OTHER], ("gone",), None),  # a document that the asker may not read, or without text
        ([], (), None),
    ],
)
def test_the_first_right_passage_with_the_answer_in_it_is_shown(found, evidence, shown):
    assert gold_passage(found, ROW, evidence) == shown
