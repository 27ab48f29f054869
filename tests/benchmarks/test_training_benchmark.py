"""`lora_training`: what is made of two sides' losses."""

from __future__ import annotations

import pytest
from fake_sides import COMMON, FakeSides
from needed import needs_banking77

from benchmarks import (
    lora_training,
    trl_peer,
)
from benchmarks.sides import Side, SideError


def trained(dtype, **_):
    values = {"losses": [3.0, 2.0], "learning_rates": [1e-3, 5e-4], "start": 7.0, "final_loss": 2.0}
    values |= {"train": [([n], [n]) for n in range(16)], "held_out": [([1], [2])]}
    return {"float32": 10.0, "bfloat16": 20.0}[dtype], values


def peer_trained(dtype, **_):
    final, last = {"float32": (2.2, 2.0), "bfloat16": (2.01, 2.5)}[dtype]
    return 50.0, {"losses": [3.0, last], "start": 7.0, "optim": "x", "final_loss": final}


def tried(settings, **_):
    return 1.0, [[setting, 9.0 - number] for number, setting in enumerate(settings)]


TRAINING = {
    lora_training.ours: trained,
    trl_peer.peer: peer_trained,
    trl_peer.trials: tried,
}


@needs_banking77
def test_the_smaller_ratio_and_the_larger_difference_count(monkeypatch):
    monkeypatch.setattr(lora_training, "version", lambda _: "0")
    monkeypatch.setattr(lora_training, "has_bf16", lambda: True)
    sides = FakeSides(TRAINING)
    found = lora_training.run(sides)
    assert set(found) > COMMON
    assert (found["ratio_fp32"], found["ratio_bf16"], found["ratio"]) == (5.0, 2.5, 2.5)
    assert (found["ours_s"], found["peer_s"]) == (20.0, 50.0)
    assert (found["final_loss_ours"], found["final_loss_peer"]) == (2.0, 2.2)
    assert found["max_abs_diff"] == 0.5
    settings = found["peer_settings"]["bfloat16"]  # the last of the settings is the best here
    assert (settings["padding_free"], settings["autocast"]) == (True, True)
    learnt = [words["train"] for function, words in sides.asked if function is trl_peer.peer]
    assert learnt[0] == learnt[1] != trained("float32")[1]["train"]
    assert sorted(learnt[0]) == trained("float32")[1]["train"]


@needs_banking77
@pytest.mark.parametrize(("native", "precisions"), [(True, 2), (False, 1)])
def test_a_processor_without_bfloat16_is_not_made_to_emulate_it(native, precisions, monkeypatch):
    monkeypatch.setattr(lora_training, "version", lambda _: "0")
    monkeypatch.setattr(lora_training, "has_bf16", lambda: native)
    sides = FakeSides(TRAINING, quick=True)
    found = lora_training.run(sides)
    assert found["bf16_native"] is native
    assert (found["ratio_bf16"] is None) is (not native)
    assert len(found["peer_settings"]) == precisions
    assert {one["padding_free"] for one in found["peer_settings"].values()} == {True}  # one tried
    asked = [function for function, _ in sides.asked]
    assert asked.count(trl_peer.peer) == precisions


@pytest.mark.parametrize(
    ("change", "words"),
    [({"start": 8.0}, "other|different adapter"), ({"losses": [2.0, 2.0]}, "first batches differ")],
)
def test_sides_that_do_not_learn_the_same_are_not_compared(change, words):
    us = {"losses": [3.0, 2.0], "start": 7.0}
    with pytest.raises(SideError, match=words):
        lora_training._checked(Side(1.0, 1, None, 1.0, us), Side(1.0, 1, None, 1.0, us | change))
