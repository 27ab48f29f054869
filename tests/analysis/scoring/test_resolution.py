"""What the test set can show of the two leading arms, after the run."""

from __future__ import annotations

import pytest
from hand_made import TRAFFIC, Arm, right, write_run

from harness.analysis import analyse
from harness.store.finding import Finding
from harness.task.audit.test_size import confirmable_margin
from reports import whole_markdown as markdown

TARGETS = ["yes", "no"] * 60


def arms_of(*wrong):
    return [Arm(name, [right(TARGETS, rows)]) for name, rows in zip("abc", wrong, strict=False)]


def analysed(tmp_path, *wrong, **options):
    return analyse(write_run(tmp_path, TARGETS, arms_of(*wrong), **options))


def test_the_two_best_arms_are_measured_by_how_they_differed(tmp_path):
    found = analysed(tmp_path, range(12), range(6, 20), range(60)).resolution
    assert (found.first, found.second, found.n) == ("a", "b", 120)
    assert found.difference == pytest.approx(2 / 120)
    assert found.discordance == pytest.approx(14 / 120)


def test_the_margin_is_the_one_that_check_would_have_given_for_that_discordance(tmp_path):
    found = analysed(tmp_path, range(12), range(6, 20)).resolution
    assert found.smallest_margin == pytest.approx(confirmable_margin(120, 14 / 120))
    assert found.smallest_difference > found.smallest_margin


def test_so_many_rows_at_the_same_discordance_would_show_the_difference(tmp_path):
    found = analysed(tmp_path, range(12), range(6, 20)).resolution
    assert not found.separated
    error = (found.discordance / found.rows_to_separate) ** 0.5
    assert found.difference / error == pytest.approx(1.960 + 0.842, rel=0.01)


def test_arms_that_are_told_apart_need_no_more_rows(tmp_path):
    found = analysed(tmp_path, [1], range(60)).resolution
    assert found.separated
    assert found.rows_to_separate == 120


def test_arms_that_never_differ_leave_the_rule_of_three(tmp_path):
    found = analysed(tmp_path, [1], [1]).resolution
    assert (found.difference, found.discordance, found.rows_to_separate) == (0, 0, None)
    assert found.smallest_margin == found.smallest_difference == pytest.approx(3 / 120)


def test_a_pair_that_the_verdict_calls_a_tie_is_told_apart_only_by_itself(tmp_path):
    # Four rows of 120: by itself the pair differs; beside three more arms that is no difference.
    wrong = [[], range(4), range(20, 24), range(23, 27), range(26, 30)]
    fits = [9000, 1, 20_000, 20_000, 20_000]
    arms = [
        Arm(name, [right(TARGETS, rows)], fit_s=fit_s)
        for name, rows, fit_s in zip("abcde", wrong, fits, strict=True)
    ]
    folder = write_run(tmp_path, TARGETS, arms, traffic=TRAFFIC, margin=0.3)
    comparison = analyse(folder)
    found, verdict = comparison.resolution, comparison.recommendation
    assert (verdict.verdict, verdict.choice) == ("tie", "b")
    assert {found.first, found.second} == {"a", "b"} <= {verdict.choice, *verdict.tied_with}
    assert (found.separated, found.significant, found.compared) == (True, False, 5)
    said = "The verdict allows for comparing 5 arms, so there they are not."
    assert said in markdown(comparison)


def test_a_pair_that_the_verdict_tells_apart_one_sided_is_said_to_be(tmp_path):
    # 10 rows against 3: z is 1.94, between the one-sided 1.66 and the two-sided 1.98.
    comparison = analyse(write_run(tmp_path, TARGETS, arms_of(range(3), range(3, 13)), margin=0.01))
    found = comparison.resolution
    assert "significantly worse" in comparison.recommendation.rejected["b"]
    assert (found.separated, found.significant) == (False, True)
    assert "The verdict asks only whether b is worse" in markdown(comparison)


def test_where_verdict_and_pair_agree_nothing_is_added(tmp_path):
    for number, wrong in enumerate([([1], range(60)), (range(12), range(6, 20))]):
        page = markdown(analyse(write_run(tmp_path / str(number), TARGETS, arms_of(*wrong))))
        assert "The verdict allows" not in page
        assert "The verdict asks only" not in page


def test_one_arm_has_nothing_to_be_told_from(tmp_path):
    assert analysed(tmp_path, [1]).resolution is None


def test_arms_that_meet_the_limits_lead(tmp_path):
    wrong = [range(12), range(6, 20), range(30)]
    found = analysed(tmp_path, *wrong, limits={"min_score": 0.85}).resolution
    assert {found.first, found.second} == {"a", "b"}
    slow = Arm("slow", [right(TARGETS)], walls_s=[5.0] * 4)
    arms = [slow, *(Arm(name, [right(TARGETS, w)]) for name, w in zip("abc", wrong, strict=True))]
    limits = {"max_p95_ms": 400}
    found = analyse(write_run(tmp_path / "slow", TARGETS, arms, limits=limits)).resolution
    assert {found.first, found.second} == {"a", "b"}


def test_values_that_are_not_right_or_wrong_have_no_discordance_but_an_error(tmp_path):
    found = analysed(tmp_path, range(12), range(6, 20), metric="macro_f1").resolution
    assert found.discordance is None
    plain = analysed(tmp_path / "plain", range(12), range(6, 20)).resolution
    assert found.smallest_margin == pytest.approx(plain.smallest_margin, rel=0.1)


def test_mcnemar_stands_beside_differences_of_right_or_wrong_and_only_there(tmp_path):
    from scipy.stats import binomtest

    (difference,) = analysed(tmp_path, range(12), range(6, 25)).differences
    assert difference.mcnemar_p == pytest.approx(binomtest(6, 19).pvalue)
    (other,) = analysed(tmp_path / "f1", range(12), range(6, 25), metric="macro_f1").differences
    assert other.mcnemar_p is None
    clusters = {"cluster": [f"author {row // 4}" for row in range(120)]}
    (other,) = analysed(tmp_path / "c", range(12), range(6, 25), truth=clusters).differences
    assert other.mcnemar_p is None


def test_what_was_guessed_before_the_run_is_not_told_beside_what_it_showed(tmp_path):
    said = Finding.of_sentence
    data = {"findings": (said("of the rows"),), "expectations": (said("of their number"),)}
    found = analysed(tmp_path / "two", range(12), range(6, 20), data=data)
    assert found.resolution is not None
    assert "of the rows" in found.findings
    assert "of their number" not in found.findings
    alone = analysed(tmp_path / "one", range(12), data=data)
    assert alone.resolution is None
    assert {"of the rows", "of their number"} <= set(alone.findings)
