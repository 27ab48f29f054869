"""The page of two compared runs."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import compare
from reports.plots.changes import changes_plot, moved
from reports.runs import compared_html

TARGETS = ["yes", "no"] * 30


def compared(tmp_path, texts=None, **second):
    inputs = {"input": texts or [f"question {row}" for row in range(60)]}
    old = [Arm("better", [right(TARGETS, range(30))]), Arm("worse", [right(TARGETS)])]
    new = [Arm("better", [right(TARGETS, range(5))]), Arm("worse", [right(TARGETS, range(25))])]
    one = write_run(tmp_path / "one", TARGETS, old, truth=inputs)
    return compare(one, write_run(tmp_path / "two", TARGETS, new, truth=inputs, **second))


def test_the_numbers_of_the_plot_are_points(tmp_path):
    up, down = moved(compared(tmp_path))
    assert (up.arm, up.value, up.verdict) == ("better", pytest.approx(100 * 25 / 60), "better")
    assert up.low < up.value < up.high
    assert (down.arm, down.value, down.verdict) == ("worse", pytest.approx(-100 * 25 / 60), "worse")


def test_the_plot_says_what_moved_most(tmp_path):
    plot = changes_plot(compared(tmp_path))
    assert plot.finding.startswith("better moved most: +41.7 points (+")
    assert [row[0] for row in plot.data.rows] == ["better", "worse"]


def test_the_page_holds_scores_rows_and_what_changed(tmp_path):
    page = compared_html(compared(tmp_path, margin=0.1))
    assert "<h1>worse got worse; better got better.</h1>" in page
    assert "What also changed: task." in page
    assert "question 5" in page
    assert "25 fixed, 0 broken (the 10 largest changes of a kind are shown)" in page
    assert "margin" in page
    assert "<script" not in page


def test_equal_runs_make_a_page_that_says_so(tmp_path):
    arm = Arm("a", [right(TARGETS, range(9))])
    runs = [write_run(tmp_path / name, TARGETS, [arm]) for name in "xy"]
    page = compared_html(compare(*runs))
    assert "No arm changed significantly." in page
    assert "Nothing else changed." in page
    assert "No arm scores another value on any shared row." in page
