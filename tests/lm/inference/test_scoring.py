"""Log-likelihoods equal those of one plain pass a sequence, whatever is shared and kept."""

from __future__ import annotations

import random

import pytest
from tiny_configs import PACKED, WORDS
from tiny_models import build

from harness.errors import ModelError
from harness.lm import clear_prefixes, score_options
from harness.lm.inference.encoder_decoder import decoder_start
from harness.lm.loading.load import _LOADED
from harness.lm.sizing.budget import RowLimit


def reference(lm, prompt, option):
    """The textbook way: one sequence, all logits, no cache."""
    import torch

    given = {"input_ids": torch.tensor([prompt + option])}
    if lm.has_encoder:
        decoder = [decoder_start(lm.model), *option]
        given = {"input_ids": torch.tensor([prompt]), "decoder_input_ids": torch.tensor([decoder])}
    with torch.inference_mode():
        logits = lm.model(**given, use_cache=False).logits[0].double()
    rows = logits.log_softmax(-1)[-len(option) - 1 : -1]
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
    assert tiny.packs == (tiny.ref.name in PACKED)


def test_a_prefix_survives_memory_that_ran_out_for_good():
    lm = build("llama")
    prompts, options = made_up(8)
    score_options(lm, prompts, options)
    layer = lm.model.model.layers[1]
    forward = layer.forward

    def never(*_, **__):
        raise MemoryError

    layer.forward = never  # the first layer has taken the row's keys by then
    with pytest.raises(MemoryError):
        score_options(lm, prompts, options)
    layer.forward = forward
    scores, _ = score_options(lm, prompts, options)
    assert_exact(lm, prompts, options, scores)


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


@pytest.mark.parametrize("name", ["llama", "gemma3-window", "mistral-window", "gpt2"])
def test_rows_are_cut_without_changing_scores(name):
    lm = build(name)
    draw = random.Random(5)
    words = lambda n: [draw.randrange(WORDS) for _ in range(n)]  # noqa: E731
    passages = [words(30), words(45)]
    opening = words(20)
    prompts = [opening + draw.choice(passages) + words(draw.randint(1, 9)) for _ in range(12)]
    options = [[[1, 2, 3], [1, 2], [4], [5, 6]]] * len(prompts)
    lm.rows = RowLimit(32)
    scores, _ = score_options(lm, prompts, options)
    assert_exact(lm, prompts, options, scores)


def test_more_options_than_fit_a_row_are_scored():
    lm = build("llama")
    options = [[a, b, 3] for a in range(20) for b in range(8)]
    lm.rows = RowLimit(32)
    scores, _ = score_options(lm, [[1] * 40, [2] * 7], [options] * 2)
    assert_exact(lm, [[1] * 40, [2] * 7], [options] * 2, scores)


def test_what_is_shared_is_computed_once():
    lm, computed = build("llama"), []
    forward = lm.model.forward

    def counted(**k):
        computed.append(k["input_ids"].numel())
        return forward(**k)

    lm.model.forward = counted
    opening, passages = list(range(50)), [[60] * 40, [70] * 40]
    prompts = [opening + p + [80 + i, 81] for p in passages for i in range(10)]
    options = [[[1, 2, 3], [1, 2, 4], [5]]] * len(prompts)
    lm.rows = RowLimit(64)
    score_options(lm, prompts, options)
    tree = 50 + 2 * 40 + 20 * (2 + 2)  # opening, passages, ends, the options' first two words
    assert tree <= sum(computed) <= tree + 2 * 2


def test_running_out_of_memory_halves_the_rows_and_goes_on():
    lm, notes = build("llama"), []
    lm.rows = RowLimit(256, lambda kind, text: notes.append((kind, text)))
    forward = lm.model.forward

    def small(**k):
        if k["input_ids"].numel() > 70:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried …")
        return forward(**k)

    lm.model.forward = small
    prompts, options = made_up(6, prompts=30)
    scores, _ = score_options(lm, prompts, options)
    lm.model.forward = forward
    assert_exact(lm, prompts, options, scores)
    assert lm.rows.tokens == 64
    assert notes[-1] == ("memory", "memory ran out: 64 tokens at once from here on")


def test_memory_that_is_too_small_for_anything_is_an_error():
    lm = build("llama")

    def never(**_):
        raise RuntimeError("CUDA out of memory. Tried to allocate …")

    lm.model.forward = never
    with pytest.raises(RuntimeError, match="out of memory"):
        score_options(lm, [[1, 2]], [[[3]]])


def test_a_prompt_longer_than_the_context_is_named():
    lm = build("llama")
    with pytest.raises(
        ModelError, match=r"prompt 1 needs 600 tokens and 3 for its answer; .* takes at most 512"
    ):
        score_options(lm, [[1], [2] * 600], [[[3]], [[4, 5, 6]]])


@pytest.mark.parametrize(
    ("prompt", "options", "words"),
    [
        ([1], [[2], []], "option 1 of prompt 0 has no tokens"),
        ([1], [[2], [3], [2]], "options 0 and 2 of prompt 0 are the same"),
        ([1], [], "prompt 0 has no options"),
        ([], [[2]], "prompt 0 has no tokens"),
    ],
)
def test_options_that_cannot_be_told_apart_are_an_error(prompt, options, words):
    with pytest.raises(ModelError, match=words):
        score_options(build("llama"), [prompt], [options])


def test_nan_names_the_dtype():
    import torch

    lm = build("llama")
    with torch.no_grad():
        lm.model.lm_head.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"NaN in torch.float32"):
        score_options(lm, [[1, 2]], [[[3]]])


def test_no_prompts_have_no_scores():
    assert score_options(build("llama"), [], []) == ([], 0)
