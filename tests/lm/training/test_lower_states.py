"""Training above the lower layers: the same as training the whole way, with less computed."""

from __future__ import annotations

import pytest
from adapters import spec
from tiny_configs import CONFIGS, ENCODER_DECODER
from tiny_models import build
from tuning_rows import pairs, settings

from harness.lm import add_adapter, tune
from harness.lm.loading.first_layers import layer_list
from harness.lm.training.lower_states import LowerStates
from harness.lm.training.objective import label_cross_entropy

ODD = ("mixtral", "phimoe")
"""PEFT warns of the first one's fused experts, and the second one's router draws noise."""
PACKED = [name for name in CONFIGS if name not in (*ENCODER_DECODER, *ODD) and build(name).packs]
UPPER = {"upper_share": 0.5, "dropout": 0.0}


def tuned(name, monkeypatch=None, **given):
    """The losses of a short training on the upper half, and the model."""
    lm = build(name)
    add_adapter(lm, spec("lora", **UPPER, **given))
    if monkeypatch is not None:
        monkeypatch.setattr(LowerStates, "of", lambda lm: None)
    losses = []
    tune(lm, pairs(6), pairs(2), settings(epochs=3), lambda **row: losses.append(row["train_loss"]))
    return losses, lm


def test_only_the_upper_share_of_the_layers_gets_adapters():
    lm = build("llama")
    layers = list(layer_list(lm.model)[2])
    add_adapter(lm, spec("lora", **UPPER))
    with_adapter = [any(w.requires_grad for w in layer.parameters()) for layer in layers]
    assert with_adapter == [False, True, True]


@pytest.mark.parametrize("name", PACKED)
def test_losses_are_those_of_computing_every_layer_every_time(name, monkeypatch):
    begun_above, lm = tuned(name)
    whole, _ = tuned(name, monkeypatch)
    assert begun_above == pytest.approx(whole, rel=1e-4)
    assert lm.lower is None


def test_each_path_passes_the_lower_layers_once(monkeypatch):
    passed = []
    run = LowerStates._computed
    monkeypatch.setattr(
        LowerStates, "_computed", lambda self, given: passed.append(1) or run(self, given)
    )
    losses, _ = tuned("llama")
    assert len(losses) == 9
    assert len(passed) == 3  # the steps of the first epoch


def test_states_that_fit_no_memory_are_computed_each_time(monkeypatch):
    kept, _ = tuned("llama")
    passed, run = [], LowerStates._computed
    monkeypatch.setattr(
        LowerStates, "_computed", lambda self, given: passed.append(1) or run(self, given)
    )
    monkeypatch.setattr(LowerStates, "_make_room", lambda self, like: False)
    without, _ = tuned("llama")
    assert without == pytest.approx(kept, rel=1e-4)
    assert len(passed) == 10  # each of nine steps, and the first one's comparison


def test_room_ends_at_the_bytes_that_states_may_take():
    import torch

    store = LowerStates(None, [], 1, lambda kind, text: None, most_bytes=10 * 8 * 4)
    state = torch.zeros(1, 8)
    store.places = {(-1, token): token for token in range(10)}
    assert store._make_room(state)
    store.places[-1, 10] = 10
    assert not store._make_room(state)


def test_a_model_that_hands_on_more_than_states_is_computed_whole(monkeypatch):
    monkeypatch.setattr(LowerStates, "_compared", lambda *_: False)
    without, _ = tuned("llama")
    monkeypatch.undo()
    assert without == pytest.approx(tuned("llama")[0], rel=1e-4)


def test_a_model_that_is_trained_from_its_first_layer_on_keeps_nothing():
    lm = build("llama")
    add_adapter(lm, spec("lora"))
    assert LowerStates.of(lm) is None


def test_a_look_at_labels_is_the_same_from_above():
    options = [[5, 6], [5, 7], [8]]
    rows = [(prompt, options[place % 3]) for place, (prompt, _) in enumerate(pairs(6))]
    lm = build("llama")
    add_adapter(lm, spec("lora", **UPPER))
    whole = label_cross_entropy(lm, rows, options)
    lm.lower = LowerStates.of(lm)
    assert label_cross_entropy(lm, rows, options) == pytest.approx(whole, rel=1e-5)
