"""Log-likelihoods equal those of one plain pass a sequence, whatever is shared and kept."""

from __future__ import annotations

import random

import pytest
from tiny_models import WORDS, build

from harness.errors import ModelError
from harness.lm import clear_prefixes, engine
from harness.lm.engine import score_options
from harness.lm.load import _LOADED

PACKABLE = {"llama", "llama-tied", "qwen2", "qwen3", "mixtral", "gpt2", "gpt-neox"}


def reference(lm, prompt, option):
    """The textbook way: one sequence, all logits, no cache."""
    import torch

    with torch.inference_mode():
        logits = lm.model(torch.tensor([prompt + option]), use_cache=False).logits[0].double()
    rows = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    return float(rows[range(len(option)), option].sum())


def made_up(seed, prompts=7, options=4, shared=40):
    draw = random.Random(seed)
    words = lambda low, high: [draw.randrange(WORDS) for _ in range(draw.randint(low, high))]  # noqa: E731
    opening = words(shared, shared)
    made = [opening + words(1, 12) for _ in range(prompts)]
    choices = [words(1, 4) for _ in range(options)]
    choices.append(choices[0] + [5])  # an option that another one begins
    return made, [choices] * prompts


def assert_exact(lm, prompts, options, scores):
    for prompt, choices, row in zip(prompts, options, scores, strict=True):
        for option, value in zip(choices, row, strict=True):
            assert value == pytest.approx(reference(lm, prompt, option), abs=1e-3)


def test_scores_are_exact_for_every_architecture(tiny):
    prompts, options = made_up(1)
    scores, _ = score_options(tiny, prompts, options)
    assert_exact(tiny, prompts, options, scores)


def test_what_cannot_be_packed_is_found_when_loading(tiny):
    assert tiny.packed == (tiny.ref.name in PACKABLE)


def test_a_model_that_ignores_its_mask_is_not_packed():
    lm = build("llama")
    forward = lm.model.forward
    lm.model.forward = lambda **k: forward(**{**k, "attention_mask": None})
    assert not engine.packing_is_exact(lm)


def test_a_prefix_kept_from_earlier_calls_changes_nothing():
    lm = build("llama")
    _LOADED.add(lm)
    prompts, options = made_up(2)
    reused = []
    for prompt, choices in zip(prompts, options, strict=True):
        scores, kept = score_options(lm, [prompt], [choices])
        assert_exact(lm, [prompt], [choices], scores)
        reused.append(kept)
    assert reused[:2] == [0, 0]  # the second request finds out what the first one shared
    assert min(reused[2:]) >= 40
    clear_prefixes()
    assert score_options(lm, prompts[:1], options[:1])[1] == 0


def test_a_prefix_that_no_longer_fits_is_dropped():
    lm = build("llama")
    for seed in (3, 4, 3):
        prompts, options = made_up(seed)
        scores, _ = score_options(lm, prompts, options)
        assert_exact(lm, prompts, options, scores)


def test_a_prompt_that_is_the_prefix_of_another_is_scored():
    lm = build("llama")
    opening = list(range(30))
    prompts, options = [opening, [*opening, 7, 8], opening], [[[1, 2], [3]]] * 3
    scores, _ = score_options(lm, prompts, options)
    assert_exact(lm, prompts, options, scores)


def test_rows_are_cut_without_changing_scores(monkeypatch):
    lm = build("llama")
    prompts, options = made_up(5, prompts=9, shared=0)
    whole, _ = score_options(lm, prompts, options)
    monkeypatch.setattr(engine, "PACK_TOKENS", 20)
    cut, _ = score_options(lm, prompts, options)
    for a, b in zip(whole, cut, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


def test_a_prompt_longer_than_the_context_is_named():
    lm = build("llama")
    with pytest.raises(ModelError, match=r"prompt 1 needs 603 tokens .* takes at most 512"):
        score_options(lm, [[1], [2] * 600], [[[3]], [[4, 5, 6]]])


def test_an_option_without_tokens_is_an_error():
    with pytest.raises(ModelError, match="has no tokens"):
        score_options(build("llama"), [[1]], [[[]]])


def test_nan_names_the_dtype():
    import torch

    lm = build("llama")
    with torch.no_grad():
        lm.model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"NaN in torch.float32"):
        score_options(lm, [[1, 2]], [[[3]]])


def test_no_prompts_have_no_scores():
    assert score_options(build("llama"), [], []) == ([], 0)
