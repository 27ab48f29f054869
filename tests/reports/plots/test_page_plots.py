"""The numbers of the plots of cost, power and memory, apart from drawing."""

from __future__ import annotations

import pytest
from hand_made import PRICES, Arm, right, write_run

from harness.analysis import analyse
from reports.plots.cost_parts import bars
from reports.plots.latency import _shares
from reports.plots.memory import peaks
from reports.plots.power import power

TARGETS = ["yes", "no"] * 60


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    arms = [
        Arm("cheap", [right(TARGETS, range(30))], complexity=0),
        Arm("good", [right(TARGETS, [7])], complexity=3, fit_s=100, predict_s=12),
    ]
    traffic = {"requests_per_month": 1000, "months": 10}
    folder = tmp_path_factory.mktemp("usual")
    return analyse(write_run(folder, TARGETS, arms, prices=PRICES, traffic=traffic))


def test_the_bar_of_what_the_task_pays_adds_up_to_the_total(usual):
    rows = {row.strategy: row for row in usual.arms}
    per_use = [bar for bar in bars(usual) if bar.paying == "pay per use"]
    assert {bar.arm for bar in per_use} == set(rows)
    for bar in per_use:
        assert bar.total == pytest.approx(rows[bar.arm].total_usd)
    always = [bar for bar in bars(usual) if bar.paying == "always on"]
    for bar in always:
        assert dict(bar.parts)["serving"] == pytest.approx(
            rows[bar.arm].usd_per_1k_reserved * 10  # thousands of requests
        )


def test_the_point_that_is_measured_lies_on_the_curve_and_four_times_the_rows_halve_it(usual):
    found = power(usual.resolution, usual.task["margin"])
    assert found.at(found.n) == pytest.approx(100 * usual.resolution.smallest_difference)
    assert found.at(4 * found.n) == pytest.approx(found.at(found.n) / 2)


def test_peaks_are_those_of_the_comparison(usual):
    assert {peak.arm: (peak.serving, peak.preparation) for peak in peaks(usual)} == {
        row.strategy: (row.predict_peak_bytes, row.fit_peak_bytes) for row in usual.arms
    }


def test_of_one_request_alone_all_are_answered_within_its_time():
    """A test set of one row gives one time."""
    assert _shares((0.2,)) == ((0.2, 1.0),)
    assert _shares((0.0, 0.1, 0.3)) == ((0.1, 0.5), (0.3, 1.0))
