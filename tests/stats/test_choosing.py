"""Choosing on few rows: known answers, and simulated error rates of the rule."""

import itertools
from statistics import fmean

import numpy as np
import pytest

from harness.metrics import find
from harness.metrics.choice import class_counts
from harness.metrics.metric import Items
from harness.stats.choosing import chosen, expected_best, optimism, paired_lead

ACCURACY = find("accuracy")


def right(*rows):
    """Statistics [n, 2] of answers that are right (1) or wrong (0)."""
    values = np.array(rows, dtype=float)
    return np.column_stack([values, np.ones(len(values))])


def test_the_lead_of_a_mean_has_the_paired_standard_error():
    one, other = right(1, 1, 1, 0, 1, 0), right(1, 0, 1, 0, 0, 1)
    lead = paired_lead(ACCURACY, one, other)
    differences = one[:, 0] - other[:, 0]
    assert lead.value == pytest.approx(differences.mean())
    assert lead.se == pytest.approx(differences.std(ddof=1) / np.sqrt(6))


def test_the_lead_of_macro_f1_is_near_what_a_bootstrap_says():
    draw = np.random.default_rng(3)
    labels = ["a", "b", "c"]
    truth = draw.choice(labels, 150)

    def answers(share):
        texts = np.where(draw.random(150) < share, truth, draw.choice(labels, 150))
        return class_counts(Items([*texts], [(t,) for t in truth], labels)).astype(float)

    metric = find("macro_f1")
    one, other = answers(0.7), answers(0.4)
    lead = paired_lead(metric, one, other)
    bags = draw.integers(0, 150, size=(2000, 150))
    resampled = metric.finish(one[bags].sum(1)) - metric.finish(other[bags].sum(1))
    assert lead.se == pytest.approx(resampled.std(), rel=0.1)


def test_one_row_tells_nothing():
    assert paired_lead(ACCURACY, right(1), right(0)).se == float("inf")
    assert chosen(ACCURACY, np.stack([right(0), right(1)])) == 0


def test_the_default_stays_within_one_standard_error():
    default = right(*[1] * 5, *[0] * 5)
    little = right(*[1] * 4, 0, 1, 1, 0, 0, 0)  # a lead of one row, of three that differ
    much = right(*[1] * 9, 0)
    assert chosen(ACCURACY, np.stack([default, little])) == 0
    assert chosen(ACCURACY, np.stack([default, little, much])) == 2
    assert chosen(ACCURACY, np.stack([default, default, default])) == 0


def simulated(rule, spread, n, rounds=400, candidates=8):
    """Mean true gain, and how often what is taken is worse than the default by over 0.01.

    Answers of all candidates to a row are correlated by 0.5, as those of one model are.
    """
    draw = np.random.default_rng(5)
    gains = []
    for _ in range(rounds):
        true = 0.65 + spread * draw.standard_normal(candidates)
        common = draw.standard_normal(n)
        own = draw.standard_normal((candidates, n))
        cut = np.sqrt(2) * np.array([_quantile(share) for share in true])[:, None]
        answers = (common + own < cut).astype(float)
        statistics = np.stack([answers, np.ones_like(answers)], axis=2)
        gains.append(true[rule(statistics)] - true[0])
    return fmean(gains), fmean(gain < -0.01 for gain in gains)


def _quantile(share):
    from scipy.special import ndtri

    return ndtri(np.clip(share, 0.01, 0.99))


def best(statistics):
    return int(statistics[..., 0].sum(axis=1).argmax())


@pytest.mark.slow
@pytest.mark.parametrize(("spread", "n"), [(0.01, 50), (0.03, 50), (0.03, 200), (0.1, 50)])
def test_the_rule_halves_the_harm_and_costs_little(spread, n):
    gain, harm = simulated(best, spread, n)
    gain_with_rule, harm_with_rule = simulated(lambda s: chosen(ACCURACY, s), spread, n)
    assert harm_with_rule <= max(0.6 * harm, 0.02)
    assert gain_with_rule >= gain - 0.01


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
def test_optimism_is_that_of_choosing(spread):
    """The simulation knows the true shares, and so by how much a choice on 60 rows flatters."""
    draw = np.random.default_rng(7)
    said, true = [], []
    for _ in range(60):
        shares = np.clip(0.65 + spread * draw.standard_normal(8), 0.02, 0.98)
        answers = (draw.random((8, 60)) < shares[:, None]).astype(float)
        statistics = np.stack([answers, np.ones_like(answers)], axis=2)
        said.append(optimism(ACCURACY, statistics))
        taken = chosen(ACCURACY, statistics)
        true.append(answers.mean(axis=1)[taken] - shares[taken])
    assert fmean(said) == pytest.approx(fmean(true), abs=0.02)


def test_one_candidate_has_no_optimism():
    assert optimism(ACCURACY, right(1, 0)[None]) is None


def test_the_expected_best_is_the_mean_over_all_draws():
    values = [0.3, 0.9, 0.5, 0.5, 0.1]
    for k, found in enumerate(expected_best(values), start=1):
        assert found == pytest.approx(fmean(max(d) for d in itertools.combinations(values, k)))
    assert expected_best([]) == []
