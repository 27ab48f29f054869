"""A forecast holds the trials of an effort, or is bounded by it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.plan.search_demand import searched
from harness.search_space import Dimension
from harness.store.records import Forecast
from harness.task.effort import Search

FOUND = Forecast(
    machine="here",
    fit_wall_s=10.0,
    fit_wall_low_s=4.0,
    serve_wall_s=30.0,
    serve_wall_low_s=20.0,
    fit_usd=1.0,
    serve_usd=3.0,
)
TASK = SimpleNamespace(
    validation=[None] * 50,
    test=[None] * 150,
    profiles={"arm": SimpleNamespace(needs=frozenset({"model"}))},
)
WIDE = (Dimension("rate", 1e-3, low=1e-4, high=1e-2),)


def of(found=FOUND, **fields):
    given = {"family": "tuned", "sharing": 1, "space": WIDE, "effort": {}, "trials": 6}
    search = Search(**{**given, **fields})
    return searched(found, search, TASK, "arm")


def test_trials_multiply_preparation_and_answers_to_validation_rows():
    found = of()
    assert found.fit_wall_s == pytest.approx(6 * (10 + 30 / 3))
    assert found.fit_wall_low_s == 6 * 4
    assert found.fit_usd == pytest.approx(6 * (1 + 3 / 3))
    assert (found.serve_wall_s, found.serve_usd) == (30, 3)
    assert "6 trials of `effort`" in found.notes[-1]


def test_a_small_space_is_no_more_than_its_sets():
    space = (Dimension("shots", 4, (4, 8)), Dimension("form", "a", ("a", "b")))
    assert of(space=space, trials=24).fit_wall_s == pytest.approx(4 * 20)


def test_minutes_bound_it():
    found = of(seconds=60.0, trials=24)
    assert found.fit_wall_s == pytest.approx(60 + 20)
    assert found.fit_wall_low_s == 60
    assert found.fit_usd == pytest.approx(4 * 2)
    assert "or 1 minutes" in found.notes[-1]


def test_money_bounds_it():
    assert of(usd=2.5).fit_usd == pytest.approx(3.5)


def test_what_is_not_known_stays_so():
    assert of(Forecast(machine="here", why="nobody says")).fit_wall_s is None
    assert of(FOUND.model_copy(update={"fit_usd": None})).fit_usd is None


@pytest.mark.parametrize("search", [{"trials": 1}, None])
def test_nothing_to_try_changes_nothing(search):
    found = searched(FOUND, None, TASK, "arm") if search is None else of(**search)
    assert found == FOUND
