"""The page `coverage`: what it counts, and a small part of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import coverage
from benchmarks.coverage import NOMINAL, Regime, exact_tango, exact_wilson, simulate
from benchmarks.populations import Labels, with_ones
from harness.metrics import find

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("exact", [exact_wilson, exact_tango])
def test_coverage_of_right_or_wrong_lies_between_93_and_97_percent_exactly(exact):
    found = exact(100)
    assert NOMINAL[0] <= found["least"] <= found["mean"] <= found["largest"] <= NOMINAL[1]


def test_exact_coverage_sums_the_outcomes_whose_interval_holds_the_truth():
    # With n = 10 and a true accuracy of 0.5 these are 2 to 8 right answers.
    from scipy.stats import binom

    from harness.stats.intervals import wilson

    held = [k for k in range(11) if wilson(k, 10)[0] <= 0.5 <= wilson(k, 10)[1]]
    assert held == list(range(2, 9))
    assert exact_wilson(10)["largest"] >= binom.pmf(held, 10, 0.5).sum() - 1e-12


def regime(draw, truth, **changes):
    fields = {"kind": "made", "n": 40, "detail": "", "metric": find("accuracy")} | changes
    return Regime(truth=truth, draw=draw, **fields)


def test_what_holds_the_truth_is_counted_and_what_is_marked():
    values = with_ones(np.repeat([[1.0, 0.0]], 20, axis=1))
    assert simulate(regime(lambda _: values, 0.5), 20, 0)["coverage"] == 1
    found = simulate(regime(lambda _: values, 0.9), 20, 0)
    assert (found["coverage"], found["marked"], found["coverage_unmarked"]) == (0, 0, 0)
    few = simulate(regime(lambda _: values[:, :20], 0.5, n=20), 20, 0)
    assert (few["marked"], few["coverage_unmarked"]) == (1, None)


def test_intervals_of_macro_f1_hold_the_truth_about_as_often_as_they_say():
    population = Labels(3, 0.7)
    made = regime(
        lambda draw: population.draw(draw, 100),
        population.macro_f1,
        n=100,
        metric=find("macro_f1"),
        labels=3,
    )
    assert simulate(made, 400, 5)["coverage"] == pytest.approx(0.95, abs=0.033)  # 3 errors


@pytest.mark.parametrize("seeds", [3, 5])
@pytest.mark.parametrize("seed_sd", [0.3, 1.0])
def test_seeds_that_differ_are_covered(seeds, seed_sd):
    """The mean of the method, with the variance between seeds and that between rows known."""
    population = coverage.Crossed(2.0, 2.0, seed_sd)
    made = regime(
        lambda draw: population.draw(draw, 100, seeds, np.arange(100)), population.mean, n=100
    )
    assert simulate(made, 300, 5)["coverage"] == pytest.approx(0.95, abs=0.04)  # 3 errors


def test_every_regime_draws_what_it_says():
    draw = np.random.default_rng(0)
    regimes = list(coverage.regimes())
    assert {made.kind for made in regimes} == {"macro_f1", "token_f1", "seeds", "clusters"}
    for made in regimes:
        assert made.draw(draw).shape[1] == made.n
        assert made.clusters is None or len(made.clusters) == made.n
        assert 0 <= made.truth <= 1


@pytest.mark.torch
def test_the_page_fetches_no_model_and_prints_one_line_of_json(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.models.fetch", lambda: pytest.fail("fetched"))
    few = list(coverage.regimes())[:2]
    monkeypatch.setattr(coverage, "regimes", lambda: iter(few))
    monkeypatch.setattr(coverage, "QUICK_SIMULATED", 5)
    monkeypatch.setattr(coverage, "exact_tango", coverage.exact_wilson)
    assert command.main(["coverage", "--quick"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["model"] is None
    assert found["ratio"] is None
    assert len(found["simulated"]) == 2
