"""What a standard error can show, by simulation and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from harness.stats import power


def test_the_smallest_difference_is_shown_in_80_percent_of_simulated_test_sets():
    found = np.random.default_rng(0).normal(power.smallest_difference(0.02), 0.02, 20_000)
    assert (found - 1.96 * 0.02 > 0).mean() == pytest.approx(0.80, abs=0.01)


def test_the_smallest_margin_is_certified_in_80_percent_of_simulated_test_sets():
    loss = np.random.default_rng(0).normal(0, 0.02, 20_000)
    assert (loss + 1.645 * 0.02 < power.smallest_margin(0.02)).mean() == pytest.approx(
        0.80, abs=0.01
    )


def test_as_many_rows_as_are_needed_have_just_the_error_that_shows_the_difference():
    rows = power.rows_to_show(0.03, power.standard_error(0.1, 200), 200)
    smallest = power.smallest_difference(power.standard_error(0.1, rows))
    assert smallest == pytest.approx(0.03, rel=0.01)
    assert power.rows_to_show(-0.03, power.standard_error(0.1, 200), 200) == rows


def test_no_number_of_rows_shows_a_difference_of_nothing():
    assert power.rows_to_show(0.0, 0.02, 200) is None
