"""Single rows: what each answer is worth, which label is taken for which, how sure arms are."""

from __future__ import annotations

from math import log

import pytest
from hand_made import Arm, right, write_run

from harness.analysis.analyse import analysis_of
from harness.analysis.examples.confusion import confusion_of, largest
from harness.analysis.examples.row_table import row_table
from harness.analysis.examples.sureness import coverage, reliability
from harness.analysis.read_run import read_run
from harness.analysis.schema.weaknesses import FAILED, UNREAD
from harness.stats.intervals import wilson
from harness.types import Prediction

TARGETS = ["yes", "no", "yes", "no", "yes"]


def table(folder, arms, targets=TARGETS, **more):
    return row_table(read_run(write_run(folder, targets, arms, **more)))


def sure(label, probability):
    other = {"yes": "no", "no": "yes"}[label]
    return Prediction(label, {label: log(probability), other: log(1 - probability)})


def test_an_answer_is_worth_what_the_metric_says_of_its_row_alone(tmp_path):
    answers = ["yes", Prediction("", error="no luck"), "both yes and no", sure("no", 0.75), "no"]
    found = table(tmp_path, [Arm("one", [answers])], metric="macro_f1")
    assert found.metric.name == "accuracy"  # of one row macro-F1 says nothing
    (arm,) = found.arms
    assert [one.score for one in arm.answers] == [1, 0, 0, 1, 0]
    assert [one.state for one in arm.answers] == ["ok", "failed", "ok", "ok", "ok"]
    assert [one.label for one in arm.answers] == ["yes", None, None, "no", "no"]
    assert arm.answers[3].sure == pytest.approx(0.75)
    assert [found.is_right(one) for one in arm.answers] == [True, False, False, True, False]


def test_of_several_trainings_it_is_the_one_that_is_shipped(tmp_path):
    seeds = [right(TARGETS), right(TARGETS, [0]), right(TARGETS, [0, 1])]
    arm = Arm("one", seeds, validation=[0.5, 0.9, 0.7])
    (found,) = table(tmp_path, [arm], seeds=(0, 1, 2)).arms
    assert found.seed == 1
    assert [one.score for one in found.answers] == [0, 1, 1, 1, 1]
    assert [one.right_trainings for one in found.answers] == [1, 2, 3, 3, 3]


def test_a_graded_metric_scores_rows_between_0_and_1(tmp_path):
    arms = [Arm("one", [["x y z", "", "x"]])]
    text = {"answer": {"kind": "text"}, "metric": "token_f1"}
    (arm,) = table(tmp_path, arms, ["x y z", "x", "x y z"], **text).arms
    assert [one.score for one in arm.answers] == pytest.approx([1, 0, 0.5])


def test_declining_is_a_state_of_its_own(tmp_path):
    answer = {"kind": "text", "no_answer": "unknown"}
    arms = [Arm("one", [["Unknown.", "x", "unknown"]])]
    metrics = {"answer": answer, "metric": "exact_match"}
    found = table(tmp_path, arms, ["unknown", "unknown", "y"], **metrics)
    assert [one.state for one in found.arms[0].answers] == ["declined", "ok", "declined"]
    assert found.unanswerable == (True, True, False)


def test_confusion_counts_rows_by_right_and_answered_label(tmp_path):
    answers = ["yes", "yes", "no", Prediction("", error="x"), "neither"]
    found = table(tmp_path, [Arm("one", [answers])])
    confusion = confusion_of(found, found.arms[0])
    assert confusion.labels == ("yes", "no")
    assert set(confusion.cells) == {
        (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, FAILED, 1), (0, UNREAD, 1),
    }  # fmt: skip
    assert sum(n for *_, n in confusion.cells) == len(TARGETS)
    assert largest(confusion) == [(0, 1, 1), (1, 0, 1)]


def test_no_matrix_of_texts_nor_of_one_label(tmp_path):
    found = table(
        tmp_path, [Arm("one", [["a"]])], ["a"], answer={"kind": "text"}, metric="exact_match"
    )
    assert confusion_of(found, found.arms[0]) is None


def test_reliability_has_bins_of_equal_mass_that_part_no_equal_answers():
    ordered = [(0.5, n % 2 == 0) for n in range(40)] + [(0.9, True)] * 40
    low, high = reliability(ordered)
    assert (low.sure, low.right, low.n) == pytest.approx((0.5, 0.5, 40))
    assert (high.sure, high.right, high.n) == pytest.approx((0.9, 1.0, 40))
    assert (high.ci_low, high.ci_high) == wilson(40, 40)
    assert reliability(ordered[:39]) == []  # bins of fewer than 20 say nothing


def test_reliability_holds_every_answer_once():
    ordered = [(n / 500, n % 3 == 0) for n in range(457)]
    bins = reliability(ordered)
    assert len(bins) == 10
    assert sum(one.n for one in bins) == 457
    assert max(one.n for one in bins) - min(one.n for one in bins) <= 1
    assert sum(one.right * one.n for one in bins) == pytest.approx(sum(r for _, r in ordered))


def test_accuracy_against_coverage_gives_the_surest_rows_first():
    ordered = [(0.3, False), (0.4, False), (0.8, True), (0.9, True)]
    points = coverage(ordered, 5)  # the fifth row has no probability
    assert [(one.coverage, one.accuracy, one.least) for one in points] == [
        (0.2, 1.0, 0.9), (0.4, 1.0, 0.8), (0.6, pytest.approx(2 / 3), 0.4), (0.8, 0.5, 0.3),
    ]  # fmt: skip


def test_equal_probabilities_are_given_or_left_together():
    points = coverage([(0.5, False)] * 3 + [(0.9, True)], 4)
    assert [(one.coverage, one.accuracy) for one in points] == [(0.25, 1.0), (1.0, 0.25)]


def test_the_curve_ends_at_the_accuracy_of_all_answers_and_has_20_points_at_most():
    ordered = [(n / 1000, n % 4 != 0) for n in range(1000)]
    points = coverage(ordered, 1000)
    assert len(points) == 20
    assert (points[-1].coverage, points[-1].accuracy) == (1.0, 0.75)
    assert [one.coverage for one in points] == sorted(one.coverage for one in points)


def test_arms_without_probabilities_and_arms_that_failed_have_none(tmp_path):
    arms = [Arm("one", [right(TARGETS)]), Arm("two", status="failed", error="x")]
    comparison = analysis_of(write_run(tmp_path, TARGETS, arms)).comparison()
    one, two = comparison.arms
    assert one.sureness is None
    assert one.confusion is not None
    assert two.confusion is two.sureness is None


def test_scores_of_rows_are_kept_a_line_a_row(tmp_path):
    arms = [Arm("one", [right(TARGETS, [1])]), Arm("two", status="failed", error="x")]
    shown = analysis_of(write_run(tmp_path, TARGETS, arms)).rows_shown
    assert list(shown.scores) == [
        {"id": f"r{n}", "metric": "accuracy", "scores": {"one": 0.0 if n == 1 else 1.0}}
        for n in range(5)
    ]
