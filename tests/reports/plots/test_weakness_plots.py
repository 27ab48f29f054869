"""The plots of where arms err: their numbers, apart from drawing, and that they can be drawn."""

from __future__ import annotations

from math import log
from pathlib import Path

import pytest
from hand_made import Arm, right, write_run
from rows_page import sliced

from harness.analysis import Comparison, analyse
from harness.types import Prediction
from reports import html, markdown
from reports.plots import draw
from reports.plots.arms_shown import first_arm, shown_first
from reports.plots.coverage import coverage, coverage_plot
from reports.plots.reliability import reliability, reliability_plot
from reports.plots.robustness import robustness, robustness_plot
from reports.plots.slices import slices, slices_plot

EXAMPLES = Path(__file__).parents[3] / "reports" / "examples"
N = 80
TARGETS = ["yes", "no"] * (N // 2)


def sure(labels, high):
    return [
        Prediction(label, {label: log(high if row >= N // 2 else 0.5)})
        for row, label in enumerate(labels)
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Two arms: one errs on 20 rows of the half that it is not sure of, one gives nothing."""
    arms = [
        Arm("sure", [sure(right(TARGETS, range(20)), 0.9)]),
        Arm("tuned", [right(TARGETS, range(40))], plan={"tunes": True}),
        Arm("poor", [right(TARGETS, range(60))]),
    ]
    truth = {"slices": [{"part": "hard" if row < 40 else "easy"} for row in range(N)]}
    folder = tmp_path_factory.mktemp("weak")
    return analyse(sliced(write_run(folder, TARGETS, arms, truth=truth), "part"))


def test_the_chosen_arm_comes_first_then_the_best_tuned_one(found):
    assert [row.strategy for row in shown_first(found)] == ["sure", "tuned", "poor"]
    assert first_arm(found).strategy == "sure"


def test_reliability_is_of_arms_that_give_probabilities(found):
    ((name, bins),) = reliability(found).lines
    assert name == "sure"
    assert [(one.sure, one.right, one.n) for one in bins] == [
        (pytest.approx(0.5), 0.5, 40), (pytest.approx(0.9), 1.0, 40),
    ]  # fmt: skip
    plot = reliability_plot(found)
    assert plot.finding == "sure: 100% of its surest 40 answers are right; it said 90%."
    assert plot.data.rows[0][:3] == ("sure", "50%", "50%")


def test_coverage_ends_at_all_rows(found):
    ((_, points),) = coverage(found).lines
    assert [(point.coverage, point.accuracy) for point in points] == [(0.5, 1.0), (1.0, 0.75)]
    assert coverage_plot(found).finding == (
        "If sure answers only the surest 50% of the rows, 100% of these are right; of all it"
        " answers, 75%."
    )


def test_slices_have_every_arm_with_its_interval(found):
    numbers = slices(found)
    assert numbers.arms == ("sure", "tuned", "poor")
    values = {name: [score.value for score in scores] for name, _, scores in numbers.slices}
    assert values == {"part: hard": [0.5, 0.0, 0.0], "part: easy": [1.0, 1.0, 0.5]}
    plot = slices_plot(found)
    assert plot.finding == "sure scores from 0.500 (part: hard) to 1.000 (part: easy)."
    assert all(len(row) == len(plot.data.headings) for row in plot.data.rows)


def test_robustness_is_told_by_the_largest_fall():
    text = (EXAMPLES / "ticket_triage" / "comparison.json").read_text()
    comparison = Comparison.model_validate_json(text)
    numbers = robustness(comparison)
    assert numbers is not None
    worst = min(one.change for _, _, one in numbers.lines)
    plot = robustness_plot(comparison)
    assert (worst < 0) == ("costs" in plot.finding)
    assert len(plot.data.rows) == len(numbers.lines)


def test_where_nothing_is_known_there_is_no_plot(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS)])]))
    made = (reliability_plot, coverage_plot, slices_plot, robustness_plot)
    assert [make(comparison) for make in made] == [None] * 4


def test_they_are_drawn_at_both_widths(found, drawn_plots):
    for make in (reliability_plot, coverage_plot, slices_plot):
        plot = make(found)
        for width in (plot.wide, draw.NARROW):
            svg = str(draw.drawn(plot, width))
            assert svg.startswith("<svg")
            assert "sure" in svg


def test_the_page_has_the_matrix_and_the_findings(found):
    page, text = html(found), markdown(found)
    assert '<table class="confusion">' in page
    assert 'data-rows="a=0&amp;gold=0&amp;said=1"' in page
    assert "yes taken for no (10 rows)" in text
    assert "r0" in page  # the first row that was picked
