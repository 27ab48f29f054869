"""Calibration against figures worked out by hand, and against what it must be by construction."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hand_made import Arm, write_run

from harness.analysis import analyse
from harness.analysis.diagnostics.calibration import error_by_chance, expected_calibration_error
from harness.types import Prediction


def answer(text, sure):
    other = {"yes": "no", "no": "yes"}[text]
    return Prediction(text, {text: log(sure), other: log(1 - sure)})


def by_hand(path, n, **task):
    """Half of the answers are 90 % sure and 80 % right, the others 60 % sure and 60 % right."""
    targets = ["yes"] * n
    answers = []
    for row in range(n):
        sure, right = (0.9, 0.8) if row % 2 else (0.6, 0.6)
        answers.append(answer("yes" if (row // 2) % 10 < 10 * right else "no", sure))
    return analyse(
        write_run(path, targets, [Arm("sure", [answers]), Arm("mute", [targets])], **task)
    )


def test_the_figures_are_those_worked_out_by_hand(tmp_path):
    sure, mute = by_hand(tmp_path, 200).arms
    found = sure.diagnostics.calibration
    assert (found.n, found.undefined) == (200, None)
    # Half of the rows are off by 0.9 - 0.8, the others by nothing.
    assert found.expected_error == pytest.approx(0.05)
    # (80 · 0.1² + 20 · 0.9² + 60 · 0.4² + 40 · 0.6²) / 200
    assert found.brier == pytest.approx(0.205)
    assert 0.01 < found.error_by_chance < 0.05
    assert mute.diagnostics.calibration is None  # it gives no probabilities


def test_too_few_rows_have_a_reason_and_no_figure(tmp_path):
    found = by_hand(tmp_path, 199).arms[0].diagnostics.calibration
    assert (found.expected_error, found.brier) == (None, None)
    assert found.undefined == "199 rows with a probability are too few: it takes 200"


def test_it_can_be_switched_off(tmp_path):
    assert (
        by_hand(tmp_path, 200, facts={"calibration": False}).arms[0].diagnostics.calibration is None
    )


def test_a_failed_answer_has_no_probability(tmp_path):
    answers = [answer("yes", 0.8) for _ in range(200)]
    answers[7] = Prediction("yes", {"yes": 0.0}, error="it broke")
    [row] = analyse(write_run(tmp_path, ["yes"] * 200, [Arm("a", [answers])])).arms
    assert row.diagnostics.calibration.n == 199


def test_answers_of_one_probability_are_never_parted():
    """However outcomes are ordered among them, a single probability is a single bin."""
    sure, right = np.full(1000, 0.7), np.array([1.0] * 700 + [0.0] * 300)
    assert expected_calibration_error(sure, right) == pytest.approx(0.0)
    assert expected_calibration_error(sure, right[::-1]) == pytest.approx(0.0)


def test_bins_hold_equally_many():
    """One answer in ten is wrong, always the surest: that bin alone is off, by about all of it."""
    sure = np.linspace(0.9, 0.99, 1000)
    right = np.concatenate([np.ones(900), np.zeros(100)])
    surest = sure[900:].mean()
    assert expected_calibration_error(sure, right) == pytest.approx(
        0.1 * surest + (1 - sure[:900]).sum() / 1000
    )


def test_right_probabilities_come_to_what_is_expected_by_chance():
    draw = np.random.default_rng(1)
    sure = draw.uniform(0.3, 1.0, 400)
    many = (draw.random((400, 400)) < sure).astype(float)
    each = [expected_calibration_error(sure, right) for right in many]
    assert np.mean(each) == pytest.approx(error_by_chance(sure), rel=0.05)
    assert expected_calibration_error(sure, many) == pytest.approx(np.mean(each))


def test_drawing_some_at_a_time_changes_no_error_by_chance(monkeypatch):
    sure = np.random.default_rng(1).random(90)
    whole = error_by_chance(sure)
    monkeypatch.setattr("harness.analysis.diagnostics.calibration.CELLS_AT_ONCE", 7 * 90)
    assert error_by_chance(sure) == pytest.approx(whole, rel=1e-12)
