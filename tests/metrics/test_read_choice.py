"""What label a free text names: exact answers first, then whole words, and never a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import read_choice

LABELS = ["billing", "outage", "card", "card lost", "Not Sure"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("billing", "billing"),
        ("  Billing.\n", "billing"),
        ('"BILLING"', "billing"),
        ("“billing”", "billing"),
        ("**billing**", "billing"),
        ("__billing__", "billing"),
        ("`billing`", "billing"),
        ("(billing)", "billing"),
        ("Answer: billing", "billing"),
        ("answer = billing", "billing"),
        ("Answer:billing", "billing"),
        ("The answer is: outage!", "outage"),
        ("I would say billing, clearly.", "billing"),
        ("billing\n\nBecause the invoice is wrong.", "billing"),
        ("billing billing", "billing"),
        ("not sure", "Not Sure"),
        ("card", "card"),
        ("card lost", "card lost"),
        ("It is card lost.", "card lost"),
        ("card lost, so a card", None),
        ("billing or outage", None),
        ("cards", None),
        ("prebilling", None),
        ("billing2", None),
        ("none of them", None),
        ("", None),
        ("  \n", None),
        ("...", None),
    ],
)
def test_a_text_names_one_label_or_none(text, label):
    assert read_choice(text, LABELS) == label


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("C++.", ["C", "C++"], "C++"),
        ("Answer: C++", ["C", "C++"], "C++"),
        ("I use C++", ["C", "C++"], "C++"),
        ("(C++)", ["C", "C++"], "C++"),
        ("Answer: -1", ["-1", "0", "1"], "-1"),
        ("-1.", ["-1", "0", "1"], "-1"),
        ("Score: 1", ["-1", "0", "1"], "1"),
        ("1", ["1", "10"], "1"),
        ("10", ["1", "10"], "10"),
        ("#help", ["#help", "help"], "#help"),
        ("US", ["us", "US"], "US"),
        ("us", ["us", "US"], "us"),
        ("STRASSE", ["Straße", "Weg"], "Straße"),
        ("はい", ["はい", "いいえ"], "はい"),
        ("answer", ["answer", "question"], "answer"),
        ("the answer is question", ["answer", "question"], "question"),
        ("a.b", ["a.b", "axb"], "a.b"),
        ("axb", ["a.b", "c"], None),
    ],
)
def test_signs_that_belong_to_a_label_are_read_with_it(text, labels, label):
    assert read_choice(text, labels) == label
    assert read_choice(text, labels[::-1]) == label


STRIPPED = st.text(min_size=1, max_size=8).map(str.strip).filter(bool)


@given(st.lists(STRIPPED, min_size=2, max_size=5, unique=True), st.data())
def test_every_label_written_out_is_read_as_itself(labels, data):
    label = data.draw(st.sampled_from(labels))
    assert read_choice(label, labels) == label
    assert read_choice(f"  {label}\n", iter(labels)) == label


@given(st.text(max_size=40), st.lists(STRIPPED, max_size=5, unique=True))
def test_what_is_read_is_a_label_or_none(text, labels):
    assert read_choice(text, labels) in [*labels, None]
