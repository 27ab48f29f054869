"""What is right counts as right: behind thoughts, in any script; what is unclear is unread."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.metrics import Items, final_answer, find, read_choice, without_thoughts
from harness.metrics.numbers import read_number

SPAM = ["spam", "ham"]


@pytest.mark.parametrize(
    "text",
    [
        "<think>\nIt could be spam or ham. Let me see.\n</think>\n\nspam",
        "It could be ham.\n</think>\nspam",  # opened by the template
        "<thinking>ham?</thinking>spam",
        "<reasoning>ham</reasoning>\nspam",
        "[THINK]ham[/THINK]spam",
        "◁think▷ham◁/think▷spam",
        "<|START_THINKING|>ham<|END_THINKING|>spam",
        "<seed:think>ham</seed:think>spam",
        "<|channel|>analysis<|message|>ham<|end|><|start|>assistant<|channel|>final<|message|>spam",
        "It might look like spam, or like ham.\n\nFinal answer: \\boxed{spam}",
        "ham? \\boxed{\\text{spam}}",
        "Some would say spam, some ham.\nAnswer: spam",
        "Some would say spam, some ham.\n**Final Answer:** spam",
        "spam or ham?\nAntwort: spam",
        "Is it ham?\nОтвет: spam",
        "Spam!",
        "It is spam.",
        "»spam«",
        "「spam」",
        "ｓｐａｍ",
        "spam。",
    ],
)
def test_an_answer_is_read_behind_what_stands_around_it(text):
    assert read_choice(text, SPAM) == "spam"


@pytest.mark.parametrize(
    "text",
    [
        "not spam",
        "It is not a spam.",
        "This isn't spam",
        "Kein Spam",
        "это не spam",
        "spam or ham",
        "both spam and ham",
        "It is a tie.",
        "<think>spam, I would say",
        "<think>spam</think>",
        "\\boxed{",
        "neither",
    ],
)
def test_what_is_denied_open_or_cut_is_unread(text):
    assert read_choice(text, SPAM) is None


@pytest.mark.parametrize(
    ("text", "labels", "label"),
    [
        ("这条新闻属于体育类。", ["体育", "财经"], "体育"),
        ("答案：体育", ["体育", "财经"], "体育"),
        ("答案是A。", ["A", "B"], "A"),
        ("选A", ["A", "B"], "A"),
        ("Ａ", ["A", "B"], "A"),
        ("这不是体育", ["体育", "财经"], None),
        ("スパムではない", ["スパム", "普通"], None),
        ("それはスパムです", ["スパム", "普通"], "スパム"),
        ("A tie.", ["A", "B"], None),
        ("a tie", ["a", "b"], None),
        ("I think B", ["I", "B"], "B"),
        ("B is better", ["A", "B"], "B"),
        ("not sure", ["sure", "not sure"], "not sure"),
        ("-1", ["-1", "0", "1"], "-1"),
        ("−1", ["-1", "0", "1"], "-1"),
        ("cafe\u0301", ["café", "tea"], "café"),
        ("no", ["yes", "no"], "no"),
    ],
)
def test_labels_are_read_in_any_script(text, labels, label):
    assert read_choice(text, labels) == label


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("5", "-5"), ("35", "3.5"), ("15", "1,5"), ("-", "+"), ("", "A"), ("320", "$3.20"),
        ("C", "C++"), ("C#", "C++"), ("1012", "10-12"), ("075", "0.75"), ("50", "50%"), ("x", "="),
        ("+5", "-5"), ("1e5", "1e-5"), ("3:30", "330"),
    ],
)  # fmt: skip
def test_a_text_that_says_something_else_is_wrong(text, target):
    assert find("exact_match").value(Items([text], [(target,)])) == 0


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("the Eiffel Tower.", "Eiffel Tower"), ("-5.", "-5"), ("−5", "-5"), ("1,000", "1000"),
        ("Paris。", "Paris"), ("«Paris»", "Paris"), ("“Paris”", "paris"), ("Answer: 3.5", "3.5"),
        ("<think>hm</think> C++", "C++"), ("a", "A"), ("A", "a"), ("+", "+"), ("5 %", "5 %"),
        ("O’Neill", "O'Neill"),
    ],
)  # fmt: skip
def test_a_text_that_says_the_same_is_right(text, target):
    assert find("exact_match").value(Items([text], [(target,)])) == 1


def test_choices_are_whole_labels_whatever_the_metric():
    labels, targets = ["-1", "0", "1"], [("-1",), ("0",), ("1",)]
    flipped = Items(["1", "0", "-1"], targets, labels)
    for metric in ("exact_match", "accuracy"):
        assert find(metric).value(flipped) == pytest.approx(1 / 3)
    languages = Items(["C", "C", "C#"], [("C++",), ("C",), ("C#",)], ["C", "C++", "C#"])
    assert find("exact_match").value(languages) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("text", "target", "same", "but_for_units"),
    [
        ("1,234.5", "1234.5", 1, 1),
        ("1.234,5", "1234.5", 1, 1),
        ("1 234,5", "1234.5", 1, 1),
        ("about 7", "7", 0, 1),
        ("-5", "5", 0, 0),
        ("−5", "-5", 1, 1),
        ("- 5", "-5", 1, 1),
        ("0.50", ".5", 1, 1),
        ("50%", "50", 0, 1),
        ("$3.20", "3.2 $", 1, 1),
        ("-$3.20", "-3.20 $", 1, 1),
        ("3 or 4", "3", 0, 0),
        ("seven", "7", 0, 0),
        ("1e3", "1000", 1, 1),
        ("12 km", "12 m", 0, 1),
    ],
)
def test_numbers_are_compared_as_numbers(text, target, same, but_for_units):
    items = Items([text], [(target,)])
    assert find("numeric_match").value(items) == same
    assert find("numeric_match_any_unit").value(items) == but_for_units


@given(st.decimals(-(10**6), 10**6, places=3))
def test_every_number_is_read_back(number):
    assert read_number(str(number)) == (number, "")


def test_shared_characters_count_in_scripts_without_spaces():
    half = Items(["北京市海淀区"], [("北京市朝阳区",)])
    for metric in ("token_f1", "rouge_l", "chrf"):
        assert 0.2 < find(metric).value(half) < 1, metric
    long = "北京市朝阳区建国门外"
    assert find("bleu").value(Items([long], [(long,)])) == pytest.approx(1)


@pytest.mark.parametrize(
    "answer",
    [
        '```json\n{"k": 1}\n```',
        '{"k": 1}\n\nI hope this helps!',
        '<think>{"k": 2}</think>{"k": 1}',
        'Here: {"k": 1}',
    ],
)
def test_json_is_read_from_fences_words_and_thoughts(answer):
    items = Items([answer], [('{"k": 1}',)], schema={})
    for metric in ("field_f1", "exact_match"):
        assert find(metric).value(items) == 1


def test_an_arm_that_always_says_nothing_is_worth_nothing():
    always = Items(["{}", "{}"], [("{}",), ('{"city": "Rome"}',)], schema={})
    assert find("field_f1").value(always) == 0
    assert math.isnan(find("field_f1").value(Items(["{}"], [("{}",)], schema={})))


@given(st.text(max_size=60))
def test_a_text_without_marks_of_thought_is_left_as_it_is(text):
    if "<" not in text and "[" not in text and "◁" not in text:
        assert without_thoughts(text) == text
    assert isinstance(final_answer(text), str)
