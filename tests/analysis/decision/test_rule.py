"""The verdict rule, case by case, on arms and resamples made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import Contender
from harness.analysis.schema.comparison import Check
from harness.stats.mcb import Contest

MISSED = Check(key="limits.min_score", text="too low", state="missed", excess=0.2)
CLOSE = Check(key="limits.max_p95_ms", text="a bit slow", state="missed", excess=0.05)
UNKNOWN = Check(key="limits.max_usd_per_1k", text="give a price row", state="unknown")


def arm(name, score, cost=1.0, complexity=1, checks=()):
    return Contender(name, score, complexity, tuple(checks), cost, f"${cost}")


def contest(arms, sd=0.004, n=1000):
    """Resamples that spread by `sd`, a number or one for each arm, independently."""
    scores = np.array([a.score for a in arms])
    spread = np.broadcast_to(np.array(sd), scores.shape)[:, None]
    noise = np.random.default_rng(0).normal(size=(len(arms), 4_000))
    noise -= noise.mean(axis=1, keepdims=True)
    return Contest(tuple(a.name for a in arms), scores, scores[:, None] + spread * noise, n)


def verdict(arms, margin=0.05, sd=0.004, n=1000):
    return decide(arms, contest(arms, sd, n), margin)


def outcome(found):
    return found.verdict, found.choice, set(found.tied_with), found.provisional


GOOD = arm("good", 0.90, cost=10, complexity=5)


@pytest.mark.parametrize(
    ("arms", "sd", "expected"),
    [
        pytest.param([GOOD], 0.004, ("choose", "good", set(), False), id="one arm"),
        pytest.param(
            [GOOD, arm("cheap", 0.95, checks=[MISSED])],
            0.004,
            ("choose", "good", set(), False),
            id="one feasible arm, though another scores better",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.90)],
            0.004,
            ("tie", "cheap", {"good"}, False),
            id="a tie goes to the cheaper",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.80)],
            0.004,
            ("choose", "good", set(), False),
            id="the cheaper is shown worse by more than the margin",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.87)],
            0.004,
            ("choose", "cheap", set(), False),
            id="the cheaper is shown worse by less than the margin",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.93)],
            0.004,
            ("choose", "cheap", set(), False),
            id="the cheaper is shown better",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.88)],
            0.02,
            ("not_enough_evidence", "good", set(), True),
            id="a candidate, but the cheaper arm is open",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.89)],
            0.05,
            ("not_enough_evidence", "good", set(), True),
            id="no candidate at all",
        ),
        pytest.param(
            [GOOD, arm("dear", 0.88, cost=20)],
            0.02,
            ("choose", "good", set(), False),
            id="an open arm that is dearer does not hold up the choice",
        ),
        pytest.param(
            [arm("a", 0.90, cost=3), arm("b", 0.90, cost=2), arm("c", 0.90, cost=1)],
            0.004,
            ("tie", "c", {"a", "b"}, False),
            id="a tie of three names both others",
        ),
        pytest.param(
            [arm("best", 0.93, cost=3), arm("b", 0.90, cost=2), arm("c", 0.90, cost=1)],
            0.004,
            ("tie", "c", {"b"}, False),
            id="a tie names only whom it cannot be told from",
        ),
        pytest.param(
            [arm("intricate", 0.9, 1.00, 4), arm("plain", 0.9, 1.04, 1)],
            0.004,
            ("tie", "plain", {"intricate"}, False),
            id="costs within 5 % are equal, then the simpler",
        ),
        pytest.param(
            [arm("intricate", 0.9, 1.00, 4), arm("plain", 0.9, 1.06, 1)],
            0.004,
            ("tie", "intricate", {"plain"}, False),
            id="costs 6 % apart decide",
        ),
        pytest.param(
            [arm("intricate", 0.9, None, 4), arm("plain", 0.9, 9.0, 1)],
            0.004,
            ("tie", "plain", {"intricate"}, False),
            id="an unknown cost leaves it to complexity",
        ),
        pytest.param(
            [arm("a", 0.9, checks=[UNKNOWN]), GOOD],
            0.004,
            ("choose", "good", set(), False),
            id="an unknown value does not meet a limit",
        ),
        pytest.param(
            [arm("a", 0.9, checks=[UNKNOWN])],
            0.004,
            ("nothing_feasible", None, set(), False),
            id="nothing feasible",
        ),
    ],
)
def test_the_rule(arms, sd, expected):
    assert outcome(verdict(arms, sd=sd)) == expected


def test_the_nearest_miss_is_named_by_its_relative_excess():
    arms = [arm("far", 0.9, checks=[MISSED]), arm("near", 0.8, checks=[CLOSE])]
    found = verdict(arms)
    assert found.choice is None
    assert any("Nearest is near: a bit slow" in reason for reason in found.reasons)
    assert found.rejected == {"far": "too low", "near": "a bit slow"}


def test_an_arm_is_as_far_off_as_its_worst_miss():
    arms = [arm("both", 0.9, checks=[MISSED, CLOSE]), arm("one", 0.8, checks=[CLOSE])]
    assert any("Nearest is one" in reason for reason in verdict(arms).reasons)


def test_where_every_arm_lacks_a_figure_the_reason_says_what_to_supply():
    found = verdict([arm("a", 0.9, checks=[UNKNOWN]), arm("b", 0.9, checks=[UNKNOWN])])
    assert any("first, for a: give a price row" in reason for reason in found.reasons)


def test_without_any_finished_arm_no_limit_is_blamed():
    found = decide([], Contest((), np.array([]), np.zeros((0, 1)), n=1), 0.05)
    assert outcome(found) == ("nothing_feasible", None, set(), False)
    assert found.reasons == ("No arm finished.",)
    assert "limit" not in found.headline


def test_infeasible_arms_set_no_standard_for_the_others():
    unreachable = arm("best", 0.99, checks=[MISSED])
    found = verdict([unreachable, GOOD, arm("cheap", 0.89)])
    assert found.choice == "cheap"
    assert found.rejected["best"] == "too low"


def test_a_choice_that_is_shown_worse_says_so():
    found = verdict([GOOD, arm("cheap", 0.87)])
    assert any("not to be the best: good scores 3.0 points more" in r for r in found.reasons)


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
            [arm("dear", 0.9, 1000, 1), arm("cheap", 0.9, 1, 2), ONE_UNKNOWN],
            "dear, cheap and asked: take dear, the simplest; costs cannot be compared.",
        ),
        (
            [arm("dear", 0.9, 1000, 1), arm("cheap", 0.9, 1, 1), ONE_UNKNOWN],
            "dear, cheap and asked: take dear, named before cheap, otherwise alike, and simpler"
            " than asked (costs cannot be compared).",
        ),
    ],
)
def test_a_tie_says_which_side_to_take_and_why_and_claims_nothing_else(arms, headline):
    found = verdict(arms, n=100_000)
    assert found.verdict == "tie"
    assert found.headline == f"A tie between {headline}"
    assert set(found.tied_with) == {a.name for a in arms} - {found.choice}
    which = headline.split(f"take {found.choice}, ")[1].rstrip(".")
    assert any(f"within the margin it is {which}" in reason for reason in found.reasons)


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (arm("b", 0.9, 2.00, 0), "but dearer than a ($2.0 against $1.0)"),
        (arm("b", 0.9, 1.04, 2), "but less simple than a at the same cost ($1.04 against $1.0)"),
        (arm("b", 0.9, 1.04, 1), "but slightly dearer than a, which is as simple"),
        (arm("b", 0.9, 1.00, 1), "but named after a, which is alike in cost and simplicity"),
        (arm("b", 0.9, None, 2), "but less simple than a and costs cannot be compared"),
        (arm("b", 0.9, None, 1), "but named after a, which is as simple; costs cannot be"),
    ],
)
def test_a_candidate_is_passed_over_for_the_reason_that_holds(other, why):
    found = verdict([arm("a", 0.9), other])
    assert found.choice == "a"
    assert found.rejected["b"].startswith(f"within the margin, {why}")


def test_a_candidate_that_seems_cheaper_than_the_cheapest_does_not_hold_it_up():
    # 104 counts as 100 and is simpler, 108 counts as 104 and is simpler still.
    arms = [arm("a", 0.9, 100, 3), arm("b", 0.9, 104, 2), arm("c", 0.9, 108, 1)]
    assert arms[2].cheaper_than(arms[1])
    found = verdict(arms)
    assert outcome(found) == ("tie", "b", {"a", "c"}, False)
    assert found.headline.endswith("simpler than a at the same cost, and cheaper than c.")


def held_up():
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
    return arms, Contest(tuple(a.name for a in arms), scores, scores[:, None] + spread, n=1000)


def test_a_candidate_that_is_held_up_is_said_to_be_so():
    found = decide(*held_up(), margin=0.06)
    assert outcome(found) == ("not_enough_evidence", "lora", set(), True)
    assert found.rejected == {
        "tfidf": "within the margin and cheaper than lora ($50 against $100),"
        " but held up by nearest"
    }
    said = " ".join(found.reasons)
    assert "tfidf is shown to be within the margin of 6.0 points ($50), but cannot" in said
    assert "before nearest is settled" in said
    assert "nearest is cheaper than tfidf ($10 against $50) and is neither shown worse" in said
    assert "may still be" not in said  # lora is within the margin itself


def test_an_arm_that_is_no_candidate_is_shown_worse_than_the_best_by_itself():
    found = verdict([GOOD, arm("cheap", 0.80), arm("other", 0.70)])
    for name, by in (("cheap", "10.0"), ("other", "20.0")):
        assert found.rejected[name].startswith(f"shown worse than the best arm: {by} points below")
        assert "for this arm by itself, at least" in found.rejected[name]


def test_a_tie_does_not_say_that_its_choice_is_shown_worse_than_the_other():
    # The lead of 4 points is 1.8 standard errors: one-sided it is shown, two-sided it is not.
    sd = 0.04 / 1.8 / np.sqrt(2)
    arms = [arm("good", 0.90, cost=10), arm("cheap", 0.86)]
    found = verdict(arms, margin=0.2, sd=sd, n=100_000)
    assert outcome(found) == ("tie", "cheap", {"good"}, False)
    assert contest(arms, sd, 100_000).losses(["good", "cheap"])["cheap"].low > 0
    assert any("cannot be told from it" in reason for reason in found.reasons)
    assert not any("not to be the best" in reason for reason in found.reasons)


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
    found = decide(arms, contest(arms), 0.05, absent)
    assert found.headline == headline
    assert set(found.rejected) == {a.name for a in arms if a is not GOOD} | set(absent)


def test_where_nothing_is_feasible_tuning_is_not_judged_and_absent_arms_stay_named():
    tuned = replace(arm("lora", 0.9, checks=[MISSED]), tuned=True)
    arms = [tuned, arm("tfidf", 0.9, checks=[MISSED])]
    found = decide(arms, contest(arms), 0.05, {"rag": "was not run: needs documents"})
    assert found.headline == "Nothing to recommend: no arm meets every limit."
    assert found.rejected["rag"] == "was not run: needs documents"


def test_an_open_verdict_names_the_cheaper_arm_and_how_many_rows_would_settle_it():
    found = verdict([GOOD, arm("cheap", 0.88)], sd=0.02)
    assert any("cheap is cheaper than good ($1.0 against $10)" in r for r in found.reasons)
    assert any("test rows would settle cheap" in reason for reason in found.reasons)
    assert "cheap" not in found.rejected


def test_the_best_arm_is_never_held_against_itself():
    # The best arm is the cheapest and noisy; two like arms are within the margin but dearer.
    arms = [arm("best", 0.905, cost=1), arm("b", 0.90, cost=5), arm("c", 0.90, cost=6)]
    noise = np.random.default_rng(0).normal(size=(2, 4_000))
    scores = np.array([a.score for a in arms])
    resampled = scores[:, None] + np.array([0.1 * noise[0], 0.005 * noise[1], 0 * noise[1]])
    made = Contest(("best", "b", "c"), scores, resampled, n=1000)
    losses = made.losses(["best", "b", "c"])
    margin = (losses["best"].high + min(losses["b"].high, losses["c"].high)) / 2
    assert margin < losses["best"].high
    found = decide(arms, made, margin)
    assert outcome(found) == ("not_enough_evidence", "best", set(), True)
    assert not any("best is cheaper" in reason for reason in found.reasons)
    assert any("The loss of best to another arm may still be" in r for r in found.reasons)
    assert set(found.rejected) == {"b", "c"}


def test_one_unknown_cost_puts_one_order_on_all_arms():
    arms = [
        arm("dear", 0.9, cost=1000, complexity=1),
        arm("cheap", 0.9, cost=1, complexity=2),
        arm("asked", 0.9, cost=None, complexity=2),
    ]
    found = verdict(arms, n=100_000)
    assert (found.verdict, found.choice, set(found.tied_with)) == (
        "tie",
        "dear",
        {"cheap", "asked"},
    )
