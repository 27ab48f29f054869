"""Which rows' answers stand in a passage, whether answers are copied, and in which order all is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from letters import Letters
from small_world import context

from harness.errors import StrategyError
from harness.lm.model import Spans
from harness.retrieval import retriever as retriever_module
from harness.toolkit import PassageParams, copies, gold_of, in_order, open_search, spans_of
from harness.types import Document, Endpoint, Example, ModelRef, Query, Split

DOCUMENTS = (
    Document("tower", "Tower", "It is 330 metres high."),
    Document("hill", "Hill", "It is green in summer."),
    Document("empty", "", " \n"),
)
ROWS = Split(
    "train",
    (
        Example(Query("high", "How high is the tower?"), ("330 metres", "330 m")),
        Example(Query("colour", "Which colour has the hill?"), ("green",)),
        Example(Query("nowhere", "Who lives on the hill?"), ("nobody",)),
    ),
)


@pytest.fixture(autouse=True)
def letters(monkeypatch):
    monkeypatch.setattr(retriever_module, "Embedder", Letters)


def world(notes=None, kind="text", evidence=None, **task):
    made = context(kind=kind, documents=DOCUMENTS, notes=notes)
    return replace(made, evidence=evidence or {}, task=replace(made.task, **task))


def found(tmp_path, made, rows=ROWS):
    retriever = open_search(made, PassageParams(), rows, [1], tmp_path / "index")
    return gold_of(made, retriever, rows)


def test_the_passage_with_the_answer_is_found_by_words_or_by_evidence(tmp_path):
    high, colour, nowhere = found(tmp_path, world())
    assert high == ("Tower\nIt is 330 metres high.", "330 metres")
    assert colour == ("Hill\nIt is green in summer.", "green")
    assert nowhere is None
    evidence = {"nowhere": ("hill",), "colour": ("gone",), "high": ("empty",)}
    golds = found(tmp_path, world(evidence=evidence))
    assert golds == [None, None, ("Hill\nIt is green in summer.", "nobody")]


def test_a_row_without_an_answer_stands_under_what_was_found_first(tmp_path):
    rows = Split("train", (Example(Query("n", "Who owns the tower?"), ("none",)),))
    made = world(no_answer="none", evidence={"n": ("hill",)})
    assert found(tmp_path, made, rows) == [("Tower\nIt is 330 metres high.", "none")]


@pytest.mark.parametrize("evidence", [{}, {"colour": ("tower",)}])
def test_a_labels_name_in_a_passage_says_nothing(tmp_path, evidence):
    golds = found(tmp_path, world(kind="choice", evidence=evidence))
    by_evidence = ("Tower\nIt is 330 metres high.", "green") if evidence else None
    assert golds == [None, by_evidence, None]


GOLD = ("It is 330 metres high.", "330 metres")
OTHER = ("It is 330 metres high.", "very")


@pytest.mark.parametrize(
    ("golds", "copied", "said"),
    [
        ([GOLD] * 4 + [None], True, "copied from the passages: 80% of 5 targets stand"),
        ([GOLD] * 4 + [OTHER, None], False, "free: 67% of 6 targets stand"),
        ([], False, None),
    ],
)
def test_answers_are_copied_where_most_targets_stand_in_a_passage(golds, copied, said):
    notes = []
    rows = [Example(Query(f"r{n}", "?"), ("330 metres",)) for n in range(len(golds))]
    assert copies(world(notes), PassageParams(), rows, golds) is copied
    assert [text for _, text in notes] == ([] if said is None else [notes[0][1]])
    assert said is None or said in notes[0][1]


def test_rows_without_an_answer_do_not_count():
    rows = [Example(Query("r", "?"), ("330 metres",)), Example(Query("n", "?"), ("none",))]
    assert copies(world(no_answer="none"), PassageParams(), rows, [GOLD, None])
    assert not copies(world(no_answer="none"), PassageParams(), rows[1:], [None])


def test_what_is_asked_for_counts_where_it_can_be():
    row = ROWS[0]
    assert copies(world(), PassageParams(extract="on"), [row], [None])
    assert not copies(world(), PassageParams(extract="off"), [row], [GOLD])
    assert not copies(world(kind="choice"), PassageParams(), [row], [GOLD])
    with pytest.raises(StrategyError, match=r"answers are of kind choice → write extract: auto"):
        copies(world(kind="choice"), PassageParams(extract="on"), [row], [GOLD])


def test_a_hosted_model_is_not_held_to_passages_and_that_is_said():
    notes = []
    hosted = ModelRef("asked", "http://server", hosted=Endpoint("openai"))
    made = replace(world(notes), model=hosted)
    assert not copies(made, PassageParams(), [ROWS[0]], [GOLD])
    assert "a hosted model cannot be held" in notes[0][1]


@pytest.mark.parametrize(
    ("order", "texts", "shown"),
    [
        ("auto", "ab", "ab"),
        ("auto", "abc", "cba"),
        ("best_first", "abc", "abc"),
        ("best_last", "ab", "ba"),
        ("best_last", "", ""),
    ],
)
def test_from_three_passages_on_the_best_stands_next_to_the_question(order, texts, shown):
    assert in_order(list(texts), order) == list(shown)


def test_nothing_is_copied_from_passages_without_words():
    task = world(no_answer="none").task
    assert spans_of(task, ["", " \n"]) is None
    assert spans_of(task, []) is None
    assert spans_of(task, ["", "a"]) == Spans(("", "a"), ("none",))
    assert spans_of(replace(task, no_answer=None), ["a"]) == Spans(("a",))
