"""Soft prompts learn on packed rows, compute what PEFT computes, and come back from disk."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from adapters import add_soft_prompt
from tiny_models import build
from tuning_rows import pairs, settings

from harness.errors import ModelError
from harness.lm import mean_loss, save_trained, score_options, tune
from harness.lm.inference.generation import generate_tokens
from harness.lm.inference.routes import PACKED, PLAIN
from harness.lm.training.objective import TokenLoss


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
@pytest.mark.parametrize("name", ["llama", "gpt2"])
def test_a_soft_prompt_learns_and_leaves_the_model_as_it_was(name, kind):
    import torch

    torch.manual_seed(0)
    lm = build(name)
    frozen = {key: weight.clone() for key, weight in lm.model.named_parameters()}
    parameters = lm.loaded().parameters
    trainable = add_soft_prompt(lm, kind, 4)
    assert lm.loaded().parameters == parameters  # what is added is not the model's
    assert trainable == 4 * 32 if kind == "prompt" else trainable > 4 * 32
    assert lm.packs
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


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "mistral-window", "gemma3-window"])
def test_what_begins_as_words_scores_as_if_they_stood_there(name, kind):
    lm = build(name)
    prompts, options = zip(*((p, [c]) for p, c in pairs(3)), strict=True)  # longer than the window
    expected, _ = score_options(lm, [[5, 6, 7, 5, *prompt] for prompt in prompts], options)
    lm.tokenizer = lambda text, **_: SimpleNamespace(input_ids=[5, 6, 7])
    lm.prefix.clear()
    add_soft_prompt(lm, kind, 4, "three words of it")
    found, _ = score_options(lm, prompts, options)
    assert found == [pytest.approx(row, abs=1e-3) for row in expected]


@pytest.mark.parametrize("kind", ["prompt", "prefix"])
@pytest.mark.parametrize("name", ["llama", "gpt2", "qwen3"])
@pytest.mark.filterwarnings("ignore:Position ids are not supported")  # PEFT, in `generate`
def test_packed_rows_behind_it_are_what_peft_computes_one_by_one(name, kind):
    lm = build(name)
    lm.__dict__["ends"] = (2,)
    with_random_vectors(lm, kind)
    rows = [*pairs(6), ([9] * 20 + [3], [4, 5]), ([9] * 20 + [7, 8], [6])]
    prompts = [prompt for prompt, _ in rows]
    options = [[completion, [11, 12]] for _, completion in rows]
    found = {}
    for route in (PACKED, PLAIN):
        lm.route = route
        scores = score_options(lm, prompts, options)[0]
        scores += score_options(lm, prompts[-1:], options[-1:])[0]  # behind what was kept
        values = [value for row in scores for value in row]
        found[route.name] = values, generate_tokens(lm, prompts, 6)[0], gradient(lm, rows)
        lm.prefix.clear()
    (scores, texts, slope), (plain_scores, plain_texts, plain_slope) = found.values()
    assert scores == pytest.approx(plain_scores, abs=1e-3)
    assert texts == plain_texts
    assert slope == pytest.approx(plain_slope, rel=1e-3, abs=1e-5)


def with_random_vectors(lm, kind):
    import torch

    add_soft_prompt(lm, kind, 4)
    torch.manual_seed(1)
    [vectors] = [weight for weight in lm.model.parameters() if weight.requires_grad]
    vectors.data.normal_()


def gradient(lm, rows):
    [vectors] = [weight for weight in lm.model.parameters() if weight.requires_grad]
    vectors.grad = None
    TokenLoss().loss(lm, rows).backward()
    return vectors.grad.flatten().tolist()


def test_with_checkpointing_it_learns_the_same_from_padded_rows():
    import torch

    learnt = []
    for checkpointing in (False, True):
        lm, notes = build("llama"), []
        lm.note = lambda kind, text, notes=notes: notes.append(kind)
        with_random_vectors(lm, "prompt")
        given = settings(learning_rate=0.1, epochs=1, checkpointing=checkpointing)
        tune(lm, pairs(4), [], given, lambda **_: None)
        assert ("engine" in notes) is checkpointing
        learnt += [
            weight.detach().clone() for weight in lm.model.parameters() if weight.requires_grad
        ]
    assert torch.allclose(*learnt, atol=1e-3)


def test_a_prefix_that_checkpointing_would_lose_is_refused():
    lm = build("llama")
    add_soft_prompt(lm, "prefix", 4)
    with pytest.raises(ModelError, match="lose what prefix tuning learns"):
        tune(lm, pairs(2), [], settings(checkpointing=True), lambda **_: None)


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
    save_trained(lm, tmp_path, "float32")
    again = build("llama")
    again.model = PeftModel.from_pretrained(again.model, tmp_path)
    assert score_options(again, [prompt], [[completion]])[0][0][0] == pytest.approx(score, abs=1e-4)
