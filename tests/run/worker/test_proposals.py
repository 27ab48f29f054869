"""What is tried: a portfolio that covers the space, then new draws, the same for the same seed."""

import importlib.util

import pytest

from harness.run.worker.proposals import PORTFOLIO, Proposer, portfolio
from harness.search_space import Dimension

RATE = Dimension("rate", 1e-3, low=1e-4, high=5e-3)
SHOTS = Dimension("shots", 8, (4, 8, 16))
FORM = Dimension("form", "plain", ("plain", "turns"))
LISTS = Dimension("top", [1, 3], ([1], [1, 3]))


def take(space, n, seed=0, accepts=lambda changed: True, score=lambda changed: 0.0):
    proposer = Proposer(space, seed, accepts)
    proposer.tell({}, score({}))
    found = []
    for _ in range(n):
        proposal = proposer.next()
        if proposal is None:
            break
        found.append(proposal)
        proposer.tell(proposal.changed, score(proposal.changed))
    return found


@pytest.fixture(params=["optuna", "random"])
def either(request, monkeypatch):
    """Both ways to go on, the second as where Optuna is not installed."""
    if request.param == "optuna":
        pytest.importorskip("optuna")
        return "tpe"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    return "random"


def test_the_portfolio_changes_one_parameter_each_and_goes_round():
    assert list(portfolio([RATE, SHOTS, FORM])) == [
        {"rate": 0.000333},
        {"shots": 4},
        {"form": "turns"},
        {"rate": 0.003},
        {"shots": 16},
    ]


def test_a_range_is_left_at_its_ends():
    narrow = Dimension("rate", 1e-3, low=9e-4, high=1e-3)
    assert list(portfolio([narrow])) == [{"rate": 9e-4}]
    whole = Dimension("rank", 8, low=2, high=16, whole=True)
    assert list(portfolio([whole])) == [{"rank": 3}, {"rank": 16}]


def test_every_trial_is_new_and_inside_of_the_space(either):
    found = take([RATE, SHOTS, FORM, LISTS], 40)
    assert len(found) == 40
    changed = [proposal.changed for proposal in found]
    assert {} not in changed
    assert all(one not in changed[:place] for place, one in enumerate(changed))
    assert all(1e-4 <= one.get("rate", 1e-3) <= 5e-3 for one in changed)
    assert [proposal.by for proposal in found[:6]] == ["portfolio"] * 6
    assert found[-1].by == either


def test_the_same_seed_proposes_the_same_and_another_one_does_not(either):
    def score(changed):
        return changed.get("rate", 1e-3)

    first, again = (take([RATE, SHOTS, FORM], 20, score=score) for _ in range(2))
    assert first == again
    assert first != take([RATE, SHOTS, FORM], 20, seed=1, score=score)


def test_a_small_space_is_tried_whole_and_then_nothing_is_left(either):
    found = take([SHOTS, FORM], 20)
    assert len(found) == 5


def test_what_the_strategy_refuses_is_no_trial(either):
    found = take([RATE, SHOTS], 20, accepts=lambda changed: "rate" not in changed)
    assert [proposal.changed for proposal in found] == [{"shots": 4}, {"shots": 16}]


def test_a_portfolio_is_short():
    space = [Dimension(name, 0, tuple(range(9))) for name in "abcd"]
    found = take(space, 12)
    assert [proposal.by == "portfolio" for proposal in found] == [True] * PORTFOLIO + [False] * 5


def test_tpe_goes_where_scores_are_high():
    pytest.importorskip("optuna")

    def score(changed):
        return -abs(changed.get("rate", 1e-3) - 4e-3)

    late = take([RATE, SHOTS], 24, score=score)[14:]
    near = [one for one in late if one.changed.get("rate", 1e-3) > 2e-3]
    assert len(near) >= 5  # 2.3 of 10 by chance


def test_a_failure_teaches_nothing_and_stops_nothing(either):
    assert len(take([RATE, FORM], 12, score=lambda changed: None)) == 12
