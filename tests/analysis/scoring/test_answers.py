"""What is counted of answers: unread, cut, invalid, empty; by the reader that metrics have."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, rows_of, write_run

from harness.analysis import analyse
from harness.types import Prediction
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 10
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}
JSON = {"metric": "field_f1", "answer": {"kind": "json", "schema": OBJECT}}
TEXT = {"metric": "token_f1", "answer": {"kind": "text"}}


def counted(path, first, targets=TARGETS, **task):
    """Return the counts of an arm that gives these answers first and right ones behind them."""
    answers = [*first, *targets[len(first) :]]
    arms = [Arm("asked", [answers], plan={"answers": ("choice", "text", "json")})]
    return rows_of(analyse(write_run(path, targets, arms, **task)))["asked"].answers


@pytest.mark.parametrize(
    ("answer", "unread", "empty"),
    [
        ("yes", 0, 0),
        ("<think>no or yes?</think> I say **yes**.", 0, 0),
        ("yes or no", 1, 0),
        ("a tie", 1, 0),
        ("", 1, 1),
        ("<think>it might be yes", 1, 1),
    ],
)
def test_choices_are_unread_where_the_metric_reads_no_label(tmp_path, answer, unread, empty):
    found = counted(tmp_path, [answer])
    assert (found.n, found.unread, found.empty, found.lost) == (20, unread, empty, unread)
    assert found.invalid_json is None


def test_a_label_that_was_read_before_the_cut_is_cut_and_not_lost(tmp_path):
    found = counted(tmp_path, [Prediction("yes, because", finish_reason="length")])
    assert (found.cut, found.unread, found.lost) == (1, 0, 0)


@pytest.mark.parametrize(
    ("reasons", "cut"), [((None,), None), (("stop",), 0), (("length", None, "stop"), 1)]
)
def test_cut_answers_are_counted_where_anybody_says_how_answers_ended(tmp_path, reasons, cut):
    first = [Prediction(t, finish_reason=r) for t, r in zip(TARGETS, reasons, strict=False)]
    assert counted(tmp_path, first).cut == cut


@pytest.mark.parametrize(
    ("answer", "invalid"),
    [
        ('{"a": 1}', 0),
        ('Here you are:\n```json\n{"a": 1}\n```', 0),
        ('{"a": ', 1),
        ("[1]", 1),
        ("", 1),
    ],
)
def test_json_is_invalid_where_no_object_is_read(tmp_path, answer, invalid):
    found = counted(tmp_path, [answer], ['{"a": 1}'] * 20, **JSON)
    assert (found.invalid_json, found.lost, found.unread) == (invalid, invalid, None)


def test_text_is_lost_where_it_is_cut_or_empty(tmp_path):
    first = [Prediction("word", finish_reason="length"), "  ", Prediction("", error="it is down")]
    found = counted(tmp_path, first, **TEXT)
    assert (found.n, found.cut, found.empty, found.lost) == (19, 1, 1, 2)
    assert (found.unread, found.invalid_json) == (None, None)


def test_failed_answers_are_not_counted_as_unread(tmp_path):
    found = counted(tmp_path, [Prediction("", error="refused")] * 3)
    assert (found.n, found.unread, found.lost) == (17, 0, 0)


def test_answers_of_all_seeds_are_counted(tmp_path):
    answers = [["what?", *TARGETS[1:]], TARGETS]
    folder = write_run(tmp_path, TARGETS, [Arm("asked", answers)], seeds=(0, 1))
    found = rows_of(analyse(folder))["asked"].answers
    assert (found.n, found.unread) == (40, 1)


def test_an_arm_that_did_not_finish_has_no_counts(tmp_path):
    arms = [Arm("broken", status="failed", error="no"), Arm("asked", [TARGETS])]
    assert rows_of(analyse(write_run(tmp_path, TARGETS, arms)))["broken"].answers is None


def warned(path, *first, **task):
    folder = write_run(path, TARGETS, [Arm("asked", [[*first, *TARGETS[len(first) :]]])], **task)
    return analyse(folder)


@pytest.mark.parametrize(
    ("unread", "severity"), [(0, None), (1, None), (2, "warning"), (10, "warning"), (11, "severe")]
)
def test_more_than_5_percent_is_a_warning_and_more_than_half_is_severe(tmp_path, unread, severity):
    found = warned(tmp_path, *["what?"] * unread).warnings
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_a_warning_says_how_many_of_how_many_and_stands_on_the_first_screen(tmp_path):
    cut = Prediction("what if", finish_reason="length")
    found = warned(tmp_path, cut, cut, "what?", "what?")
    [said] = found.warnings
    assert said.arms == ("asked",)
    assert said.text == (
        "asked: 4 of 20 answers could not be read as a label (20%); they score 0; 2 of 20 answers"
        " were cut at `generation: max_new_tokens` (10%)"
    )
    for render in (html, markdown):
        text = render(found)
        assert text.index("4 of 20 answers") < text.index("All arms on the same")


def test_the_worst_of_several_arms_comes_first(tmp_path):
    arms = [
        Arm(name, [["what?"] * unread + TARGETS[unread:]])
        for name, unread in (("few", 2), ("most", 15), ("some", 6))
    ]
    found = analyse(write_run(tmp_path, TARGETS, arms)).warnings
    assert [one.arms for one in found] == [("most",), ("some",), ("few",)]


def test_the_report_has_a_table_of_them_with_what_applies(tmp_path):
    arms = [
        Arm("asked", [[Prediction("what?", finish_reason="stop"), *TARGETS[1:]]]),
        Arm("chosen", [right(TARGETS)]),
    ]
    text = markdown(analyse(write_run(tmp_path, TARGETS, arms)))
    below = text[text.index("How answers were read") :]
    assert "| arm | answers | could not be read | cut | empty | failed |" in below
    assert "| asked | 20 | 1 (5%) | 0 | 0 | 0 |" in below
    assert "| chosen | 20 | 0 | – | 0 | 0 |" in below


def test_no_verdict_on_tuning_rests_on_cut_answers(tmp_path):
    """Targets longer than an answer may be: every answer of the tuned arm is cut (case 11b)."""
    targets = ['{"a": 1}'] * 40
    cut = Prediction('{"a":', finish_reason="length")
    tuned = {"needs_model": True, "learns": "weights", "tunes": True, "answers": ("json",)}
    arms = [
        Arm("tuned", [[cut] * 40], plan=tuned),
        Arm("common", [['{"a": 1}'] * 30 + ["{}"] * 10], plan={"answers": ("json",)}),
    ]
    found = analyse(write_run(tmp_path, targets, arms, **JSON))
    assert found.recommendation.headline == "Choose common."
    assert any("most answers of tuned (100%)" in why for why in found.recommendation.reasons)
    assert found.warnings[0].severity == "severe"
