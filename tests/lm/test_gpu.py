"""The same engine on a GPU: exact there too, with AdamW's moments in 8 bits."""

from __future__ import annotations

from pathlib import Path

import pytest
from adapters import add_lora

from harness.lm import (
    TuneSettings,
    answer_tokens,
    generate_tokens,
    load,
    mean_loss,
    prompt_tokens,
    score_options,
    tune,
)
from harness.lm.inference.plain import score
from harness.lm.loading.resolve import resolve

pytestmark = [pytest.mark.gpu, pytest.mark.model]
MESSAGES = [f"Message {n}: where is my card? It was sent on day {n * n}." for n in range(40)]
LABELS = ["card arrival", "card", "lost card", "top up failed"]


@pytest.fixture(params=["float32", "bfloat16"])
def on_gpu(request):
    import torch

    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    torch.backends.cuda.matmul.allow_tf32 = False
    return load(resolve("smollm2-135m-instruct-q4", Path()), "cuda", request.param)


def test_scores_are_those_of_plain_passes(on_gpu):
    assert on_gpu.packs
    prompts = [prompt_tokens(on_gpu, message) for message in MESSAGES]
    options = [answer_tokens(on_gpu, label) for label in LABELS]
    scores, _ = score_options(on_gpu, prompts, [options] * len(prompts))
    tolerance = 1e-3 if on_gpu.loaded().dtype == "float32" else 0.6  # rounding of a few logits
    for prompt, row in zip(prompts, scores, strict=True):
        assert row == pytest.approx(score(on_gpu, prompt, options), abs=tolerance)


def test_rows_that_grow_together_are_those_that_grow_alone(on_gpu):
    prompts = [prompt_tokens(on_gpu, message) for message in MESSAGES[:8]]
    together, _ = generate_tokens(on_gpu, prompts, 16)
    alone = [generate_tokens(on_gpu, [prompt], 16)[0][0] for prompt in prompts]
    same = sum(a == b for a, b in zip(together, alone, strict=True))
    assert same >= (7 if on_gpu.loaded().dtype == "float32" else 4)  # near-ties aside


def test_tuning_learns_with_8_bit_moments(on_gpu):
    add_lora(on_gpu, 8, 16, 0.0)
    pairs = [
        (prompt_tokens(on_gpu, message), answer_tokens(on_gpu, LABELS[n % 4]))
        for n, message in enumerate(MESSAGES)
    ]
    before = mean_loss(on_gpu, pairs)
    settings = TuneSettings(1e-3, 2, 8, 0.1, 0.0, 1, 9)
    tune(on_gpu, pairs, [], settings, lambda **_: None)
    assert mean_loss(on_gpu, pairs) < before / 2
