"""Intervals of one proportion, of a paired difference and of a quantile, against their sources."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats.intervals import (
    Z95,
    binomial_quantile,
    mcnemar,
    quantile_interval,
    tango,
    wilson,
)

TABLES = st.integers(1, 60).flatmap(
    lambda n: st.tuples(st.integers(0, n), st.integers(0, n), st.just(n)).filter(
        lambda table: table[0] + table[1] <= table[2]
    )
)


def likeliest_q(b, c, n, difference):
    """The probability of "only second", by maximising the likelihood under a given difference."""
    from scipy.optimize import minimize_scalar

    def minus_log_likelihood(q):
        cells = ((b, q + difference), (c, q), (n - b - c, 1 - 2 * q - difference))
        return -sum(count * log(max(p, 1e-300)) for count, p in cells if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    options = {"xatol": 1e-12}
    found = minimize_scalar(
        minus_log_likelihood, bounds=(low, high), method="bounded", options=options
    )
    return min((low, high, found.x), key=minus_log_likelihood)


def inverted(b, c, n):
    """The differences that the score test does not reject, tried one by one."""

    def accepted(difference):
        q = likeliest_q(b, c, n, difference)
        variance = n * (2 * q + difference * (1 - difference))
        return abs(b - c - n * difference) <= Z95 * sqrt(max(variance, 0.0)) + 1e-9

    kept = [d for d in np.linspace(-1, 1, 2001) if accepted(float(d))]
    return kept[0], kept[-1]


@pytest.mark.parametrize(
    ("successes", "n"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 10), (81, 263)]
)
def test_wilson_agrees_with_statsmodels(successes, n):
    from statsmodels.stats.proportion import proportion_confint

    expected = proportion_confint(successes, n, method="wilson")
    assert wilson(successes, n) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)],
)
def test_wilson_gives_newcombes_published_intervals(successes, n, low, high):
    assert wilson(successes, n) == pytest.approx((low, high), abs=5e-5)


def test_tango_gives_a_published_interval():
    # Cavo et al. 2012 in Fagerland, Lydersen and Laake, Statistical Analysis of Contingency
    # Tables, chapter 8, as the authors' R package contingencytables prints it.
    assert tango(6, 16, 161) == pytest.approx((-0.1240, -0.0054), abs=5e-5)


@pytest.mark.parametrize(
    "table", [(40, 20, 160), (1, 7, 21), (0, 1, 44), (3, 2, 5), (0, 0, 10), (4, 0, 4), (1, 0, 1)]
)
def test_tango_agrees_with_trying_every_difference(table):
    assert tango(*table) == pytest.approx(inverted(*table), abs=1.01e-3)


@pytest.mark.parametrize("n", [1, 2, 10, 300])
def test_tango_without_a_discordant_item_has_its_closed_form(n):
    edge = Z95**2 / (n + Z95**2)
    assert tango(0, 0, n) == pytest.approx((-edge, edge), abs=1e-9)


@pytest.mark.parametrize("n", [1, 3, 50])
def test_tango_reaches_the_end_of_the_scale_where_all_items_are_discordant(n):
    low, high = tango(n, 0, n)
    assert high == 1
    assert -1 < low < 1


@given(TABLES)
def test_tango_contains_the_estimate_and_turns_with_the_arms(table):
    b, c, n = table
    low, high = tango(b, c, n)
    assert -1 <= low <= (b - c) / n <= high <= 1
    assert tango(c, b, n) == pytest.approx((-high, -low), abs=1e-6)


@given(TABLES)
def test_tango_excludes_zero_where_mcnemar_rejects(table):
    b, c, n = table
    low, high = tango(b, c, n)
    mcnemar = abs(b - c) / sqrt(b + c) if b + c else 0.0
    assert (low > 0 or high < 0) == (mcnemar > Z95)


@pytest.mark.parametrize(("b", "c"), [(0, 1), (6, 16), (12, 12), (40, 20)])
def test_mcnemar_agrees_with_statsmodels(b, c):
    from statsmodels.stats.contingency_tables import mcnemar as expected

    assert mcnemar(b, c) == pytest.approx(expected([[50, b], [c, 9]], exact=True).pvalue)


def test_mcnemar_of_arms_that_never_differ_is_1():
    assert mcnemar(0, 0) == 1


def test_the_interval_of_a_median_takes_the_tabulated_order_statistics():
    # Conover 1999, table A3: for n = 20 the median lies between the 6th and the 15th value.
    assert quantile_interval(np.arange(1, 21, dtype=float), 0.5) == (6, 15)


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_binomial_quantiles_are_scipys(share):
    from scipy.stats import binom

    for n in range(1, 121):
        for probability in (0.025, 0.4, 0.975):
            assert binomial_quantile(probability, n, share) == binom.ppf(probability, n, share)


def test_the_largest_value_bounds_a_quantile_that_the_sample_cannot():
    assert quantile_interval(np.array([3.0, 1.0, 2.0]), 0.95)[1] == 3


def test_the_interval_of_a_95th_percentile_covers_it():
    draw = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        low, high = quantile_interval(draw.random(80), 0.95)
        covered += low <= 0.95 <= high
    assert covered / 400 >= 0.92
