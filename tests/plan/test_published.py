"""Memory that was published, beside what a model's config.json alone gives."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.configs import planned
from benchmarks.published import FIGURES, GIB, Setting


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: f"{figure.model}: {figure.what}")
def test_a_forecast_stands_to_what_was_published_as_is_said(figure, tmp_path):
    ratio = figure.predicted_bytes(tmp_path) / figure.published_bytes
    assert figure.low < ratio < figure.high


def test_lora_takes_a_third_of_full_fine_tuning_as_peft_measured(tmp_path):
    model = planned(tmp_path, "t0-3b")
    full = Setting("full_finetune", 8 * 64, 64, dtype="float32", adam_bits=32)
    lora = replace(full, arm="lora")
    assert abs(lora.bytes_of(model) / full.bytes_of(model) - 1 / 3) < 0.07


def test_seven_billion_weights_cannot_be_tuned_in_full_on_a_card_of_80_gb(tmp_path):
    # PEFT's table says so of bloomz-7b1.
    full = Setting("full_finetune", 8 * 64, 64, dtype="float32", adam_bits=32)
    assert full.bytes_of(planned(tmp_path, "bloomz-7b1")) > 80 * GIB


def test_65_billion_weights_in_16_bits_take_what_qloras_authors_say(tmp_path):
    # Dettmers et al. 2023: "more than 780 GB", at 16 bits of weight and gradient and 32 bits of
    # each moment, 12 bytes a weight.
    weights = planned(tmp_path, "llama-65b").skeleton.weights
    assert abs(weights - 65.2e9) < 0.2e9
    assert 780e9 < 12.0001 * weights < 800e9
