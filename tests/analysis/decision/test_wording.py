"""The verdict in words: each says what holds, and claims nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from rule_cases import (
    CLOSE,
    GOOD,
    MISSED,
    UNKNOWN,
    arm,
    comparisons,
    in_words,
    outcome,
    told,
)

from harness.stats.mcb import MultipleComparisons


def test_the_nearest_miss_is_named_by_its_relative_excess():
    arms = [arm("far", 0.9, checks=[MISSED]), arm("near", 0.8, checks=[CLOSE])]
    found = told(arms)
    assert found.choice is None
    assert any("near is nearest: a bit slow" in reason for reason in found.reasons)
    assert found.rejected == {"far": "too low", "near": "a bit slow"}


def test_an_arm_is_as_far_off_as_its_worst_miss():
    arms = [arm("both", 0.9, checks=[MISSED, CLOSE]), arm("one", 0.8, checks=[CLOSE])]
    assert any("one is nearest" in reason for reason in told(arms).reasons)


def test_where_every_arm_lacks_a_figure_the_reason_says_what_to_supply():
    found = told([arm("a", 0.9, checks=[UNKNOWN]), arm("b", 0.9, checks=[UNKNOWN])])
    assert any("first, for a: give a price row" in reason for reason in found.reasons)


def test_a_choice_that_is_significantly_worse_says_so():
    found = told([GOOD, arm("cheap", 0.87)])
    assert any("the best arm, good, which scores 3.0 points more" in r for r in found.reasons)


ONE_UNKNOWN = arm("asked", 0.9, None, 3)


@pytest.mark.parametrize(
    ("arms", "headline"),
    [
        ([GOOD, arm("cheap", 0.90)], "cheap and good: take cheap, the cheaper one."),
        (
            [GOOD, arm("b", 0.90, cost=20), arm("cheap", 0.90)],
            "cheap, good and b: take cheap, the cheapest.",
        ),
        (
            [arm("intricate", 0.9, 1.00, 4), arm("plain", 0.9, 1.04, 1)],
            "plain and intricate: take plain, the simpler one at the same cost.",
        ),
        (
            [arm("a", 0.9), arm("b", 0.9), arm("c", 0.9)],
            "a, b and c: take a, the first named of arms alike in cost and simplicity.",
        ),
        (
            [arm("a", 0.9, 1.02), arm("b", 0.9, 1.00)],
            "b and a: take b, the slightly cheaper of equally simple ones.",
        ),
        (
            [arm("a", 0.9, 1.00, 4), arm("b", 0.9, 1.04, 3), arm("c", 0.9, 2.00, 1)],
            "b, a and c: take b, simpler than a at the same cost, and cheaper than c.",
        ),
        (
            [arm("plain", 0.9, 1000, 1), arm("cheap", 0.9, 1, 2), ONE_UNKNOWN],
            "plain, cheap and asked: take plain, the simplest; costs cannot be compared.",
        ),
        (
            [arm("plain", 0.9, 1000, 1), arm("cheap", 0.9, 1, 1), ONE_UNKNOWN],
            "plain, cheap and asked: take plain, named before cheap, otherwise alike, and simpler"
            " than asked (costs cannot be compared).",
        ),
    ],
)
def test_a_tie_says_which_side_to_take_and_why_and_claims_nothing_else(arms, headline):
    found = told(arms, n=100_000)
    assert found.verdict == "tie"
    assert found.headline == f"A tie between {headline}"
    assert set(found.tied_with) == {a.name for a in arms} - {found.choice}
    which = headline.split(f"take {found.choice}, ")[1].rstrip(".")
    assert any(f"within the margin it is {which}" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (arm("b", 0.9, 2.00, 0), "but more expensive than a ($2.00 against $1.00)"),
        (arm("b", 0.9, 1.04, 2), "but less simple than a at the same cost ($1.04 against $1.00)"),
        (arm("b", 0.9, 1.04, 1), "but slightly more expensive than a, which is as simple"),
        (arm("b", 0.9, 1.00, 1), "but named after a, which is alike in cost and simplicity"),
        (arm("b", 0.9, None, 2), "but less simple than a and costs cannot be compared"),
        (arm("b", 0.9, None, 1), "but named after a, which is as simple; costs cannot be"),
    ],
)
def test_a_candidate_is_passed_over_for_the_reason_that_holds(other, why):
    found = told([arm("a", 0.9), other])
    assert found.choice == "a"
    assert found.rejected["b"].startswith(f"within the margin, {why}")


def waiting():
    """Return lora and tfidf, which all but move as one, and nearest, of which little is known."""
    arms = [
        arm("lora", 0.70, cost=100, complexity=5),
        arm("tfidf", 0.69, cost=50),
        arm("nearest", 0.66, cost=10),
    ]
    noise = np.random.default_rng(0).normal(size=(3, 4_000))
    noise -= noise.mean(axis=1, keepdims=True)
    spread = np.array([0.02 * noise[0], 0.02 * noise[0] + 0.004 * noise[1], 0.04 * noise[2]])
    scores = np.array([a.score for a in arms])
    return arms, MultipleComparisons(
        tuple(a.name for a in arms), scores, scores[:, None] + spread, n=1000
    )


def test_a_candidate_that_waits_for_an_undecided_arm_says_so():
    found = in_words(*waiting(), margin=0.06)
    assert outcome(found) == ("not_enough_evidence", "lora", set(), True)
    assert found.rejected == {
        "tfidf": "within the margin and cheaper than lora ($50.00 against $100),"
        " but nearest is undecided"
    }
    said = " ".join(found.reasons)
    assert "tfidf is within the margin of 6.0 points ($50.00). It cannot be recommended" in said
    assert "while nearest is undecided" in said
    assert (
        "nearest is cheaper than tfidf ($10.00 against $50.00) and might be good enough, but"
        in said
    )
    assert "may still be" not in said  # lora is within the margin itself


def test_an_arm_that_is_significantly_worse_has_its_figures():
    found = told([GOOD, arm("cheap", 0.80), arm("other", 0.70)])
    for name, by in (("cheap", "10.0"), ("other", "20.0")):
        assert found.rejected[name].startswith(
            f"significantly worse than the best arm: {by} points below"
        )
        assert "for this arm by itself" in found.rejected[name]


def test_a_tie_does_not_say_that_its_choice_is_significantly_worse():
    # The lead of 4 points is 1.8 standard errors: one-sided that is significant, two-sided not.
    sd = 0.04 / 1.8 / np.sqrt(2)
    arms = [arm("good", 0.90, cost=10), arm("cheap", 0.86)]
    found = told(arms, margin=0.2, sd=sd, n=100_000)
    assert outcome(found) == ("tie", "cheap", {"good"}, False)
    assert comparisons(arms, sd, 100_000).gaps(["good", "cheap"])["cheap"].low > 0
    assert any("do not differ significantly" in reason for reason in found.reasons)
    assert not any("significantly worse" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("arms", "absent", "headline"),
    [
        ([GOOD], {}, "Choose good: it is the only arm in the task."),
        ([GOOD], {"b": "failed: x"}, "Choose good: it is the only arm that finished."),
        (
            [GOOD, arm("a", 0.9, checks=[MISSED])],
            {"b": "failed: x"},
            "Choose good: it is the only arm that meets every limit.",
        ),
    ],
)
def test_a_single_arm_is_chosen_for_the_reason_that_holds(arms, absent, headline):
    found = told(arms, absent=absent)
    assert found.headline == headline
    assert set(found.rejected) == {a.name for a in arms if a is not GOOD} | set(absent)


def test_where_nothing_is_feasible_nothing_is_said_of_tuning_and_absent_arms_stay_named():
    tuned = replace(arm("lora", 0.9, checks=[MISSED]), tuned=True)
    arms = [tuned, arm("tfidf", 0.9, checks=[MISSED])]
    found = told(arms, absent={"rag": "was not run: needs documents"})
    assert found.headline == "Nothing to recommend: no arm meets every limit."
    assert found.rejected["rag"] == "was not run: needs documents"


def test_an_undecided_arm_is_named_with_the_rows_that_would_decide():
    found = told([GOOD, arm("cheap", 0.88)], sd=0.02)
    assert any("cheap is cheaper than good ($1.00 against $10.00)" in r for r in found.reasons)
    assert any("test rows would decide about it" in reason for reason in found.reasons)
    assert "cheap" not in found.rejected
