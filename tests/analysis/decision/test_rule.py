"""The verdict rule, case by case, on arms and resamples made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from rule_cases import CLOSE, GOOD, MISSED, UNKNOWN, arm, outcome, verdict

from harness.analysis.decision.rule import decide
from harness.analysis.decision.verdict import Code, Preference
from harness.stats.mcb import MultipleComparisons


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
            id="the cheaper is significantly worse by more than the margin",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.87)],
            0.004,
            ("choose", "cheap", set(), False),
            id="the cheaper is significantly worse by less than the margin",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.93)],
            0.004,
            ("choose", "cheap", set(), False),
            id="the cheaper is better",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.88)],
            0.02,
            ("not_enough_evidence", "good", set(), True),
            id="a candidate, but the cheaper arm is undecided",
        ),
        pytest.param(
            [GOOD, arm("cheap", 0.89)],
            0.05,
            ("not_enough_evidence", "good", set(), True),
            id="no candidate at all",
        ),
        pytest.param(
            [GOOD, arm("expensive", 0.88, cost=20)],
            0.02,
            ("choose", "good", set(), False),
            id="an open arm that is more expensive does not hold up the choice",
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
            id="a tie names only arms that do not differ significantly",
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


def test_infeasible_arms_set_no_standard_for_the_others():
    unreachable = arm("best", 0.99, checks=[MISSED])
    found = verdict([unreachable, GOOD, arm("cheap", 0.89)])
    assert found.choice == "cheap"
    assert found.rejected["best"].code is Code.OVER_A_LIMIT
    assert "best" not in found.competing


def test_reasons_are_codes_with_the_figures_that_they_rest_on():
    found = verdict([GOOD, arm("cheap", 0.87), arm("poor", 0.70, cost=20)])
    assert [reason.code for reason in found.reasons] == [
        Code.WITHIN_MARGIN,
        Code.PREFERRED,
        Code.NOT_THE_BEST,
    ]
    within, preferred, _ = found.reasons
    assert (within.arm, within.gap.to) == ("cheap", "good")
    assert within.gap.value == pytest.approx(0.03)
    assert within.gap.low > 0
    assert within.gap.high <= 0.05
    assert preferred.others == ("good",)
    assert found.preferences == {"good": Preference.CHEAPER}
    assert {name: why.code for name, why in found.rejected.items()} == {
        "good": Code.PASSED_OVER,
        "poor": Code.SIGNIFICANTLY_WORSE,
    }


def test_an_undecided_arm_is_named_with_its_bounds():
    found = verdict([GOOD, arm("cheap", 0.88)], sd=0.02)
    assert found.undecided == ("cheap",)
    (open_one,) = [r for r in found.reasons if r.code is Code.MAY_BE_GOOD_ENOUGH]
    assert (open_one.arm, open_one.others) == ("cheap", ("good",))
    assert open_one.gap.low <= 0
    assert open_one.gap.high > 0.05


def test_the_nearest_arm_is_the_one_whose_worst_miss_is_the_least():
    both, close = arm("both", 0.9, checks=[MISSED, CLOSE]), arm("close", 0.8, checks=[CLOSE])
    found = verdict([both, close])
    assert [(r.code, r.arm) for r in found.reasons] == [
        (Code.NONE_FEASIBLE, ""),
        (Code.NEAREST, "close"),
    ]
    lacking = verdict([arm("a", 0.9, checks=[UNKNOWN]), arm("b", 0.9, checks=[UNKNOWN])])
    assert lacking.reasons[-1].code is Code.SUPPLY_FIRST


def test_without_any_finished_arm_no_limit_is_blamed():
    found = decide([], MultipleComparisons((), np.array([]), np.zeros((0, 1)), n=1), 0.05)
    assert outcome(found) == ("nothing_feasible", None, set(), False)
    assert [reason.code for reason in found.reasons] == [Code.NONE_FINISHED]


def test_a_candidate_that_seems_cheaper_than_the_cheapest_does_not_hold_it_up():
    # 104 counts as 100 and is simpler, 108 counts as 104 and is simpler still.
    arms = [arm("a", 0.9, 100, 3), arm("b", 0.9, 104, 2), arm("c", 0.9, 108, 1)]
    assert arms[2].advantage_over(arms[1]) is Preference.SIMPLER
    assert outcome(verdict(arms)) == ("tie", "b", {"a", "c"}, False)


def test_the_best_arm_is_never_compared_with_itself():
    # The best arm is the cheapest and noisy; two like arms are within the margin, but cost more.
    arms = [arm("best", 0.905, cost=1), arm("b", 0.90, cost=5), arm("c", 0.90, cost=6)]
    noise = np.random.default_rng(0).normal(size=(2, 4_000))
    scores = np.array([a.score for a in arms])
    resampled = scores[:, None] + np.array([0.1 * noise[0], 0.005 * noise[1], 0 * noise[1]])
    made = MultipleComparisons(("best", "b", "c"), scores, resampled, n=1000)
    gaps = made.gaps(["best", "b", "c"])
    margin = (gaps["best"].high + min(gaps["b"].high, gaps["c"].high)) / 2
    assert margin < gaps["best"].high
    found = decide(arms, made, margin)
    assert outcome(found) == ("not_enough_evidence", "best", set(), True)
    codes = {reason.code: reason for reason in found.reasons}
    assert Code.MAY_BE_GOOD_ENOUGH not in codes
    assert codes[Code.LEAD_UNDECIDED].arm == "best"
    assert set(found.rejected) == {"b", "c"}


def test_one_unknown_cost_puts_one_order_on_all_arms():
    arms = [
        arm("expensive", 0.9, cost=1000, complexity=1),
        arm("cheap", 0.9, cost=1, complexity=2),
        arm("asked", 0.9, cost=None, complexity=2),
    ]
    found = verdict(arms, n=100_000)
    assert outcome(found) == ("tie", "expensive", {"cheap", "asked"}, False)
