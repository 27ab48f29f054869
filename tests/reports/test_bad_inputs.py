"""Runs that cannot show much: each is judged and reported, and says why it shows so little."""

from __future__ import annotations

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import analyse
from reports import html, markdown

TARGETS = ["yes", "no"] * 40


def said(folder):
    """Return the judgement and the Markdown report; the page is drawn too."""
    comparison = analyse(folder)
    assert html(comparison)
    return comparison, markdown(comparison)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_test_set_of_3(tmp_path, metric):
    targets = TARGETS[:3]
    arms = [Arm("a", [right(targets)]), Arm("b", [right(targets, [0])], complexity=0)]
    comparison, report = said(write_run(tmp_path, targets, arms, metric=metric))
    assert comparison.recommendation.verdict == "not_enough_evidence"
    assert "may still be" in report or "might be good enough" in report
    assert comparison.resolution.smallest_margin == 1  # three in three: nothing is excluded
    for row in comparison.arms:
        assert row.score.ci_high - row.score.ci_low > 0.5 or row.score.unreliable
        assert metric == "accuracy" or "have fewer than 10 test rows" in row.score.unreliable


def test_three_rows_of_values_that_are_not_right_or_wrong_are_marked(tmp_path):
    targets = ["the blue boat", "a red car", "two old men"]
    answers = ["the boat", "a red car", "three men"]
    folder = write_run(
        tmp_path,
        targets,
        [Arm("a", [answers], plan={"answers": ("text",)})],
        metric="token_f1",
        answer={"kind": "text"},
    )
    comparison, report = said(folder)
    assert "with fewer than 30 rows" in comparison.arms[0].score.unreliable
    assert comparison.arms[0].score.unreliable in report


def test_all_arms_equal(tmp_path):
    arms = [Arm(name, [right(TARGETS, [5])]) for name in "abc"]
    comparison, report = said(write_run(tmp_path, TARGETS, arms))
    assert comparison.recommendation.verdict == "tie"
    assert "They score the same: no number of rows would show a difference." in report
    assert all(d.mcnemar_p == 1 for d in comparison.differences)


def test_one_arm_only(tmp_path):
    comparison, report = said(write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS, [5])])]))
    assert comparison.recommendation.choice == "a"
    assert "it is the only arm in the task" in report
    assert (comparison.resolution, comparison.differences) == (None, ())
    assert "What this test set can show" not in report
    assert comparison.recommendation.flips == ()
    # A higher score of another arm, a limit, a price, a volume: nothing of it is there.
    assert comparison.recommendation.tried == ()
    assert "Nothing could be tried" in report


def test_what_was_tried_in_vain_is_named_and_nothing_else(tmp_path):
    arms = [Arm("a", [right(TARGETS, [5])]), Arm("b", [right(TARGETS, range(79))])]
    limits = {"max_p95_ms": 1e6}
    folder = write_run(tmp_path, TARGETS, arms, margin=0.01, limits=limits)
    comparison, _ = said(folder)
    tried = ("other margins", "other limits", "higher scores of other arms")
    assert comparison.recommendation.tried == tried
    none = comparison.recommendation.model_copy(update={"flips": ()})
    page = markdown(comparison.model_copy(update={"recommendation": none}))
    assert f"Nothing that was tried: {', '.join(tried)}." in page
    older = none.model_copy(update={"tried": None})
    page = html(comparison.model_copy(update={"recommendation": older}))
    assert "<li>Nothing that was tried.</li>" in page


def test_all_arms_failed(tmp_path):
    arms = [Arm("a", status="failed", error="it broke"), Arm("b", refused="needs documents")]
    comparison, report = said(write_run(tmp_path, TARGETS, arms))
    assert comparison.recommendation.choice is None
    assert "no arm finished" in report
    assert "it broke" in report
    assert "needs documents" in report
    assert comparison.resolution is None


def test_a_metric_that_is_undefined_on_this_split(tmp_path):
    folder = write_run(
        tmp_path,
        ["the blue boat"] * 12,
        [Arm("a", [["the boat"] * 12], plan={"answers": ("text",)})],
        metric="token_f1",
        also=["declined_unanswerable"],
        answer={"kind": "text", "no_answer": "nobody knows"},
    )
    comparison, report = said(folder)
    (further,) = comparison.arms[0].also
    assert (further.value, further.ci_low, further.n) == (None, None, 0)
    assert further.undefined == "none of these questions is without an answer"
    assert f"declined_unanswerable – ({further.undefined})" in report
