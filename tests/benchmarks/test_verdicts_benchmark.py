"""The page `verdicts`: what counts as an error, and a small part of it."""

from __future__ import annotations

import json

import pytest

from benchmarks import __main__ as command
from benchmarks import verdicts
from benchmarks.verdicts import KINDS, Kind, held

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("accuracies", "endings"),
    [
        ((0.85, 0.85), ["right", "wrong"]),
        ((0.86, 0.88), ["right", "dearer"]),
        ((0.80, 0.88), ["wrong", "right"]),
        ((0.83, 0.88), ["wrong", "right"]),  # the margin itself is not within it
        ((0.75, 0.80, 0.87, 0.88), ["wrong", "wrong", "right", "dearer"]),
        ((0.85, 0.88, 0.88), ["right", "dearer", "wrong"]),
    ],
)
def test_an_error_is_what_rests_on_something_shown_that_is_not_so(accuracies, endings):
    kind = Kind("made", accuracies)
    assert [kind.ending(choice) for choice in range(len(accuracies))] == endings


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_rule_errs_in_about_5_percent_at_most(kind):
    found = held(kind, n=200, times=80, number=3)
    assert found["wrong"] <= 0.05 + 3 * (0.05 * 0.95 / 80) ** 0.5
    assert found["wrong"] + found["right"] + found["dearer"] + found[
        "not_enough_evidence"
    ] == pytest.approx(1)


def test_a_much_better_arm_is_chosen_and_equal_ones_mostly_tie_on_many_rows():
    better = held(Kind("better", (0.75, 0.95)), n=300, times=20, number=0)
    assert better["right"] == 1
    equal = held(Kind("equal", (0.85, 0.85)), n=2000, times=20, number=0)
    assert equal["tie"] >= 0.8


def test_three_rows_show_nothing():
    found = held(Kind("two", (0.5, 0.9)), n=3, times=10, number=0)
    assert found["not_enough_evidence"] == 1


@pytest.mark.torch
def test_the_page_says_whether_errors_are_within_bounds(monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "QUICK_CONTESTS", 5)
    monkeypatch.setattr(verdicts, "KINDS", KINDS[:2])
    assert command.main(["verdicts", "--quick"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["within"] is (found["worst"] <= found["allowed"])
    assert len(found["kinds"]) == 6
