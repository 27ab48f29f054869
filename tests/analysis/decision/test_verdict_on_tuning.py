"""What a verdict says of fine-tuning: whether it is worth it, and how the other kind did."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rule_cases import GOOD, MISSED, UNKNOWN, arm, told, verdict

from harness.analysis.schema.comparison import Check


@pytest.mark.parametrize(
    ("checks", "tfidf", "answer"),
    [
        pytest.param((), 0.80, "Fine-tuning is worth it here. Choose lora", id="tuned is chosen"),
        pytest.param((), 0.90, "Fine-tuning is not worth it here. A tie", id="untuned is chosen"),
        pytest.param(
            (MISSED,), 0.80, "Fine-tuning is not worth it here. Choose tfidf", id="tuned is out"
        ),
        pytest.param((UNKNOWN,), 0.80, "Choose tfidf", id="of the tuned a figure is not known"),
    ],
)
def test_whether_tuning_is_worth_it_is_said_where_it_was_decided(checks, tfidf, answer):
    tuned = replace(arm("lora", 0.90, cost=10, complexity=4, checks=checks), tuned=True)
    found = told([tuned, arm("tfidf", tfidf)], n=100_000)
    assert found.headline.startswith(answer)


@pytest.mark.parametrize(
    ("checks", "answer"),
    [
        pytest.param((MISSED,), "Fine-tuning is worth it here. Choose lora", id="untuned is out"),
        pytest.param((UNKNOWN,), "Choose lora", id="of the untuned a figure is not known"),
    ],
)
def test_tuning_is_not_said_to_be_worth_it_over_an_arm_that_did_not_compete(checks, answer):
    tuned = replace(arm("lora", 0.90, cost=10, complexity=4), tuned=True)
    found = told([tuned, arm("asked", 0.95, checks=checks), arm("tfidf", 0.80)], n=100_000)
    assert found.headline.startswith(answer)


@pytest.mark.parametrize(
    ("tfidf", "checks", "said"),
    [
        pytest.param(
            0.80,
            (),
            "The best untuned arm, tfidf, scores 0.800, 10.0 points less than lora ($2.00 against"
            " $10.00).",
            id="tuned is chosen",
        ),
        pytest.param(
            0.92,
            (),
            "The best tuned arm, lora, scores 0.900, 2.0 points less than tfidf ($10.00 against"
            " $2.00).",
            id="untuned is chosen",
        ),
        pytest.param(
            0.80,
            (MISSED,),
            "The best tuned arm that meets every limit, ia3, scores 0.700, 10.0 points less than"
            " tfidf ($20.00 against $2.00).",
            id="the best is out",
        ),
    ],
)
def test_the_best_arm_of_the_kind_that_was_not_chosen_is_named(tfidf, checks, said):
    lora = replace(arm("lora", 0.90, cost=10, complexity=4, checks=checks), tuned=True)
    ia3 = replace(arm("ia3", 0.70, cost=20, complexity=4), tuned=True)
    arms = [lora, ia3, arm("tfidf", tfidf, cost=2), arm("rule", 0.5)]
    assert said in told(arms, n=100_000).reasons


def test_of_a_kind_that_is_out_altogether_the_best_arm_is_named_all_the_same():
    tuned = [replace(arm(n, s, checks=[MISSED]), tuned=True) for n, s in (("a", 0.9), ("b", 0.95))]
    assert (
        "No tuned arm meets every limit. The best, b, scores 0.950, 15.0 points more than tfidf"
        " ($1.00 against $2.00)."
    ) in told([*tuned, arm("tfidf", 0.80, cost=2)]).reasons


def test_where_the_headline_is_silent_on_tuning_no_other_kind_is_named():
    untuned = told([arm("tfidf", 0.80), arm("rule", 0.5)])
    tuned = replace(arm("lora", 0.90, cost=10, checks=[UNKNOWN]), tuned=True)
    for found in (untuned, told([tuned, arm("tfidf", 0.80), arm("rule", 0.5)])):
        assert "Fine-tuning" not in found.headline
        assert not any("tuned arm" in reason for reason in found.reasons)


def test_an_open_verdict_says_nothing_of_tuning():
    tuned = replace(GOOD, tuned=True)
    found = told([tuned, arm("cheap", 0.89)], sd=0.05)
    assert found.provisional
    assert "Fine-tuning" not in found.headline


def lost(which, share):
    return replace(which, lost_share=share)


TUNED = replace(arm("lora", 0.90, cost=10, complexity=4), tuned=True)
OVER = Check(key="limits.max_p95_ms", text="slow", state="missed", excess=0.2)


@pytest.mark.parametrize(
    ("tuned", "untuned", "open_by"),
    [
        pytest.param(TUNED, lost(arm("asked", 0.1), 0.9), "asked (90%)", id="the best untuned"),
        pytest.param(lost(TUNED, 0.6), arm("tfidf", 0.7), "lora (60%)", id="the choice"),
        pytest.param(
            lost(replace(TUNED, score=0.2), 0.8), arm("tfidf", 0.7), "lora (80%)", id="the tuned"
        ),
        pytest.param(
            lost(TUNED, 0.6), lost(arm("asked", 0.1), 0.9), "lora (60%) and asked (90%)", id="both"
        ),
        pytest.param(
            TUNED, lost(arm("asked", 0.1, checks=[MISSED]), 0.9), "asked (90%)", id="by its score"
        ),
    ],
)
def test_a_verdict_on_tuning_does_not_rest_on_answers_that_were_lost(tuned, untuned, open_by):
    arms = [tuned, untuned, replace(arm("majority", 0.05, complexity=0), lost_share=0.0)]
    assert verdict(arms, n=100_000).tuning_pays is None
    found = told(arms, n=100_000)
    assert found.headline.startswith("Choose ")  # which arm to take is said all the same
    [said] = [reason for reason in found.reasons if "left open" in reason]
    assert f"most answers of {open_by} were cut or could not be read" in said
    assert not any("The best untuned arm" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(lost(arm("asked", 0.1), 0.5), id="half of them is not most"),
        pytest.param(arm("asked", 0.1), id="nothing is counted, as in an earlier run"),
        pytest.param(lost(arm("asked", 0.1, checks=[OVER]), 1.0), id="it is out for its time"),
        pytest.param(
            lost(replace(TUNED, name="ia3", score=0.1), 1.0), id="it is of the choice's own kind"
        ),
    ],
)
def test_lost_answers_that_could_not_change_the_kind_leave_the_verdict_on_tuning(beside):
    found = told([TUNED, beside, arm("tfidf", 0.5)], n=100_000)
    assert found.headline.startswith("Fine-tuning is worth it here. Choose lora")
    assert not any("left open" in reason for reason in found.reasons)


def test_where_no_arm_is_tuned_lost_answers_are_no_matter_of_tuning():
    found = told([lost(arm("asked", 0.1), 0.9), arm("tfidf", 0.7)], n=100_000)
    assert not any("left open" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("lora", "kind", "headline"),
    [
        pytest.param(
            0.60,
            True,
            "Fine-tuning is not worth it here. Which arm to take is undecided. Provisional choice:"
            " classic, which scores best.",
            id="the tuned one is out",
        ),
        pytest.param(
            0.60,
            False,
            "Fine-tuning is worth it here. Which arm to take is undecided. Provisional choice:"
            " classic, which scores best.",
            id="the untuned one is out",
        ),
        pytest.param(
            0.73,
            True,
            "Not enough evidence yet. Provisional choice: classic, which scores best.",
            id="the tuned one may be chosen",
        ),
    ],
)
def test_a_kind_that_is_out_is_told_of_while_arms_of_the_other_are_undecided(lora, kind, headline):
    """The best of one kind wait for each other; nothing that they can do brings the other back."""
    arms = [
        replace(arm("classic", 0.745, cost=2), tuned=not kind),
        replace(arm("tfidf", 0.715, cost=1), tuned=not kind),
        replace(arm("lora", lora, cost=1, complexity=4), tuned=kind),
    ]
    found = told(arms, sd=0.015, n=310)
    assert (found.verdict, found.headline) == ("not_enough_evidence", headline)
    assert any("lora, scores" in reason for reason in found.reasons) == headline.startswith("Fine")
