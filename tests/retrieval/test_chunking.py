"""Passages: cut at headings, then by length; nothing is lost and nothing is too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.retrieval import Passage, cut, sentences
from harness.retrieval.bm25_index import words_of
from harness.retrieval.chunking import count_words
from harness.types import Document


def passages(text, words=80, overlap=0, title="T"):
    return cut([Document("d", title, text, ("staff",))], words, overlap)


def texts(text, words=80, overlap=0):
    return [passage.text for passage in passages(text, words, overlap)]


def test_headings_become_paths():
    text = "Before.\n# Bikes #\nA.\n## Otter\nB.\n### Bolt ###\nC.\n## C#\nD.\n# End\nE."
    assert [(passage.heading, passage.text) for passage in passages(text)] == [
        ("", "Before."),
        ("Bikes", "A."),
        ("Bikes › Otter", "B."),
        ("Bikes › Otter › Bolt", "C."),
        ("Bikes › C#", "D."),
        ("End", "E."),
    ]


def test_a_passage_carries_its_document_and_is_headed():
    (first,) = passages("# Bikes\n## Otter\nB.", title="Bikes")
    assert first == Passage("d", "Bikes", "Bikes › Otter", "B.", ("staff",))
    assert first.headed_text == "Bikes › Otter\nB."
    assert passages("B.", title="")[0].headed_text == "B."


@pytest.mark.parametrize(
    "line",
    ["#no space", "\\# escaped", "    # indented code", "# " + "long " * 50, "#", "####### x"],
)
def test_what_only_looks_like_a_heading_is_text(line):
    (only,) = passages(f"{line}\nBelow.")
    assert only.heading == ""
    assert only.text.split() == f"{line} Below.".split()


@pytest.mark.parametrize(
    "code",
    [
        "```\n# a comment\n```",
        "~~~\n# a comment\n~~~",
        "  ```py\n# a comment\n```",
        "```\n~~~\n# a comment\n```",
        "````\n```\n# a comment\n````",
        "``` `not a fence` ```\n\n```\n# a comment\n```",
    ],
)
def test_a_comment_in_fenced_code_is_no_heading(code):
    assert {passage.heading for passage in passages(f"# A\n{code}\n# B\nx")} == {"A", "B"}


def test_underlined_lines_are_headings():
    text = "Bikes\n=====\nA.\n\nOtter\n---\nB.\nC.\n\n- item\n---\n\nD\nE\n---\nF."
    assert [(passage.heading, passage.text) for passage in passages(text)] == [
        ("Bikes", "A."),
        ("Bikes › Otter", "B. C.\n- item ---\nD E --- F."),
    ]
    assert {p.heading for p in passages("```\nA\n===\n```")} == {""}
    assert {p.heading for p in passages("---\ntitle: x\n---\nA.")} == {""}


def test_code_in_fences_keeps_its_lines_and_indentation():
    code = "```py\nif wet:\n    brake()  # early. And twice.\n\n    stop()\n```"
    (found,) = texts(f"Run\nthis:\n{code}\nThen\nrest.")
    assert found == f"Run this:\n{code}\nThen rest."
    (found,) = texts("- Run:\n\n  ```\n  a\n  b\n  ```")
    assert found == "- Run:\n  ```\n  a\n  b\n  ```"


def test_long_code_is_cut_between_its_lines_and_a_long_line_of_it_inside():
    assert texts("```\n  a b\n  c d\n  e f g h\n```", words=3) == [
        "```\n  a b",
        "  c d",
        "  e f g",
        "h\n```",
    ]


@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("<details>\n# In HTML\nA.\n</details>", {"", "In HTML"}),
        ("- item\n\n  # In a list\n\n  A.", {""}),
        ("> # In a quotation\n> A.", {""}),
        ("- item\n# After a list\nA.", {"", "After a list"}),
        ("• item\n---\nA.", {""}),
        ("| a | b |\n--------\nA.", {""}),
        ("# A `code` *name*\nA.", {"A `code` *name*"}),
        ("#\tTab\nA.", {"Tab"}),
        ("x" * 201 + "\n===\nA.", {""}),
        ("---\ntitle: x\n\nby: y\n---\n# A\nA.", {"", "A"}),
        ("---\ntitle: x\n\n# Never closed\nA.", {"", "Never closed"}),
        ("---\nA rule, no front matter.\n\n# A\nA.", {"", "A"}),
    ],
)
def test_headings_are_those_of_markdown_at_the_top_of_a_page(text, headings):
    assert {passage.heading for passage in passages(text)} == headings


def test_lists_and_tables_keep_their_lines_and_wrapped_prose_does_not():
    text = (
        "Fees\nas follows.\n- up to 2 kg:\n  4 euros\n- pallet: 60\n\n| a | b |\n| 1 | 2 |\n\nEnd."
    )
    (found,) = texts(text)
    assert found.split("\n") == [
        "Fees as follows.",
        "- up to 2 kg: 4 euros",
        "- pallet: 60",
        "| a | b |",
        "| 1 | 2 |",
        "End.",
    ]
    assert sentences(found)[1:3] == ["- up to 2 kg: 4 euros", "- pallet: 60"]


def test_code_that_is_never_closed_goes_on_to_the_end():
    assert {passage.heading for passage in passages("# A\n```\n# B\nx")} == {"A"}


def test_a_heading_without_text_below_it_is_found_as_text():
    found = [
        (p.heading, p.text) for p in passages("# Call 112\n# Bikes\n## Otter\n### Bolt\nB.\n## Ox")
    ]
    assert found == [("", "Call 112"), ("Bikes › Otter › Bolt", "B."), ("Bikes", "Ox")]


def test_sentences_keep_their_quotes_and_list_items_are_apart():
    text = 'He said "Stop." (Twice.) Then 3.5 m…  Done!\n- one\n- two 你好。再见！」完'
    assert sentences(text) == [
        'He said "Stop."',
        "(Twice.)",
        "Then 3.5 m…",
        "Done!",
        "- one",
        "- two 你好。",
        "再见！」",
        "完",
    ]
    assert sentences(" \n ") == []


def test_passages_are_filled_with_whole_sentences():
    assert texts("A b. C d e. F. G h.", words=4) == ["A b.", "C d e. F.", "G h."]


def test_a_passage_repeats_the_last_sentences_of_the_one_before():
    assert texts("A. B c. D e. F g.", words=5, overlap=2) == ["A. B c. D e.", "D e. F g."]
    assert texts("A. B. C. D. E.", words=3, overlap=2) == ["A. B. C.", "B. C. D.", "C. D. E."]
    assert texts("A b c. D e f.", words=3, overlap=2) == ["A b c.", "D e f."]


def test_overlap_does_not_reach_over_headings():
    assert texts("A.\n# H\nB.", words=2, overlap=1) == ["A.", "B."]


def test_a_sentence_that_is_too_long_is_cut():
    assert texts("a b c d e f g.", words=3) == ["a b c", "d e f", "g."]


@pytest.mark.parametrize("character", "字ร가あ")
def test_scripts_without_spaces_are_cut_too(character):
    found = texts(character * 100, words=30)
    assert [len(text) for text in found] == [30, 30, 30, 10]
    assert "".join(found) == character * 100


def test_a_run_of_letters_without_end_is_cut():
    found = texts("x" * 1000, words=5)
    assert [len(text) for text in found] == [200] * 5


def test_documents_keep_their_order_and_empty_ones_give_nothing():
    documents = [Document("b", "", "B."), Document("e", "", " \n"), Document("a", "", "A.")]
    assert [passage.document_id for passage in cut(documents, 5, 0)] == ["b", "a"]


def test_a_document_of_enormous_length_is_cut():
    text = "# " + " " * 100_000 + "x\n" + "." * 100_000 + "\n" + "# H\nAll is well. " * 20_000
    assert sum(count_words(found.text) for found in passages(text)) > 60_000


# Shorter than 40 characters: a longer run without spaces is cut wherever it has as many.
LINES = st.one_of(
    st.text(max_size=36),
    st.text(st.sampled_from("ab .!?\"')。字ร\n\t#`~-"), max_size=36),
    st.builds(lambda marks, name: f"{'#' * marks} {name}", st.integers(1, 6), st.text(max_size=9)),
    st.sampled_from(["```", "~~~", "# Heading #", "Word " * 30, "## "]),
)


@given(st.lists(LINES, max_size=12).map("\n".join), st.integers(1, 12), st.integers(0, 15))
def test_every_word_stands_in_some_passage_and_none_is_too_long(text, words, overlap):
    found = passages(text, words, overlap, title="")
    kept = " ".join(f"{passage.heading} {passage.text}" for passage in found)
    assert set(words_of(text)) <= set(words_of(kept))
    assert all(0 < count_words(passage.text) <= words for passage in found)
