"""The check of packed rows: right models pass, faulty ones do not, and none is changed by it."""

from __future__ import annotations

import pytest
from tiny_configs import CONFIGS, ENCODER_DECODER, PACKED
from tiny_models import build

from harness.lm.loading import first_layers
from harness.lm.loading.packing_check import check_packing

CAUSAL = sorted(CONFIGS.keys() - ENCODER_DECODER)
ALONE = {"gemma3-window": "the first 6 of 7 layers in float32"}
"""Where more than two layers hold every kind, or there are more than three."""
ALONE |= dict.fromkeys(
    ("gemma3n", "gemma4", "gemma4-experts", "gemma4-seen"), "the first 2 of 4 layers in float32"
)


def made(name, dtype="float32"):
    import torch

    model = build(name).model
    return model.to(getattr(torch, dtype))


def whole(model, monkeypatch):
    """The verdict that is found from all layers and their logits."""

    def unlisted(_):
        raise first_layers.CannotRunAloneError("as the test wants it")

    with monkeypatch.context() as patch:
        patch.setattr(first_layers, "_shortened", unlisted)
        return check_packing(model)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CAUSAL)
def test_the_first_layers_give_the_verdict_of_the_whole_model(name, dtype, monkeypatch):
    model = made(name, dtype)
    first, every = check_packing(model), whole(model, monkeypatch)
    assert first.packs == every.packs == (name in PACKED)
    if first.packs:
        assert first.checked == ALONE.get(name, "the first 2 of 3 layers in float32")
        assert every.checked.startswith("the whole model in float32")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CAUSAL)
def test_the_model_is_as_before_to_the_bit(name, dtype):
    import torch

    model = made(name, dtype)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    config, parts = model.config.to_dict(), [id(part) for part in model.modules()]
    check_packing(model)
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(after[key].dtype == tensor.dtype for key, tensor in before.items())
    assert all(torch.equal(after[key], tensor) for key, tensor in before.items())
    assert model.config.to_dict() == config
    assert [id(part) for part in model.modules()] == parts
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma3-window"])
def test_no_more_than_the_first_layers_is_copied(name, monkeypatch):
    model, cast = made(name, "bfloat16"), []
    real = first_layers.float32

    def counted(modules, weights):
        weights = list(weights)
        cast.append(sum(weight.numel() for weight in weights))
        return real(modules, weights)

    monkeypatch.setattr(first_layers, "float32", counted)
    check_packing(model)
    (copied,) = cast
    table = model.get_input_embeddings().weight.numel()
    assert 0 < copied < sum(weight.numel() for weight in model.parameters()) - table


def test_memory_that_ran_out_is_no_final_verdict(monkeypatch):
    model = made("llama")

    def full(**_):
        raise RuntimeError("CUDA out of memory. Tried to allocate …")

    monkeypatch.setattr(model.model, "forward", full)
    assert not check_packing(model).packs
    assert not check_packing(model).final


@pytest.mark.parametrize("drop", ["attention_mask", "position_ids"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_model_that_ignores_its_mask_or_positions_is_refused(drop, dtype):
    model = made("llama", dtype)
    forward = model.forward
    model.forward = lambda **words: forward(**{**words, drop: None})
    verdict = check_packing(model)
    assert not verdict.packs
    assert verdict.checked == "the first 2 of 3 layers in float32"


def test_a_window_that_is_not_masked_is_refused():
    model = made("mistral-window")
    model.config.sliding_window = None  # what our masks would be made from
    model.model.config = type(model.config)(sliding_window=8, num_hidden_layers=3)
    assert not check_packing(model).packs


@pytest.mark.parametrize("kind", ["sliding_attention", "full_attention"])
def test_one_kind_of_layer_that_ignores_the_mask_is_refused(kind):
    model = made("gemma3-window", "bfloat16")
    faulty = 0
    for layer, its in zip(model.model.layers, model.config.layer_types, strict=True):
        if its == kind:
            forward, faulty = layer.self_attn.forward, faulty + 1
            layer.self_attn.forward = lambda *given, forward=forward, **words: forward(
                *given, **{**words, "attention_mask": None}
            )
    assert faulty
    verdict = check_packing(model)
    assert not verdict.packs
    assert verdict.checked == "the first 6 of 7 layers in float32"


def test_a_model_that_leaves_the_wanted_positions_out_of_account_is_refused():
    model = made("llama")
    forward = model.forward
    model.forward = lambda **words: forward(**{**words, "logits_to_keep": 0})
    assert not check_packing(model).packs


def test_layers_that_differ_in_their_parts_are_kinds_of_their_own():
    import torch
    from transformers import AutoModelForCausalLM, Qwen3MoeConfig

    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4, "head_dim": 8}
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
    torch.manual_seed(0)
    config = Qwen3MoeConfig(
        vocab_size=120, num_hidden_layers=6, num_key_value_heads=2, **sizes, **experts,
        mlp_only_layers=[0, 1, 2],
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    verdict = check_packing(model)
    assert verdict.packs
    assert verdict.checked == "the first 4 of 6 layers in float32"
