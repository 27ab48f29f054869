"""New tokens equal those of transformers' own `generate` on each prompt alone."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
from tiny_configs import WORDS
from tiny_models import build

from harness.errors import ModelError
from harness.lm import generate_tokens
from harness.lm.sizing.budget import RowLimit

END = 7
NEAR_TIE = 1e-3


def with_tokenizer(lm):
    lm.model.generation_config.eos_token_id = END
    lm.tokenizer = SimpleNamespace(
        chat_template=None,
        eos_token_id=END,
        pad_token_id=END,
        decode=lambda ids, **_: " ".join(map(str, ids)),
    )
    return lm


def prompts(seed, rows=9, shared=30):
    draw = random.Random(seed)
    words = lambda low, high: [draw.randrange(8, WORDS) for _ in range(draw.randint(low, high))]  # noqa: E731
    opening = words(shared, shared)
    return [opening + words(1, 12) for _ in range(rows)]


def alone(lm, prompt, n):
    """The prompt by itself through `generate`, with how close its two best tokens came."""
    import torch

    ids = torch.tensor([prompt])
    output = lm.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=n,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=END,
        output_logits=True,
        return_dict_in_generate=True,
    )
    skip = 1 if lm.has_encoder else len(prompt)
    new = output.sequences[0, skip:].tolist()
    best = [logits[0].topk(2).values for logits in output.logits]
    gaps = [float(two[0] - two[1]) for two in best]
    return new, gaps


def assert_same(lm, given, outputs, n):
    for prompt, new in zip(given, outputs, strict=True):
        expected, gaps = alone(lm, prompt, n)
        near_tie = next((i for i, gap in enumerate(gaps) if gap < NEAR_TIE), len(gaps))
        expected = expected[: expected.index(END)] if END in expected else expected
        assert new[:near_tie] == expected[:near_tie]
        if near_tie == len(gaps):
            assert new == expected


def test_tokens_are_those_of_generate_for_every_architecture(tiny):
    lm, given = with_tokenizer(tiny), prompts(1)
    outputs, _ = generate_tokens(lm, given, 10)
    assert_same(lm, given, outputs, 10)


def test_how_likely_tokens_are_is_what_transformers_says_of_each_architecture(tiny):
    """The likeliest token's log-probability, that of the end included, from `generate`'s logits."""
    import torch

    lm, (prompt, *_) = with_tokenizer(tiny), prompts(1)
    [written], _ = generate_tokens(lm, [prompt], 6)
    ids = torch.tensor([prompt])
    output = lm.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=6,
        do_sample=False,
        eos_token_id=END,
        pad_token_id=END,
        output_logits=True,
        return_dict_in_generate=True,
    )
    expected = [float(step[0].log_softmax(-1).max()) for step in output.logits]
    assert written.logprobs == pytest.approx(expected, abs=2e-4)
    assert len(written.logprobs) - len(written) in (0, 1)  # the end's, where there is one


def test_a_kept_prefix_changes_nothing():
    lm, given = with_tokenizer(build("llama")), prompts(2)
    outputs, reused = [], []
    for prompt in given:
        new, kept = generate_tokens(lm, [prompt], 8)
        outputs += new
        reused.append(kept)
    assert_same(lm, given, outputs, 8)
    assert min(reused[2:]) >= 30


@pytest.mark.parametrize("name", ["qwen2", "gemma3-window"])
def test_small_groups_change_nothing(name):
    lm, given = with_tokenizer(build(name)), prompts(3, rows=40, shared=20)
    lm.rows = RowLimit(32)
    outputs, _ = generate_tokens(lm, given, 12)
    assert_same(lm, given, outputs, 12)


def test_running_out_of_memory_goes_on_with_smaller_groups():
    lm, given, notes = with_tokenizer(build("llama")), prompts(6, rows=30), []
    lm.rows = RowLimit(256, lambda *words: notes.append(words))
    forward = lm.model.forward

    def small(**k):
        if k["past_key_values"].get_seq_length() + k["input_ids"].numel() > 300:
            raise RuntimeError("CUDA out of memory")
        return forward(**k)

    lm.model.forward = small
    outputs, _ = generate_tokens(lm, given, 20)
    lm.model.forward = forward
    assert notes
    assert_same(lm, given, outputs, 20)


def test_equal_prompts_get_equal_answers():
    lm = with_tokenizer(build("llama"))
    given = [prompts(4)[0]] * 3
    outputs, _ = generate_tokens(lm, given, 6)
    assert outputs[0] == outputs[1] == outputs[2]
    assert_same(lm, given, outputs, 6)


def test_a_stop_string_ends_a_row_and_not_its_neighbours():
    lm, given = with_tokenizer(build("llama")), prompts(5)
    free, _ = generate_tokens(lm, given, 10)
    word = str(free[0][3])
    stopped, _ = generate_tokens(lm, given, 10, stop=[word])
    for before, after in zip(free, stopped, strict=True):
        text = " ".join(map(str, before))
        assert len(after) <= len(before)
        assert after == before[: len(after)]
        assert (word in " ".join(map(str, after))) == (word in text)


def test_a_prompt_that_cannot_grow_is_named():
    lm = with_tokenizer(build("llama"))
    with pytest.raises(ModelError, match="prompt 1 needs 510 tokens and 8 for its answer"):
        generate_tokens(lm, [[9], [9] * 510], 8)


@pytest.mark.parametrize("name", ["gpt-neo-local", "t5"])
def test_the_plain_route_is_greedy_whatever_a_checkpoint_asks_for(name):
    lm, given = with_tokenizer(build(name)), prompts(7, rows=4)
    expected, _ = generate_tokens(lm, given, 8)
    own = lm.model.generation_config
    own.num_beams, own.repetition_penalty, own.min_length = 4, 2.0, 50
    assert generate_tokens(lm, given, 8)[0] == expected


def test_an_end_that_only_the_model_names_ends_a_row():
    lm, given = with_tokenizer(build("llama")), prompts(8)
    free, _ = generate_tokens(lm, given, 10)
    own = free[0][4]
    lm = with_tokenizer(build("llama"))
    lm.model.generation_config.eos_token_id = [END, own]
    stopped, _ = generate_tokens(lm, given, 10)
    assert stopped[0] == free[0][: free[0].index(own)]


def test_no_prompts_have_no_answers():
    assert generate_tokens(with_tokenizer(build("llama")), [], 4) == ([], 0)
