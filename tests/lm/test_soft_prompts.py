"""Soft prompts run unpacked, learn, say so, and come back from disk."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from test_tune import pairs, settings
from tiny_models import build

from harness.errors import ModelError
from harness.lm import add_soft_prompt, mean_loss, save_adapter, score_options, tune


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_soft_prompt_learns_unpacked_and_the_record_says_so(name, kind):
    import torch

    torch.manual_seed(0)
    lm, notes = build(name), []
    lm.note = lambda *words: notes.append(words)
    frozen = {key: weight.clone() for key, weight in lm.model.named_parameters()}
    parameters = lm.facts().parameters
    trainable = add_soft_prompt(lm, kind, 4)
    assert lm.facts().parameters == parameters  # what is added is not the model's
    assert trainable == 4 * 32 if kind == "prompt" else trainable > 4 * 32
    assert lm.path == "plain"
    assert notes[0][0] == "engine"
    assert "unpacked" in notes[0][1]
    before = mean_loss(lm, pairs(1))
    tune(lm, pairs(1), [], settings(learning_rate=0.1, epochs=8), lambda **_: None)
    assert mean_loss(lm, pairs(1)) < before
    for key, weight in lm.model.base_model.named_parameters():
        assert torch.equal(weight, frozen[key])


def test_a_soft_prompt_can_begin_with_words():
    import torch

    lm = build("llama")
    lm.tokenizer = lambda text, **_: SimpleNamespace(input_ids=[5, 6, 7])
    words = lm.model.get_input_embeddings().weight[[5, 6, 7, 5]].clone()
    add_soft_prompt(lm, "prompt", 4, "three words of it")
    [begun] = [w for w in lm.model.parameters() if w.requires_grad]
    assert torch.equal(begun, words)


@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_prefix_that_begins_as_words_scores_as_if_they_stood_there(name):
    lm = build(name)
    prompt, completion = pairs(3)[0]
    expected, _ = score_options(lm, [[5, 6, 7, 5, *prompt]], [[completion]])
    lm.tokenizer = lambda text, **_: SimpleNamespace(input_ids=[5, 6, 7])
    lm.prefix.clear()
    add_soft_prompt(lm, "prefix", 4, "three words of it")
    found, _ = score_options(lm, [prompt], [[completion]])
    assert found[0] == pytest.approx(expected[0], abs=1e-3)


def test_an_encoder_decoder_is_refused():
    with pytest.raises(ModelError, match="decoder-only"):
        add_soft_prompt(build("t5"), "prompt", 4)


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_padding_changes_nothing(kind):
    lm = build("llama")
    add_soft_prompt(lm, kind, 4)
    rows = pairs(2)
    together = mean_loss(lm, rows)
    alone = [(mean_loss(lm, [row]), len(row[1])) for row in rows]
    tokens = sum(n for _, n in alone)
    assert together == pytest.approx(sum(loss * n for loss, n in alone) / tokens, rel=1e-5)


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
def test_its_scores_are_its_losses_and_survive_the_disk(kind, tmp_path):
    from peft import PeftModel

    lm = build("llama")
    add_soft_prompt(lm, kind, 4)
    rows = pairs(3)
    tune(lm, rows, [], settings(learning_rate=0.1, epochs=2), lambda **_: None)
    prompt, completion = rows[0]
    [[score]], _ = score_options(lm, [prompt], [[completion]])
    assert -score / len(completion) == pytest.approx(mean_loss(lm, rows[:1]), rel=1e-4)
    save_adapter(lm, tmp_path)
    again = build("llama")
    again.model, again.path = PeftModel.from_pretrained(again.model, tmp_path), "plain"
    assert score_options(again, [prompt], [[completion]])[0][0][0] == pytest.approx(score, abs=1e-4)
