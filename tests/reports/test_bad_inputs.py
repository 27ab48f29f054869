"""Runs that cannot show much: each is judged and reported, and says why it shows so little."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hand_made import Arm, right, write_run

from harness.analysis import analyse
from harness.errors import RunFolderError
from harness.store.run_folder import RunFolder
from reports import html
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 40
VERSION_1 = Path(__file__).parents[1] / "store" / "version_1"


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


def test_no_predictions_leave_an_arm_out_and_name_the_file(tmp_path):
    folder = write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS)]), Arm("b", [right(TARGETS)])])
    (file,) = tmp_path.glob("trials/a/*/*/predictions.jsonl")
    file.unlink()
    comparison, report = said(folder)
    assert [row.status for row in comparison.arms] == ["skipped", "ok"]
    assert "predictions.jsonl cannot be read" in report
    assert {one.strategy for row in comparison.examples.picked for one in row.answers} <= {"b"}


def test_an_empty_folder_and_one_that_was_killed_are_clear_errors(tmp_path):
    with pytest.raises(RunFolderError, match="there is no run here"):
        analyse(RunFolder(tmp_path / "empty"))
    killed = write_run(tmp_path / "killed", TARGETS, [Arm("a", [right(TARGETS)])], ended=False)
    with pytest.raises(RunFolderError, match="killed before it ended"):
        analyse(killed)


def test_a_folder_of_version_1_is_shown_without_texts(tmp_path):
    folder = RunFolder(Path(shutil.copytree(VERSION_1, tmp_path / "run")))
    comparison, report = said(folder)
    assert comparison.examples.lacks.startswith("an earlier version ran this")
    assert report


def test_200_labels_have_no_matrix_but_their_largest_confusions(tmp_path):
    labels = [f"label {n}" for n in range(200)]
    answers = [labels[0] if n % 3 else label for n, label in enumerate(labels)]
    answer = {"kind": "choice", "labels": labels}
    arms = [Arm("a", [answers]), Arm("b", [labels])]
    comparison, _ = said(write_run(tmp_path, labels, arms, answer=answer))
    assert len(comparison.arms[0].confusion.labels) == 200
    assert '<table class="confusion">' not in html(comparison)


def test_24_arms_and_models_are_all_there(tmp_path):
    arms = [Arm(f"arm@model-{n}", [right(TARGETS, range(n))]) for n in range(24)]
    comparison, report = said(write_run(tmp_path, TARGETS, arms))
    assert all(f"arm@model-{n}" in report for n in range(24))
    assert len(comparison.examples.picked[0].answers) == 24


def test_text_from_right_to_left_keeps_its_own_direction(tmp_path):
    hebrew = "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd"
    truth = {"input": [hebrew] * 80, "fields": [{}] * 80, "groups": [[]] * 80}
    folder = write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS, range(9))])], truth=truth)
    comparison, _ = said(folder)
    page = html(comparison)
    assert f'<p class="said" dir="auto" tabindex="0">{hebrew}</p>' in page
    assert f"<bdi>{hebrew}</bdi>" in page
