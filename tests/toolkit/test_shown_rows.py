"""Demonstrations stand under passages that hold their answers, and answer shortly."""

from __future__ import annotations

import pytest
from letters import Letters
from small_world import context

from harness.toolkit import ShownRows, shown_rows
from harness.types import Example, Query, Split

LONG = "a very long answer in many words"


def train(*answers, groups=()):
    rows = (Example(Query(f"r{n}", "abcdefgh"[: n + 1]), (a,)) for n, a in enumerate(answers))
    secret = (Example(Query(f"g{n}", "z", groups=(g,)), ("x",)) for n, g in enumerate(groups))
    return Split("train", (*rows, *secret))


def golds(rows, *without):
    return [None if r.query.id in without else (f"of {r.query.id}", r.targets[0]) for r in rows]


def targets(shown):
    return [(row.target, tuple(row.passages)) for row in shown]


def test_the_nearest_rows_are_shown_under_their_gold_passages_the_nearest_last(tmp_path):
    rows = train("one", "two", "three", "four", LONG, groups=["it"])
    shown = shown_rows(context(), rows, golds(rows, "r0"), 2, Letters())
    ab, abc = shown.of([Query("q", "ab"), Query("q2", "abcd")], 2)
    assert targets(ab) == [("three", ("of r2",)), ("two", ("of r1",))]
    assert targets(abc) == [("three", ("of r2",)), ("four", ("of r3",))]
    assert {row.query.id for row in shown.rows} == {"r1", "r2", "r3"}
    shown.save(tmp_path / "shown")
    assert ShownRows.load(tmp_path / "shown", Letters()).of([Query("q", "ab")], 2) == [ab]


def test_a_row_is_no_demonstration_for_itself():
    rows = train("one", "two", "three")
    shown = shown_rows(context(), rows, golds(rows), 2, Letters())
    assert "two" not in [row.target for row in shown.of([rows[1].query], 2)[0]]


def test_drawn_rows_are_the_same_for_every_query(tmp_path):
    rows = train("one", "two", "three", "four")
    shown = shown_rows(context(), rows, golds(rows), 2, None)
    first, second = shown.of([Query("q", "a"), Query("p", "zz")], 2)
    assert first == second == list(shown.rows)
    shown.save(tmp_path / "shown")
    loaded = ShownRows.load(tmp_path / "shown", Letters())
    assert targets(loaded.of([Query("q", "a")], 2)[0]) == targets(first)


@pytest.mark.parametrize("embedder", [None, Letters()])
def test_where_targets_stand_in_no_passage_rows_are_shown_without_one(embedder):
    rows, notes = train("one", "two", "three"), []
    shown = shown_rows(
        context(kind="text", notes=notes), rows, golds(rows, "r0", "r1"), 2, embedder
    )
    assert [len(found) for found in shown.of([Query("q", "abc")], 2)] == [2]
    assert notes == [
        (
            "shots",
            "1 of 3 training rows have a short answer in a passage: others are shown too, without"
            " a passage",
        )
    ]


@pytest.mark.parametrize("rows", [train(), train(groups=["it", "hr"])])
def test_without_a_row_that_all_may_be_shown_there_is_none(rows, tmp_path):
    shown = shown_rows(context(), rows, golds(rows), 2, Letters())
    assert shown.of([Query("q", "a")], 2) == [[]]
    shown.save(tmp_path / "shown")
    assert ShownRows.load(tmp_path / "shown", Letters()).of([Query("q", "a")], 2) == [[]]
