"""What a configuration says of a model is what the model is."""

from __future__ import annotations

import json

import pytest
from tiny_configs import CONFIGS
from tiny_models import build

from harness.errors import ModelError
from harness.plan.unloaded_model import NF4_BITS, count, skeleton


@pytest.mark.parametrize("name", sorted(CONFIGS))
def test_weights_are_counted_without_any(name, tmp_path):
    lm = build(name)
    lm.model.config.save_pretrained(tmp_path)
    bones = skeleton(str(tmp_path))
    assert bones.weights == sum(weight.numel() for weight in lm.model.parameters())
    assert bones == count(lm.model)
    assert bones.encoder_decoder == lm.has_encoder


def test_tied_weights_are_one():
    tied, apart = count(build("llama-tied").model), count(build("mixtral").model)
    assert tied.tied
    assert not apart.tied


def test_experts_that_a_token_does_not_visit_cost_it_nothing():
    lm = build("mixtral")
    experts = sum(w.numel() for w in lm.model.parameters() if w.dim() == 3)
    outside = 2 * 120 * 32
    # Two of four experts are visited.
    assert count(lm.model).computed == count(lm.model).weights - outside - experts // 2


def test_four_bits_take_what_double_quantisation_takes():
    assert pytest.approx(4.127, abs=0.001) == NF4_BITS
    bones = count(build("llama").model)
    linear = sum(i * o for i, o in bones.linear)
    assert bones.weights_bytes(2) == 2 * bones.weights
    packed = bones.weights_bytes(2, four_bits=True)
    assert packed == int(2 * (bones.weights - linear) + linear * NF4_BITS / 8)


def test_what_is_no_language_model_is_an_error_with_its_place(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "no such thing"}))
    with pytest.raises(ModelError, match=str(tmp_path)):
        skeleton(str(tmp_path))


def test_what_cannot_be_counted_is_an_error_with_its_place(tmp_path, monkeypatch):
    def no_embedding(_):
        raise AttributeError("no input embeddings")

    build("llama").model.config.save_pretrained(tmp_path)
    monkeypatch.setattr("harness.plan.unloaded_model.count", no_embedding)
    with pytest.raises(ModelError, match=f"{tmp_path} cannot be read: no input embeddings"):
        skeleton(str(tmp_path))
