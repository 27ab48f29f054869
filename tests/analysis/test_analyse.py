"""Whole judgements of run folders made by hand."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from hand_made import PRICES, TARGETS, Arm, cheap_and_good, right, rows_of, write_run

from harness.analysis import Comparison, analyse
from harness.analysis.read_run import read_run
from harness.errors import RunFolderError
from harness.files.hashing import sha256_of_file
from harness.store.records import Note
from harness.store.run_folder import RunFolder
from harness.types import Prediction

ROW_KEYS = (
    "strategy status error score loss_to_best p50_s p95_s p50_cold_s throughput_per_s fit_wall_s"
    " fit_peak_bytes predict_peak_bytes artifact_bytes energy_j fit_usd usd_per_1k_busy"
    " usd_per_1k_reserved total_usd prompt_tokens_mean misses"
)


def test_a_clear_winner_is_chosen(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, cheap_and_good()))
    found = comparison.recommendation
    assert (found.verdict, found.choice) == ("choose", "good")
    assert "significantly worse" in found.rejected["cheap"]
    row = rows_of(comparison)["cheap"]
    assert row.score.value == pytest.approx(0.75)
    assert row.gap_to_best.value == pytest.approx(29 / 120)
    assert row.gap_to_best.to == "good"


def test_a_clear_winner_is_chosen_whatever_the_margin(tmp_path):
    found = analyse(write_run(tmp_path, TARGETS, cheap_and_good(), margin=0.0)).recommendation
    assert (found.verdict, found.choice, found.provisional) == ("choose", "good", False)
    assert "With 95% confidence no other arm is better" in found.reasons[0]
    assert not any("may still be" in reason for reason in found.reasons)


def test_figures_of_a_row_come_from_the_facts(tmp_path):
    answers = [[Prediction(t, prompt_tokens=10 + i % 2) for i, t in enumerate(TARGETS)]]
    arm = Arm("a", answers, fit_s=7, predict_s=6, walls_s=[0.1, 0.2, 0.3])
    row = analyse(write_run(tmp_path, TARGETS, [arm])).arms[0]
    assert (row.p50_s, row.p50_cold_s) == (pytest.approx(0.2), pytest.approx(0.4))
    assert row.p95_s == pytest.approx(0.29)
    assert row.throughput_per_s == pytest.approx(120 / 6)
    assert (row.fit_wall_s, row.artifact_bytes) == (7, 1234)
    assert (row.fit_peak_bytes, row.predict_peak_bytes) == (200 * 2**20, 100 * 2**20)
    assert row.prompt_tokens_mean == pytest.approx(10.5)
    assert (row.total_usd, row.fit_usd, row.usd_per_1k_busy, row.energy_j) == (None,) * 4


def test_a_share_of_one_seed_has_wilsons_interval(tmp_path):
    from statsmodels.stats.proportion import proportion_confint

    row = rows_of(analyse(write_run(tmp_path, TARGETS, cheap_and_good())))["cheap"]
    expected = proportion_confint(90, 120, method="wilson")
    assert (row.score.ci_low, row.score.ci_high) == pytest.approx(expected)


def test_clusters_of_the_task_widen_the_interval(tmp_path):
    blocks = [row for row in range(120) if row // 10 % 4 == 0]
    arm = Arm("a", [right(TARGETS, blocks)])
    by_ten = {"cluster": [f"author {row // 10}" for row in range(120)]}
    alone = analyse(write_run(tmp_path / "1", TARGETS, [arm])).arms[0].score
    together = analyse(write_run(tmp_path / "2", TARGETS, [arm], truth=by_ten)).arms[0].score
    assert together.value == alone.value
    assert together.ci_high - together.ci_low > 2 * (alone.ci_high - alone.ci_low)


def test_several_seeds_are_averaged(tmp_path):
    arm = Arm("a", [right(TARGETS), right(TARGETS, range(60))])
    row = analyse(write_run(tmp_path, TARGETS, [arm], seeds=(0, 1))).arms[0]
    assert row.score.value == pytest.approx(0.75)
    assert row.seeds == (0, 1)
    assert (row.score.ci_low, row.score.ci_high) == (0, 1)  # two seeds, half the scale apart
    assert "2 seeds say little" in row.score.unreliable
    assert row.throughput_per_s == pytest.approx(120)


def test_seeds_that_all_do_the_same_are_one_seed(tmp_path):
    arms = [Arm("a", [right(TARGETS, [3])] * 3), Arm("b", [right(TARGETS, range(9))] * 3)]
    alone = analyse(write_run(tmp_path / "1", TARGETS, arms))
    together = analyse(write_run(tmp_path / "3", TARGETS, arms, seeds=(0, 1, 2)))
    assert [row.score for row in together.arms] == [row.score for row in alone.arms]
    assert together.differences == alone.differences


def test_five_seeds_that_differ_are_a_source_of_variance_and_not_marked(tmp_path):
    seeds = [right(TARGETS, range(wrong)) for wrong in (6, 18, 30, 12, 24)]
    row = analyse(write_run(tmp_path, TARGETS, [Arm("a", seeds)], seeds=range(5))).arms[0]
    alone = analyse(write_run(tmp_path / "1", TARGETS, [Arm("a", seeds[2:3])])).arms[0]
    assert row.score.unreliable is None
    width = row.score.ci_high - row.score.ci_low
    assert width > alone.score.ci_high - alone.score.ci_low


def test_few_clusters_and_few_rows_are_marked(tmp_path):
    arm = Arm("a", [right(TARGETS, range(0, 120, 7))])
    for size, marked in ((10, True), (4, False)):
        clusters = {"cluster": [f"author {row // size}" for row in range(120)]}
        score = (
            analyse(write_run(tmp_path / str(size), TARGETS, [arm], truth=clusters)).arms[0].score
        )
        assert bool(score.unreliable) is marked
        assert not marked or "12 clusters" in score.unreliable


def test_three_seeds_on_the_mark_meet_the_limit(tmp_path):
    targets = TARGETS[:20]
    arm = Arm("a", [right(targets, [0])] * 3)
    folder = write_run(tmp_path, targets, [arm], seeds=(0, 1, 2), limits={"min_score": 0.95})
    assert analyse(folder).arms[0].misses == ()


@pytest.mark.parametrize("status", ["failed", "timeout", "out_of_memory"])
def test_an_arm_that_did_not_finish_is_a_row(tmp_path, status):
    bad = Arm("bad", status=status, error="it broke")
    comparison = analyse(write_run(tmp_path, TARGETS, [*cheap_and_good(), bad]))
    row = rows_of(comparison)["bad"]
    assert (row.status, row.error, row.score) == (status, "it broke", None)
    found = comparison.recommendation
    assert found.choice == "good"
    how = {"failed": "failed", "timeout": "ran out of time", "out_of_memory": "ran out of memory"}
    assert found.rejected["bad"] == f"{how[status]}: it broke"
    alone = analyse(write_run(tmp_path / "alone", TARGETS, [cheap_and_good()[1], bad]))
    assert "it is the only arm that finished" in alone.recommendation.headline
    assert set(alone.recommendation.rejected) == {"bad"}


def test_skipped_arms_say_why(tmp_path):
    arms = [
        *cheap_and_good(),
        Arm("refused", refused="needs documents"),
        Arm("left_out", selected=False),
        Arm("cut_off"),
    ]
    comparison = analyse(write_run(tmp_path, TARGETS, arms))
    rows, rejected = rows_of(comparison), comparison.recommendation.rejected
    assert rejected["refused"] == "was not run: needs documents"
    assert {"left_out", "cut_off"} <= set(rejected)
    assert {rows[name].status for name in ("refused", "left_out", "cut_off")} == {"skipped"}
    assert rows["refused"].error == "needs documents"
    assert "--only" in rows["left_out"].error
    assert "interrupted" in rows["cut_off"].error


def test_an_arm_that_is_left_out_now_keeps_what_it_did_before(tmp_path):
    arms = cheap_and_good()
    arms[0].selected = False
    assert rows_of(analyse(write_run(tmp_path, TARGETS, arms)))["cheap"].status == "ok"


def test_a_failed_seed_fails_the_arm_and_is_named(tmp_path):
    folder = write_run(tmp_path, TARGETS, [Arm("a", [right(TARGETS)] * 2)], seeds=(0, 1))
    last = list(folder.trials().values())[-1]
    folder.append(last.model_copy(update={"status": "failed", "error": "it broke"}))
    row = analyse(folder).arms[0]
    assert (row.status, row.error) == ("failed", "with seed 1: it broke")


def test_all_arms_failed(tmp_path):
    arms = [Arm("a", status="failed", error="x"), Arm("b", status="timeout", error="y")]
    comparison = analyse(write_run(tmp_path, TARGETS, arms))
    assert comparison.recommendation.verdict == "nothing_feasible"
    assert comparison.recommendation.choice is None
    assert comparison.recommendation.rejected == {"a": "failed: x", "b": "ran out of time: y"}
    assert [row.error for row in comparison.arms] == ["x", "y"]


def test_a_killed_run_is_said_to_be_unfinished(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(), ended=False)
    with pytest.raises(RunFolderError, match="killed before it ended → run it again"):
        analyse(folder)


def test_a_folder_without_a_run_is_said_to_be_none(tmp_path):
    with pytest.raises(RunFolderError, match="no run here"):
        analyse(RunFolder(tmp_path))


@pytest.mark.parametrize("damage", ["", "{", '{"id": "r0", "text": "yes"}\n', '{"text": 1}\n'])
def test_an_arm_with_damaged_predictions_is_left_out_with_a_remedy(tmp_path, damage):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    next(tmp_path.glob("trials/cheap/*/*/predictions.jsonl")).write_text(damage)
    found = analyse(folder)
    cheap, good = found.arms
    assert (cheap.status, cheap.score, good.status) == ("skipped", None, "ok")
    assert re.search(r"predictions\.jsonl .* → run the task again", cheap.error)
    assert cheap.error in found.warnings[0].text


def test_predictions_are_matched_by_id_not_by_order(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    path = next(tmp_path.glob("trials/good/*/*/predictions.jsonl"))
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert rows_of(analyse(folder))["good"].score.value == pytest.approx(119 / 120)


def test_the_newest_invocation_is_judged(tmp_path):
    write_run(tmp_path, TARGETS, cheap_and_good(), margin=0.5)
    other = write_run(tmp_path / "other", TARGETS, cheap_and_good(), margin=0.0)
    folder = RunFolder(tmp_path)
    assert analyse(folder).recommendation.choice == "cheap"
    folder.append(other.last_header())
    assert read_run(folder).task.margin == 0.0
    assert analyse(folder).recommendation.choice == "good"


def test_three_test_rows_cannot_certify_anything(tmp_path):
    targets = TARGETS[:3]
    arms = [Arm("a", [right(targets)], complexity=3), Arm("b", [right(targets, [0, 1, 2])])]
    comparison = analyse(write_run(tmp_path, targets, arms))
    found = comparison.recommendation
    assert (found.verdict, found.choice, found.provisional) == ("not_enough_evidence", "a", True)
    assert rows_of(comparison)["a"].gap_to_best.high == 1
    margins = [flip for flip in found.flips if "margin" in flip.change]
    assert not margins  # none that the task file would accept


def test_equal_arms_tie_and_the_simplest_is_taken(tmp_path):
    arms = [
        Arm(name, [right(TARGETS, [5])], complexity=c) for name, c in [("a", 3), ("b", 1), ("c", 2)]
    ]
    found = analyse(write_run(tmp_path, TARGETS, arms)).recommendation
    assert (found.verdict, found.choice, set(found.tied_with)) == ("tie", "b", {"a", "c"})


def test_one_arm_alone_is_chosen_if_it_meets_the_limits(tmp_path):
    arm = Arm("a", [right(TARGETS, range(30))])
    folder = write_run(tmp_path / "1", TARGETS, [arm], limits={"min_score": 0.7})
    assert analyse(folder).recommendation.choice == "a"
    folder = write_run(tmp_path / "2", TARGETS, [arm], limits={"min_score": 0.9})
    comparison = analyse(folder)
    assert comparison.recommendation.choice is None
    assert comparison.arms[0].misses == ("limits.min_score",)
    assert any("a is nearest" in reason for reason in comparison.recommendation.reasons)


def test_an_item_that_every_arm_failed_scores_zero_and_stays(tmp_path):
    broken = Prediction("yes", error="no answer")  # right, had it not failed
    arms = [Arm(name, [[broken, *right(TARGETS)[1:]]]) for name in ("a", "b")]
    comparison = analyse(write_run(tmp_path, TARGETS, arms))
    for row in comparison.arms:
        assert (row.score.value, row.score.n) == (pytest.approx(119 / 120), 120)
        assert row.failed_items == 1
    assert "1 answers of a failed and score zero" in comparison.findings


def test_macro_f1_with_few_rows_of_a_class_is_marked_and_accuracy_stands_beside_it(tmp_path):
    targets = ["yes"] * 40 + ["no"] * 4
    arm = Arm("a", [right(targets, [0, 41])])
    comparison = analyse(write_run(tmp_path, targets, [arm], metric="macro_f1"))
    row = comparison.arms[0]
    assert "1 of 2 labels have fewer than 10 test rows ('no' has 4)" in row.score.unreliable
    assert any(f"a: {row.score.unreliable}" == said for said in comparison.findings)
    assert any(row.score.unreliable in reason for reason in comparison.recommendation.reasons)
    assert [(also.metric, also.unreliable) for also in row.also] == [("accuracy", None)]


def test_macro_f1_with_enough_rows_is_scikit_learns_and_unmarked(tmp_path):
    from sklearn.metrics import f1_score

    answers = right(TARGETS, [*range(0, 40, 2), 1, 3])
    row = analyse(write_run(tmp_path, TARGETS, [Arm("a", [answers])], metric="macro_f1")).arms[0]
    assert row.score.value == pytest.approx(f1_score(TARGETS, answers, average="macro"))
    assert row.score.unreliable is None
    assert row.score.ci_low < row.score.value < row.score.ci_high


def test_scores_are_also_given_without_leaked_rows(tmp_path):
    arm = Arm("a", [right(TARGETS, range(2, 32))])
    row = analyse(write_run(tmp_path, TARGETS, [arm], data={"leaked_ids": ("r0", "r1")})).arms[0]
    assert row.without_leaks.n == 118
    assert row.without_leaks.value == pytest.approx(88 / 118)


def test_slices_are_scored_each_by_itself(tmp_path):
    slices = [{"channel": "mail" if row < 100 else "chat"} for row in range(120)]
    folder = write_run(
        tmp_path,
        TARGETS,
        [Arm("a", [right(TARGETS, range(100, 110))])],
        truth={"slices": slices},
        data={},
    )
    header = folder.last_header()
    task = {**header.task, "data": {**header.task["data"], "slices": ["channel"]}}
    folder.append(header.model_copy(update={"task": task}))
    found = {s.value: (s.score.value, s.score.n) for s in analyse(folder).arms[0].slices}
    assert found == {"mail": (1.0, 100), "chat": (0.5, 20)}


def test_notes_of_the_trials_reach_the_row(tmp_path):
    arm = Arm("a", [right(TARGETS)], notes=[Note(kind="shots", text="8 of 12 fit")])
    assert analyse(write_run(tmp_path, TARGETS, [arm])).arms[0].notes == ("shots: 8 of 12 fit",)


def test_comparison_json_has_the_keys_that_programs_read(tmp_path):
    arms = [*cheap_and_good(), Arm("bad", status="failed", error="it broke")]
    comparison = analyse(write_run(tmp_path, TARGETS, arms, prices=PRICES))
    text = comparison.model_dump_json()
    assert Comparison.model_validate_json(text) == comparison
    found = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert found["schema_version"] == 1
    assert {"task", "machine", "rows", "recommendation"} <= set(found)
    for row in found["rows"]:
        assert set(ROW_KEYS.split()) <= set(row)
    assert {"metric", "value", "ci_low", "ci_high", "n"} <= set(found["rows"][0]["score"])
    assert {
        "choice", "verdict", "tied_with", "reasons", "rejected", "flips", "break_even"
    } <= set(found["recommendation"])  # fmt: skip


def test_judging_twice_gives_the_same(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good(wrong=10), metric="macro_f1")
    assert analyse(folder) == analyse(folder)


def test_judging_writes_nothing(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    analyse(folder)
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}


def test_an_answer_that_names_no_label_is_wrong_not_dropped(tmp_path):
    answers = ["perhaps", *right(TARGETS)[1:]]
    row = analyse(write_run(tmp_path, TARGETS, [Arm("a", [answers])])).arms[0]
    assert (row.score.n, row.failed_items) == (120, 0)
    assert np.isclose(row.score.value, 119 / 120)


def test_answers_that_were_edited_after_they_were_recorded_are_not_judged(tmp_path):
    folder = write_run(tmp_path, TARGETS, cheap_and_good())
    record = next(iter(folder.trials().values()))
    answers = folder.trial_folder(record.arm, record.fit_id, record.trial_id) / "predictions.jsonl"
    serve = record.serve.model_copy(update={"predictions_sha256": sha256_of_file(answers)})
    folder.append(record.model_copy(update={"serve": serve}))
    analyse(folder)
    answers.write_text(answers.read_text().replace('"yes"', '"no"'))
    found = analyse(folder)
    row = next(row for row in found.arms if row.strategy == record.arm)
    assert (row.status, row.score) == ("skipped", None)
    assert row.error.endswith("was changed since → run the task again")
    assert [arm.status for arm in found.arms].count("ok") == len(found.arms) - 1
    assert found.recommendation.choice not in (None, record.arm)
    (warning,) = [one for one in found.warnings if str(answers) in one.text]
    assert (warning.severity, warning.text.startswith(f"{record.arm} is left out")) == (
        "severe", True,
    )  # fmt: skip
