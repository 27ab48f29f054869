"""Memory that was published, beside what a model's config.json alone gives.

Ratios are predicted over published; each test fails outside the ratio it states. Publishers'
settings differ from the engine's, and are taken over where the forecast has them.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from configs import planned

from harness.plan.model import PlannedModel
from harness.plan.place import CUDA_CONTEXT_BYTES, Place
from harness.plan.tuning import Piece, activation_bytes, state_bytes
from harness.work import Tuning

GB, GIB = 1e9, 2**30


def place(dtype="bfloat16", device="cuda"):
    return Place("a card", device, dtype, 80 * GIB, None)


def tuned(trained, four_bits=False, checkpointing=False, rank=8):
    return Tuning(trained, [], [], 1, 1, 1, 1, checkpointing, 0, rank, four_bits)


def training_bytes(model, work, tokens, logits, *, dtype="bfloat16", few_adapters=False, adam=8):
    """Weights, gradients, moments and activations of one piece.

    few_adapters: LoRA on queries and values alone, in the model's own format: no copies of inputs.
    adam: bits of its moments: 8, as the engine has them on a GPU, or 32.
    """
    there = place(dtype)
    itemsize = 4 if work.trained == "all" else there.itemsize
    of_layers = model
    if few_adapters:
        of_layers = PlannedModel(model.ref, replace(model.skeleton, linear=((1, 1),)), None)
    weights = model.skeleton.weights_bytes(itemsize, work.four_bits)
    states = state_bytes(work, model, there if adam == 8 else place(dtype, "cpu"))
    piece = Piece(tokens, 0, logits)
    again = bool(work.checkpointing)
    return weights + states + activation_bytes(work, of_layers, there, piece, again)


@pytest.mark.parametrize(
    ("name", "plain_gb", "packed_gb"),
    [("llama-2-7b", 13.52, 4.26), ("llama-2-13b", 26.21, 7.72), ("llama-2-70b", None, 37.21)],
)
def test_weights_are_those_of_litgpts_inference_table(name, plain_gb, packed_gb, tmp_path):
    # https://github.com/Lightning-AI/litgpt/blob/main/tutorials/resource-tables.md, "Single-GPU
    # Inference" on an A100 40 GB: whole peaks, bfloat16 and bnb.nf4-dq. Ratio 0.90 to 1.00.
    bones = planned(tmp_path, name).skeleton
    assert 0.90 < bones.weights_bytes(2, four_bits=True) / GB / packed_gb < 1.0
    if plain_gb:
        assert 0.98 < bones.weights_bytes(2) / GB / plain_gb < 1.0


@pytest.mark.parametrize(
    ("name", "rows", "published_gb"),
    [("llama-2-7b", 1, 21.30), ("llama-2-7b", 2, 29.07), ("llama-2-13b", 1, 38.12)],
)
def test_lora_takes_what_litgpt_measured(name, rows, published_gb, tmp_path):
    # The same page, "Finetuning with LoRA on 1 GPU": rank 8 on queries and values, the longest row
    # has 1,304 tokens, no checkpointing. Ratio 0.95 to 1.05.
    tokens = 1304 * rows
    found = training_bytes(
        planned(tmp_path, name), tuned("lora"), tokens, tokens, few_adapters=True
    )
    assert 0.95 < found / GB / published_gb < 1.05


@pytest.mark.parametrize(("name", "published_gb"), [("llama-2-7b", 13.84), ("llama-2-13b", 22.55)])
def test_qlora_takes_what_litgpt_measured(name, published_gb, tmp_path):
    # The same table, bnb.nf4-dq. Ratio 0.75 to 1.05: nothing here stands for the dequantised copies
    # that an older bitsandbytes kept.
    model = planned(tmp_path, name)
    lora = training_bytes(model, tuned("lora"), 1304, 1304, few_adapters=True)
    saved = model.skeleton.weights_bytes(2) - model.skeleton.weights_bytes(2, four_bits=True)
    assert 0.75 < (lora - saved) / GB / published_gb < 1.05


@pytest.mark.parametrize(
    ("four_bits", "checkpointing", "published_gib", "low", "high"),
    [(False, True, 16.2, 1.0, 1.2), (True, True, 7.4, 1.0, 1.25), (False, False, 30.3, 1.0, 1.35)],
)
def test_llama_3_8b_is_beside_torchtunes_table(
    four_bits, checkpointing, published_gib, low, high, tmp_path
):
    # https://github.com/pytorch/torchtune README, "Memory and training speed": Llama 3.1 8B, two
    # packed rows of 2,048 tokens. Theirs are compiled, which saves activations, and their logits
    # come in eight chunks.
    work = tuned("lora", four_bits, checkpointing)
    few = not checkpointing  # with it a single layer's copies are there at a time
    found = training_bytes(planned(tmp_path, "llama-3-8b"), work, 4096, 512, few_adapters=few)
    assert low < found / GIB / published_gib < high


def test_full_fine_tuning_and_lora_take_what_peft_measured(tmp_path):
    # https://github.com/huggingface/peft README of 2023, a card of 80 GB, float32 and AdamW of 32
    # bits: T0_3B 47.14 GB in full and 14.4 GB with LoRA. Ratios 0.95 to 1.05 and 0.85 to 1.0;
    # LoRA takes about a third.
    model = planned(tmp_path, "t0-3b")
    words = {"tokens": 8 * 64, "logits": 64, "dtype": "float32", "adam": 32}
    full = training_bytes(model, tuned("all"), **words)
    lora = training_bytes(model, tuned("lora"), **words)
    assert 0.95 < full / GB / 47.14 < 1.05
    assert 0.85 < lora / GB / 14.4 < 1.0
    assert abs(lora / full - 1 / 3) < 0.07


def test_seven_billion_weights_are_tuned_as_peft_measured(tmp_path):
    # The same table: bloomz-7b1 with LoRA 32 GB; in full it does not fit the card. Ratio 1.0 to
    # 1.15.
    model = planned(tmp_path, "bloomz-7b1")
    words = {"tokens": 8 * 64, "logits": 64, "dtype": "float32", "adam": 32}
    assert 1.0 < training_bytes(model, tuned("lora"), **words) / GB / 32 < 1.15
    assert training_bytes(model, tuned("all"), **words) > 80 * GIB


def test_qlora_tunes_65_billion_weights_on_a_card_of_48_gb(tmp_path):
    # Dettmers et al. 2023 (arXiv 2305.14314), abstract: "a 65B parameter model on a single 48GB
    # GPU"; from more than 780 GB at 16 bits. Rank 64 on all layers, rows of 512 tokens.
    model = planned(tmp_path, "llama-65b")
    assert abs(model.skeleton.weights - 65.2e9) < 0.2e9
    work = tuned("lora", four_bits=True, checkpointing=True, rank=64)
    found = training_bytes(model, work, 512, 512) + CUDA_CONTEXT_BYTES
    assert 0.85 < found / 48e9 < 1.0
    # 16 bits of weight and gradient, 32 bits of each moment: 12 bytes a weight.
    assert 780e9 < 12.0001 * model.skeleton.weights < 800e9
