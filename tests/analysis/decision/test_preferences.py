"""Why one candidate is taken rather than another: what is said holds, for whatever costs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.cost.cost import EQUAL_COST
from harness.analysis.decision.rule import cheapest, preferences
from harness.analysis.decision.verdict import ArmFigures, Preference
from harness.wording.sentences import listed

COSTS = st.lists(
    st.tuples(st.integers(95, 120), st.integers(0, 3)), min_size=2, max_size=5
)  # many of them within 5 % of each other


def arms_of(costs):
    return [
        ArmFigures(str(place), 0.9, complexity, (), cost)
        for place, (cost, complexity) in enumerate(costs)
    ]


@given(COSTS)
def test_a_preference_holds_between_the_two_arms(costs):
    arms = arms_of(costs)
    choice, least = cheapest(arms), min(cost for cost, _ in costs)
    over = preferences(choice, arms)
    assert set(over) == {arm.name for arm in arms} - {choice.name}
    for arm in arms:
        if arm is choice:
            continue
        assert choice.cost <= least * EQUAL_COST
        holds = {
            Preference.CHEAPER: choice.cost < arm.cost,
            Preference.SIMPLER: choice.complexity < arm.complexity
            and arm.cost <= least * EQUAL_COST,
            Preference.SLIGHTLY_CHEAPER: choice.cost < arm.cost
            and choice.complexity == arm.complexity,
            Preference.FIRST: (choice.cost, choice.complexity) == (arm.cost, arm.complexity)
            and arms.index(choice) < arms.index(arm),
        }
        assert holds[over[arm.name]]


@given(COSTS)
def test_where_costs_cannot_be_compared_only_simplicity_and_order_are_claimed(costs):
    arms = arms_of([(None, complexity) for _, complexity in costs])
    choice = cheapest(arms)
    for name, why in preferences(choice, arms).items():
        arm = arms[int(name)]
        simpler = choice.complexity < arm.complexity
        assert why is (Preference.SIMPLER if simpler else Preference.FIRST)
        assert choice.complexity <= arm.complexity


@given(COSTS)
def test_an_advantage_is_never_had_both_ways(costs):
    first, second, *_ = arms_of(costs)
    assert not (first.advantage_over(second) and second.advantage_over(first))


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names, text):
    assert listed(names) == text


def test_the_cheapest_of_equals_is_the_first_named():
    assert cheapest(arms_of([(1, 1), (1, 1)])).name == "0"


def test_an_unknown_cost_is_not_nothing():
    for costs in ([1, None], [None, 1]):  # of equal complexity the first
        assert cheapest(arms_of([(cost, 1) for cost in costs])).name == "0"
