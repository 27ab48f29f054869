"""Plots of scores and costs over time, and the page of a folder's runs."""

from __future__ import annotations

import pytest

from harness.analysis import History, PastArm, PastRun, Timeline
from harness.analysis.schema.scores import Score
from reports.plots import draw
from reports.plots.over_time import costs, costs_plot, scores, scores_plot
from reports.runs import history_html


def arm(name, value, *, usd=None, chosen=False, error=None):
    score = None
    if value is not None:
        score = Score(metric="accuracy", value=value, ci_low=value - 0.1, ci_high=value + 0.1, n=60)
    return PastArm(name, "failed" if error else "ok", error, score, usd, 2.0, chosen)


def run(day, *arms, rows="same"):
    return PastRun(f"run{day}", "by-hand", "accuracy", f"2026-11-{day:02d}T08:30:00", rows, arms)


def timeline(*runs):
    return Timeline("by-hand", "accuracy", runs)


THREE = timeline(
    run(1, arm("a", 0.5, usd=10.0), arm("b", 0.7, usd=0.0)),
    run(2, arm("a", None, error="no luck"), arm("b", 0.6, usd=0.0)),
    run(3, arm("a", 0.55, usd=20.0, chosen=True), arm("b", 0.8, usd=1.0), rows="other"),
)


def test_lines_hold_every_score_with_its_interval_the_chosen_arm_first():
    found = scores(THREE)
    assert found.labels == ("2026-11-01", "2026-11-02", "2026-11-03")
    assert [name for name, _ in found.lines] == ["a", "b"]
    first = dict(found.lines)["a"]
    assert [(point.run, point.value) for point in first] == [(1, 0.5), (3, 0.55)]
    assert (first[0].low, first[0].high) == pytest.approx((0.4, 0.6))
    assert found.breaks == (3,)


def test_runs_of_one_day_are_told_by_the_minute():
    one = run(1, arm("a", 0.5))
    assert scores(timeline(one, one)).labels == ("08:30", "08:30")


def test_costs_are_dollars_where_they_are_known_and_above_nothing():
    found, unit = costs(THREE)
    assert unit == "usd"
    assert {n: [(p.run, p.value) for p in points] for n, points in found.lines} == {
        "a": [(1, 10.0), (3, 20.0)],
        "b": [(3, 1.0)],
    }
    found, unit = costs(timeline(run(1, arm("a", 0.5))))
    assert (unit, found.lines[0][1][0].value) == ("s", 2.0)


def test_the_plots_say_what_the_chosen_arm_did():
    assert scores_plot(THREE, 1).finding == "a, accuracy: 0.500 at first, 0.550 now."
    assert "other test rows" in scores_plot(THREE, 1).caption
    assert "$10.00 at first, $20.00 now" in costs_plot(THREE, 1).finding


def test_where_nothing_finished_there_is_no_plot_and_the_page_says_why():
    failed = timeline(run(1, arm("a", None, error="no luck")))
    assert scores_plot(failed, 1) is costs_plot(failed, 1) is None
    page = history_html(History("runs", (failed,), ()))
    assert "failed: no luck" in page
    assert "the newest of 1 run chose no arm" in page


def test_the_page_has_the_newest_run_first_and_names_what_it_left_out():
    page = history_html(History("runs", (THREE,), ("x has no verdict yet",)))
    assert "by-hand: the newest of 3 runs chose a, accuracy 0.550." in page
    assert page.index("run3</th>") < page.index("run2</th>") < page.index("run1</th>")
    assert "x has no verdict yet" in page
    assert "<script" not in page


@pytest.mark.skipif(not draw.available(), reason="vl-convert-python is not installed")
@pytest.mark.parametrize("n", [1, 200])
def test_plots_of_one_run_and_of_two_hundred_are_drawn(n):
    arms = [arm(f"arm{at}", 0.5, usd=1.0) for at in range(9)]
    many = timeline(*(run(1 + at % 28, *arms) for at in range(n)))
    for plot in (scores_plot(many, 1), costs_plot(many, 1)):
        assert "3 more arms are grey" in plot.caption
        for width in (draw.NARROW, plot.wide):
            assert draw.drawn(plot, width).startswith("<svg")
