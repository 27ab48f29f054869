"""Made-up test sets have the true values that are said of them."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.populations import Crossed, Labels, Shares, alike_arms
from harness.metrics import find


@pytest.mark.parametrize(
    "population", [Labels(2, 0.5), Labels(5, 0.9), Labels(12, 0.3, zipf=1.0, favourite=2.0)]
)
def test_macro_f1_is_that_of_very_many_rows(population):
    of_arm = population.draw(np.random.default_rng(0), 200_000)
    found = float(find("macro_f1").finish(of_arm[0].sum(axis=0)))
    assert population.macro_f1 == pytest.approx(found, abs=0.005)
    assert population.cells.sum() == pytest.approx(1)
    assert np.trace(population.cells) == pytest.approx(population.accuracy)


def test_even_labels_and_even_errors_have_the_accuracy_as_macro_f1():
    assert Labels(7, 0.8).macro_f1 == pytest.approx(0.8)


def test_values_have_their_mean():
    population = Shares(0.25, 0.35, 2, 2)
    values = population.draw(np.random.default_rng(0), 200_000)[0, :, 0]
    assert population.mean == pytest.approx(0.35 + 0.4 / 2)
    assert values.mean() == pytest.approx(population.mean, abs=0.005)
    assert values.min() == 0
    assert values.max() == 1


def test_items_seeds_and_clusters_have_their_mean_and_seeds_their_spread():
    population = Crossed(2.0, item_sd=1.0, seed_sd=0.5, cluster_sd=1.0)
    values = population.draw(np.random.default_rng(0), 4_000, 300, np.arange(4_000) // 2)[..., 0]
    assert values.mean() == pytest.approx(population.mean, abs=0.01)
    assert values.mean(axis=1).std() == pytest.approx(population.sd_of_seeds, rel=0.15)


def test_arms_have_their_accuracies_and_fail_together():
    values = alike_arms(np.random.default_rng(0), np.array([0.9, 0.8, 0.8]), 50_000, 0.6)
    assert values.mean(axis=1) == pytest.approx([0.9, 0.8, 0.8], abs=0.01)
    assert (values[1] != values[2]).mean() < 0.8 * 2 * 0.8 * 0.2
