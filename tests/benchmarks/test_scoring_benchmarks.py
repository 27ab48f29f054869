"""`choice_scoring` and `many_labels`: what is made of two sides' answers."""

from __future__ import annotations

import json

import pytest
from fake_sides import COMMON, FakeSides

from benchmarks import (
    data,
    scoring,
)
from benchmarks.sides import SideError


def scored(prompts, **_):
    rows = [[-1.0 - i, -2.0 - i] for i in range(len(prompts))]
    return len(prompts) * 0.5, {
        "scores": rows,
        "token_hashes": list(prompts),
        "length_mean": 12.0,
    }


def peer_scored(prompts, **_):
    wall_s, values = scored(prompts)
    values["scores"] = [[a + 2e-5, b] for a, b in values["scores"]]
    return wall_s * 100, values


QUESTIONS = data.Questions([f"prompt {n}" for n in range(6)], [" yes", " no"])


def scoring_answers(**other):
    trials = (6.0, {"1": 3.0, "8": 2.0, "32": 4.0})
    return {
        scoring.ours: scored,
        scoring.peer: peer_scored,
        scoring.peer_trials: trials,
    } | other


def test_scoring_gives_seconds_per_message_and_the_peers_best(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")
    sides = FakeSides(scoring_answers())
    found = scoring.compare(sides, QUESTIONS, peer_messages=3)
    assert set(found) > COMMON
    assert (found["ours_s"], found["peer_s"], found["ratio"]) == (0.5, 50.0, 100.0)
    assert (found["ours_messages"], found["peer_messages"]) == (6, 3)
    assert found["max_abs_diff"] == pytest.approx(2e-5)
    assert found["same_predictions"] is True
    assert found["peer_settings"]["batch_size"] == 8
    json.dumps(found)


def test_a_quick_scoring_takes_as_many_messages_as_fit(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")
    sides = FakeSides(scoring_answers(), quick=True, left_s=5 + 9.0)  # a start takes 5 s
    found = scoring.compare(sides, QUESTIONS, peer_messages=6)
    assert found["peer_messages"] == 2  # at 2 s for each of 2 continuations
    assert scoring.messages_that_fit(-3.0, 4.0, 6) == 1
    assert scoring.messages_that_fit(1e6, 4.0, 6) == 6


def test_a_batch_size_that_needs_too_much_memory_is_left_out(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")

    def trials(counts, **_):
        if "32" in counts:
            return SideError("peer_trials was killed by signal 9:\nlast words")
        return 1.0, {size: float(size) for size in counts}

    found = scoring.compare(
        FakeSides(scoring_answers(**{}) | {scoring.peer_trials: trials}), QUESTIONS, 3
    )
    settings = found["peer_settings"]
    assert settings["batch_size"] == 1
    assert settings["failed"] == {"32": "peer_trials was killed by signal 9:"}


def test_sides_that_scored_other_tokens_are_not_compared(monkeypatch):
    monkeypatch.setattr(scoring, "version", lambda _: "0")

    def other_tokens(prompts, **_):
        wall_s, values = scored(prompts)
        return wall_s, values | {"token_hashes": ["?"] * len(prompts)}

    with pytest.raises(SideError, match="same tokens"):
        scoring.compare(FakeSides(scoring_answers() | {scoring.peer: other_tokens}), QUESTIONS, 3)
