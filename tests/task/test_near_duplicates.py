"""Near-duplicates across splits are found, and nothing else is called one."""

from __future__ import annotations

from harness.task import near_copies, near_duplicates
from harness.types import Document, Example, Query, Split

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
    assert found[0].text.startswith("1 of 2 test inputs (50.0%)")
    assert "test-0 is nearly train-0" in found[0].text


def test_the_same_topic_in_other_words_is_not_a_duplicate():
    found = near_duplicates(splits("Still waiting for my new card to be delivered"))
    assert found[0].text == (
        "0 of 1 test inputs (0.0%) are nearly the same as one in train or validation"
        " (similarity at least 0.8)"
    )


def test_a_test_row_that_nearly_is_a_training_row_and_another_test_row_is_told_with_the_first():
    asked = "Please tell me when the card that I ordered three weeks ago will at last arrive here"
    one = asked.replace("weeks", "wekks")
    found = near_duplicates(splits(one, one.replace("here", "hear"), train=[asked]))
    assert found[0].text.startswith("2 of 2 test inputs")
    assert found[0].text.count("is nearly train-0") == 2


def test_without_other_splits_there_is_nothing_to_compare():
    assert "no other splits" in near_duplicates(splits("Hello", train=[]))[0].text


def test_inputs_with_other_visible_fields_are_not_compared():
    train, test = (
        Split(name, (Example(Query(name, TRAIN[0], {"asked": asked}), ("x",)),))
        for name, asked in (("train", "time"), ("test", "people"))
    )
    found = near_duplicates({"train": train, "validation": Split("validation", ()), "test": test})
    assert found[0].text.startswith("0 of 1 test inputs")


PAGE = "Refund rules. Money goes back to the card within ten days after the return has arrived."


def pages(*texts):
    return [Document(f"d{n}", f"d{n}", text) for n, text in enumerate(texts)]


def test_documents_in_other_case_or_with_page_furniture_are_near_copies():
    found = near_copies(pages(PAGE, PAGE.upper(), f"{PAGE}\n\nPage 7", "We open at nine."))
    assert found[0].text.startswith("2 of 4 documents are nearly the same as an earlier one")
    assert "d1 is nearly d0 (similarity 1.00); " in found[0].text
    assert "d2 is nearly d0 " in found[0].text


def test_exact_copies_and_other_pages_are_no_near_copies():
    found = near_copies(pages(PAGE, PAGE.replace(" ", "\n"), "We open at nine on weekdays."))
    assert found[0].text.startswith("0 of 3 documents")
    assert near_copies(pages(PAGE)) == near_copies([]) == ()
