"""Losses by step, thinned for a plot."""

from __future__ import annotations

from harness.analysis.diagnostics.losses import MOST_POINTS, losses_of


def test_a_step_that_was_logged_again_counts_as_it_was_logged_last():
    log = [
        {"step": 1, "train_loss": 4.0},
        {"step": 2, "train_loss": 9.0},
        {"step": 2, "train_loss": 2.0, "validation_loss": 3.0},
        {"step": 3, "train_loss": 1.0, "validation_loss": 3.5},
        {"epoch": 1},
    ]
    (curve,) = losses_of([log], [7])
    assert (curve.seed, curve.part, curve.lowest) == (7, None, 2)
    assert curve.train == ((1, 4.0), (2, 2.0), (3, 1.0))
    assert curve.validation == ((2, 3.0), (3, 3.5))


def test_long_trainings_are_means_of_neighbours():
    log = [{"step": step, "train_loss": float(step)} for step in range(1, 1001)]
    (curve,) = losses_of([log], [0])
    assert len(curve.train) <= MOST_POINTS
    assert curve.train[0] == (9, 5.0)
    assert curve.train[-1][0] == 1000
    assert curve.lowest is None


def test_every_part_of_a_composed_arm_has_a_curve_and_nothing_has_none():
    log = [{"step": 1, "train_loss": 1.0, "part": part} for part in ("a", "b")]
    assert [curve.part for curve in losses_of([log], [0])] == ["a", "b"]
    assert losses_of([()], [0]) == ()
