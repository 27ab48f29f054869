"""No verdict rests on an arm whose trainings differ by more than the margin."""

from __future__ import annotations

import pytest
from hand_made import TARGETS, Arm, right, rows_of, write_run

from harness.analysis import analyse

N = len(TARGETS)
TUNED = {"needs_model": True, "learns": "weights", "tunes": True, "is_random": True}


def share(score):
    return right(TARGETS, range(round((1 - score) * N)))


def lora(*scores):
    return Arm("lora", [share(s) for s in scores], plan=TUNED, seeds=range(len(scores)), fit_s=99)


def tfidf(score, **more):
    return Arm("tfidf", [share(score)], complexity=0, **more)


def verdict(path, *arms, **more):
    found = analyse(write_run(path, TARGETS, arms, **{"margin": 0.05, **more}))
    return found, found.recommendation


def test_a_verdict_that_any_training_would_give_stands_and_the_spread_is_a_warning(tmp_path):
    found, told = verdict(tmp_path, lora(0.1, 0.2, 0.3), tfidf(0.97))
    assert (told.verdict, told.choice, told.unsteady) == ("choose", "tfidf", ())
    assert told.headline.startswith("Fine-tuning is not worth it here.")
    (warning,) = found.warnings
    assert warning.text == (
        "lora is unsteady: its 3 trainings score 0.100 to 0.300 (SD 10.0 points; the margin is 5.0"
        " points); with each of them the verdict is the same"
    )


def test_a_verdict_that_another_training_would_turn_is_no_verdict(tmp_path):
    # Ten trainings, so that their mean is known well enough for the rule by itself.
    steady = verdict(tmp_path / "a", lora(*[0.5] * 10), tfidf(0.8))[1]
    assert (steady.verdict, steady.choice) == ("choose", "tfidf")
    scores = (0.4, 0.45, 0.45, 0.5, 0.5, 0.5, 0.5, 0.55, 0.55, 0.98)
    found, told = verdict(tmp_path / "b", lora(*scores), tfidf(0.8))
    assert (told.verdict, told.choice, told.provisional) == ("not_enough_evidence", "tfidf", True)
    assert told.unsteady == ("lora",)
    assert told.headline == (
        "Not enough evidence: tuning is unsteady here (lora scores 0.400 to 0.983 from one training"
        " to the next). Provisional choice: tfidf, which scores best."
    )
    assert told.reasons[1].startswith(
        "lora is unsteady: its 10 trainings score 0.400 to 0.983, a standard deviation of 16"
    )
    assert "more than the margin of 5.0 points" in told.reasons[1]
    assert not any("unsteady" in warning.text for warning in found.warnings)


def test_the_choice_that_waits_is_named_and_the_best_scoring_arm_stands_in(tmp_path):
    # Thirty trainings tell their mean well: within the margin of it tfidf is, of half of them not.
    told = verdict(tmp_path, lora(*[0.95, 0.55] * 15), tfidf(0.7), margin=0.15)[1]
    assert (told.verdict, told.choice) == ("not_enough_evidence", "lora")
    assert "but not chosen while lora is unsteady" in told.rejected["tfidf"]


def test_a_steady_arm_holds_nothing_back(tmp_path):
    found, told = verdict(tmp_path, lora(0.9, 0.92, 0.94), tfidf(0.3))
    assert (told.verdict, told.choice, told.unsteady) == ("choose", "lora", ())
    assert found.warnings == ()
    assert rows_of(found)["lora"].trainings.unsteady is False


def test_nothing_feasible_stays_so(tmp_path):
    told = verdict(tmp_path, lora(0.3, 0.5, 0.9), tfidf(0.4), limits={"min_score": 0.99})[1]
    assert (told.verdict, told.unsteady) == ("nothing_feasible", ())


@pytest.mark.parametrize("key", ["score.tfidf", "margin"])
def test_what_would_change_the_choice_is_found_on_the_same_condition(key, tmp_path):
    told = verdict(tmp_path, lora(0.9, 0.85, 0.8), tfidf(0.7))[1]
    for flip in told.flips:
        assert flip.choice != told.choice
