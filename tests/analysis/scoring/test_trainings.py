"""An arm that was trained several times: how far they differ, which is shipped."""

from __future__ import annotations

import numpy as np
import pytest
from hand_made import PRICES, TARGETS, TRAFFIC, Arm, right, rows_of, write_run

from harness.analysis import analyse, trainings_text
from harness.metrics import find
from harness.stats.bootstrap import Resamples, bootstrap

N = len(TARGETS)
TUNED = {"needs_model": True, "learns": "weights", "tunes": True, "is_random": True}


def scoring(*scores, **more):
    """An arm of which each seed answers a share of the rows, other ones each, rightly."""
    answers = [
        right(TARGETS, [(place + 7 * seed) % N for place in range(round((1 - score) * N))])
        for seed, score in enumerate(scores)
    ]
    more.setdefault("seeds", range(len(scores)))
    return Arm(more.pop("name", "lora"), answers, plan=TUNED, **more)


def of_lora(path, arm, *others, **more):
    return rows_of(analyse(write_run(path, TARGETS, [arm, *others], **more)))["lora"]


def test_each_training_has_its_score_and_the_arm_their_mean(tmp_path):
    lora = of_lora(tmp_path, scoring(0.45, 0.55, 0.65, validation=(0.5, 0.7, 0.6)), margin=0.05)
    found = lora.trainings
    assert [one.score.value for one in found.each] == pytest.approx([0.45, 0.55, 0.65])
    assert lora.score.value == pytest.approx(0.55)
    assert found.spread == pytest.approx(0.1)
    assert (found.unsteady, found.allowed, found.by_margin) == (True, 0.05, True)
    alone = of_lora(tmp_path / "1", scoring(0.55))
    assert alone.trainings is None
    # Each training's interval is of the rows alone, as that of an arm with one seed.
    own = found.each[1].score
    width = alone.score.ci_high - alone.score.ci_low
    assert own.ci_high - own.ci_low == pytest.approx(width, rel=0.02)
    assert lora.score.ci_high - lora.score.ci_low > 2 * width


def test_the_best_on_validation_is_shipped_the_first_of_equals_else_the_first(tmp_path):
    scores = (0.5, 0.6, 0.55)
    for number, (validation, shipped) in enumerate(
        [((0.5, 0.6, 0.7), 2), ((0.4, 0.7, 0.7), 1), ((None, 0.7, 0.8), 0), ((), 0)]
    ):
        found = of_lora(tmp_path / str(number), scoring(*scores, validation=validation)).trainings
        assert found.shipped == shipped
        assert found.of_shipped.score.value == pytest.approx(scores[shipped])
        unknown = "no validation score is on record for each of them"
        assert found.unchosen == (unknown if None in validation or not validation else None)


def test_it_is_told_in_a_sentence(tmp_path):
    arm = scoring(0.45, 0.55, 0.65, validation=(0.5, 0.7, 0.6))
    assert trainings_text("lora", of_lora(tmp_path, arm).trainings) == (
        "lora: 3 trainings score 0.450 to 0.650 (SD 0.100). You would ship seed 1, best on"
        " validation (0.700): 0.550 (0.461 to 0.636)"
    )


def test_where_the_task_has_no_margin_two_hundredths_are_allowed(tmp_path):
    for number, (scores, unsteady) in enumerate([((0.5, 0.55), True), ((0.5, 0.525), False)]):
        found = of_lora(tmp_path / str(number), scoring(*scores), margin=0.0).trainings
        assert (found.allowed, found.by_margin, found.unsteady) == (0.02, False, unsteady)


def test_trainings_that_do_the_same_do_not_differ(tmp_path):
    arm = Arm("lora", [right(TARGETS, range(30))] * 3, plan=TUNED, seeds=(0, 1, 2))
    found = of_lora(tmp_path, arm, margin=0.0).trainings
    assert (found.spread, found.unsteady) == (0.0, False)


def test_shipping_the_best_of_three_takes_three_trainings_and_the_mean_one(tmp_path):
    keys = {"prices": PRICES, "traffic": TRAFFIC}
    lora = of_lora(tmp_path, scoring(0.5, 0.6, 0.55, fit_s=100), **keys)
    assert (lora.fit_wall_s, lora.fit_usd) == (100, pytest.approx(0.1))
    found = lora.trainings
    assert (found.fit_wall_s, found.fit_usd) == (300, pytest.approx(0.3))


def test_arms_with_other_numbers_of_seeds_are_compared_on_the_same_rows():
    """The variance of a difference is that of paired rows, and what the one arm's seeds add."""
    draw = np.random.default_rng(1)
    hard = draw.random(400)
    steady = (hard < 0.7).astype(float)[None]
    seeds = np.stack([(hard < share).astype(float) for share in (0.55, 0.6, 0.65)])
    arms = [np.stack([a, np.ones_like(a)], axis=-1) for a in (steady, seeds)]
    one, three = bootstrap(find("accuracy"), arms, Resamples(400))
    difference = (one - three).std() ** 2
    rows = np.var((steady - seeds.mean(axis=0))[0], ddof=1) / 400
    between = np.var(seeds.mean(axis=1), ddof=1) / 3
    # Three seeds leave two degrees of freedom: their part is widened as t is (4.30 / 1.96).
    expected = rows + between * (4.303 / 1.96) ** 2
    assert difference == pytest.approx(expected, rel=0.05)
    alone = bootstrap(find("accuracy"), [arms[0], arms[1][1:2]], Resamples(400))
    assert (alone[0] - alone[1]).std() ** 2 == pytest.approx(
        np.var((steady - seeds[1])[0], ddof=1) / 400, rel=0.05
    )
    assert np.array_equal(alone[0], one)


def test_slices_and_labels_are_of_all_seeds(tmp_path):
    slices = [{"day": str(row % 2)} for row in range(N)]
    keys = {"truth": {"slices": slices}, "data": {}, "metric": "macro_f1"}
    arm, other = scoring(0.5, 0.6, 0.7), scoring(0.6, name="other")
    lora = of_lora(tmp_path, arm, other, **keys)
    assert [one.n for one in lora.classes] == [N / 2, N / 2]
    assert lora.answers.n == 3 * N
