"""What a reader is told beside the figures, and what is too little to be told."""

from __future__ import annotations

import pytest
from hand_made import TARGETS, Arm, cheap_and_good, right, write_run

from harness.analysis import analyse
from harness.analysis.findings import findings_of
from harness.analysis.read_run import read_run
from harness.analysis.schema.diagnostics import (
    ArmDiagnostics,
    Change,
    Forgetting,
    Overfitting,
    Perturbation,
)
from reports import html
from reports import whole_markdown as markdown

FEW = ["yes"] * 40 + ["no"] * 4
TUNED = {"needs_model": True, "learns": "weights", "tunes": True}


def change(before, after, low, high):
    return Change(
        metric="accuracy",
        before=before,
        after=after,
        change=after - before,
        ci_low=low,
        ci_high=high,
        n=50,
    )


def said_of(path, **facts):
    """Return what is found of one arm with these facts, at a margin of 5 points."""
    folder = write_run(path, TARGETS, [Arm("lora", [right(TARGETS)])], margin=0.05)
    [row] = analyse(folder).arms
    changed = row.model_copy(update={"diagnostics": ArmDiagnostics(**facts)})
    return list(findings_of(read_run(folder), [changed], "lora"))


@pytest.mark.parametrize(
    ("before", "after", "low", "high", "told"),
    [(1.0, 1.8, 0.7, 0.9, True), (1.0, 1.1, -0.1, 0.3, False), (1.0, 0.8, -0.3, -0.1, False)],
    ids=["more", "perhaps", "fewer"],
)
def test_more_bits_for_general_text_are_told_where_they_are_shown(
    before, after, low, high, told, tmp_path
):
    bits = change(before, after, low, high)
    found = said_of(tmp_path, forgetting=Forgetting(bits_per_byte=bits))
    said = "tuning of lora damaged general language: 1.800 bits per byte, up from 1.000"
    assert [text.partition(" (")[0] for text in found] == ([said] if told else [])


def test_general_questions_that_are_answered_worse_are_told(tmp_path):
    knowledge = change(0.7, 0.4, -0.5, -0.1)
    (said,) = said_of(tmp_path, forgetting=Forgetting(choice_accuracy=knowledge))
    assert said == "tuning of lora damaged general knowledge: accuracy 0.400, down from 0.700"


def test_a_perturbation_is_told_where_it_is_shown_to_cost_more_than_the_margin(tmp_path):
    each = (
        Perturbation(name="upper case", score=change(0.6, 0.2, -0.5, -0.2), changed=50),
        Perturbation(name="typos", score=change(0.6, 0.5, -0.2, -0.04), changed=50),
        Perturbation(name="noise", undefined="changes none of these texts"),
    )
    (said,) = said_of(tmp_path, robustness=each)
    assert said == (
        "lora is sensitive to upper case: accuracy 0.200, down from 0.600, on 50 test rows"
    )


def test_a_training_that_still_got_better_is_told_with_its_remedy(tmp_path):
    curve = Overfitting(
        step=8, last_step=8, validation_loss=(0.5, 0.5), train_loss=(0.2, 0.2), falling_from=0.6
    )
    (said,) = said_of(tmp_path, overfitting=curve)
    assert said == (
        "lora may not have been trained to its end: its validation loss still fell, from 0.600 to"
        " 0.500, when training ended at step 8 → try more epochs"
    )


@pytest.mark.parametrize("seeds", [1, 2])
def test_one_training_of_a_tuned_arm_is_said_to_be_one(seeds, tmp_path):
    answers = [right(TARGETS)] * seeds
    arms = [Arm("lora", answers, plan=TUNED), Arm("tfidf", answers), Arm("vendor", answers)]
    arms[2].plan = {"tunes": True, "replays": True}
    findings = analyse(write_run(tmp_path, TARGETS, arms, seeds=range(seeds))).findings
    told = [said for said in findings if "trained once" in said]
    assert [said.partition(":")[0] for said in told] == (["lora"] if seeds == 1 else [])


def test_a_doubt_is_told_once_with_all_the_arms_it_concerns_and_marked_in_the_table(tmp_path):
    arms = [Arm("good", [right(FEW)]), Arm("cheap", [right(FEW, range(4))])]
    comparison = analyse(write_run(tmp_path, FEW, arms, metric="macro_f1"))
    doubt = (
        "1 of 2 labels have fewer than 10 test rows ('no' has 4): the interval of macro_f1 is not"
        " to be trusted"
    )
    assert [said for said in comparison.findings if doubt in said] == [f"good and cheap: {doubt}"]
    choice = comparison.recommendation.choice
    assert f"The score of {choice} is uncertain: {doubt}." in comparison.recommendation.reasons
    for text in (markdown(comparison), html(comparison)):
        assert "to 1.000†" in text
        assert "too few rows, labels or seeds stand behind this interval" in text


def test_where_nothing_is_in_doubt_there_is_no_mark(tmp_path):
    comparison = analyse(write_run(tmp_path, TARGETS, cheap_and_good()))
    assert not any("doubt" in reason for reason in comparison.recommendation.reasons)
    assert "†" not in markdown(comparison)
