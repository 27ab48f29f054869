"""Each objective is what a textbook computes on every route; what is watched is what serves."""

from __future__ import annotations

import numpy as np
import pytest
from adapters import add_lora
from tiny_models import build
from tuning_rows import pairs, settings

from harness.lm import HeadLoss, LabelSoftmax, TokenLoss, score_options, tune
from harness.lm.inference.label_head import new_head, read_head, score_labels
from harness.lm.training.label_loss import (
    balanced_weights,
    fitted_cross_entropy,
    smoothed_cross_entropy,
)
from harness.lm.training.loss import likelihoods, pieces
from harness.lm.training.objective import TOKEN_SHARE, label_cross_entropy, told_apart

OPTIONS = [[5, 6, 2], [5, 7, 8, 2], [9, 2]]
ROUTES = ["llama", "gpt2", "mistral-window", "mamba", "bloom", "t5"]
SILENT = pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys")


def choices(seed=0, n=9):
    return [(prompt, OPTIONS[place % 3]) for place, (prompt, _) in enumerate(pairs(seed, n))]


def one_by_one(lm, prompt, option):
    """log p of an option, from a pass of its own."""
    import torch

    if lm.has_encoder:
        given = {"input_ids": torch.tensor([prompt]), "labels": torch.tensor([option])}
        return -lm.model(**given, use_cache=False).loss * len(option)
    logits = lm.model(torch.tensor([prompt + option]), use_cache=False).logits[0, :-1].float()
    return -torch.nn.functional.cross_entropy(
        logits[len(prompt) - 1 :], torch.tensor(option), reduction="sum"
    )


def last_state(lm, prompt):
    """What stands before the head, from a pass of its own."""
    import torch

    if lm.has_encoder:
        start = torch.tensor([[lm.model.config.decoder_start_token_id]])
        found = lm.model(
            input_ids=torch.tensor([prompt]), decoder_input_ids=start, output_hidden_states=True
        )
        state = found.decoder_hidden_states[-1][0, -1]
        tied = lm.model.config.tie_word_embeddings
        return state * lm.model.config.d_model**-0.5 if tied else state
    return lm.model(torch.tensor([prompt]), output_hidden_states=True).hidden_states[-1][0, -1]


@SILENT
@pytest.mark.parametrize("name", ROUTES)
def test_the_softmax_over_labels_is_the_textbooks_with_its_gradients(name):
    """Labels are read up to where they part; the right one's tokens count beside."""
    import torch

    lm = build(name)
    add_lora(lm, 4, 8, 0.0)
    rows, weights = choices(), [1.0, 2.0, 0.5]
    objective = LabelSoftmax(OPTIONS, weights, 0.1)
    assert list(objective.begun) == [[5, 6], [5, 7], [9]]
    total = objective.loss(lm, rows)
    expected = torch.zeros(())
    for prompt, completion in rows:
        right = OPTIONS.index(completion)
        scores = torch.stack([one_by_one(lm, prompt, begun) for begun in objective.begun])
        among = smoothed_cross_entropy(scores[None], [right], 0.1, weights)
        expected = expected + among
        expected = expected - TOKEN_SHARE * one_by_one(lm, prompt, completion) / len(completion)
    assert float(total.detach()) == pytest.approx(float(expected.detach()), rel=1e-4)
    trained = [weight for weight in lm.model.parameters() if weight.requires_grad]
    ours = torch.autograd.grad(total, trained, allow_unused=True)
    theirs = torch.autograd.grad(expected, trained, allow_unused=True)
    for one, other in zip(ours, theirs, strict=True):
        if other is not None:
            assert torch.allclose(one, other, rtol=1e-2, atol=1e-3 * float(other.norm()) + 1e-6)


@SILENT
@pytest.mark.parametrize("name", ROUTES)
def test_a_head_reads_what_the_models_own_head_reads(name):
    import torch

    lm = build(name)
    head = new_head(lm, ("a", "b", "c"))
    with torch.no_grad():
        head.linear.weight.normal_()
    prompts = [prompt for prompt, _ in choices()]
    scores, _ = score_labels(lm, head, prompts)
    for prompt, row in zip(prompts, scores, strict=True):
        with torch.no_grad():
            expected = head.linear(last_state(lm, prompt).float()).log_softmax(-1)
        assert row == pytest.approx(expected.tolist(), abs=2e-3)
    again = [score_labels(lm, head, [prompt])[0][0] for prompt in reversed(prompts)][::-1]
    for one, other in zip(scores, again, strict=True):
        assert one == pytest.approx(other, abs=1e-3)


@SILENT
@pytest.mark.parametrize("name", ["llama", "mamba", "t5"])
@pytest.mark.parametrize("kind", ["head", "label_softmax"])
def test_labels_are_learnt_and_what_is_watched_falls(name, kind, tmp_path):
    lm = build(name)
    add_lora(lm, 4, 8, 0.0)
    rows = [([11 + place % 3] * 6, OPTIONS[place % 3]) for place in range(12)]
    if kind == "head":
        lm.head = new_head(lm, ("a", "b", "c"))
        objective = HeadLoss(lm.head, OPTIONS, [1.0] * 3, 0.1)
    else:
        objective = LabelSoftmax(OPTIONS, [1.0] * 3, 0.1)
    logged = []
    given = settings(epochs=16, averaged=3, learning_rate=5e-3)
    result = tune(lm, rows, rows, given, lambda **row: logged.append(row), objective=objective)
    losses = [row["validation_loss"] for row in logged if "validation_loss" in row]
    assert result.best_validation_loss <= losses[0]
    assert result.best_validation_loss < 0.9  # of three labels by chance: 1.1
    if kind == "head":
        lm.head.save(tmp_path)
        served = read_head(lm, tmp_path)
        assert served.labels == ("a", "b", "c")
        prompts = [prompt for prompt, _ in rows]
        assert score_labels(lm, served, prompts) == score_labels(lm, lm.head, prompts)
        assert read_head(lm, tmp_path / "elsewhere") is None


def test_a_gradient_is_the_same_in_pieces():
    import torch

    grads = []
    for at_once in (20, 10_000):
        lm = build("llama")
        add_lora(lm, 4, 8, 0.0)
        objective = LabelSoftmax(OPTIONS, [1.0] * 3, 0.1)
        total = sum(
            objective.loss(lm, piece)
            for piece in pieces(choices(), at_once, False, objective.texts)
        )
        trained = [weight for weight in lm.model.parameters() if weight.requires_grad]
        grads.append(torch.autograd.grad(total, trained))
    for one, other in zip(*grads, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)


def test_what_is_watched_are_whole_labels_as_they_are_scored():
    lm, rows = build("llama"), choices()
    prompts = [prompt for prompt, _ in rows]
    scores, _ = score_options(lm, prompts, [OPTIONS] * len(rows))
    right = [OPTIONS.index(completion) for _, completion in rows]
    expected = fitted_cross_entropy(scores, right)
    for objective in (TokenLoss(OPTIONS), LabelSoftmax(OPTIONS, [1.0] * 3)):
        assert objective.watched(lm, rows) == pytest.approx(expected, rel=1e-5)
    assert label_cross_entropy(lm, rows, OPTIONS) == pytest.approx(expected, rel=1e-5)


def test_a_fitted_temperature_mends_what_is_too_sure_and_nothing_else():
    draw = np.random.default_rng(0)
    scores = draw.normal(size=(60, 4))
    right = [int(row.argmax()) if draw.random() < 0.7 else 0 for row in scores]
    plain = fitted_cross_entropy(scores, right)
    assert fitted_cross_entropy(scores * 7, right) == pytest.approx(plain, rel=1e-6)
    assert fitted_cross_entropy(scores + 5, right) == pytest.approx(plain, rel=1e-6)
    grid = np.exp(np.linspace(np.log(1 / 32), np.log(32), 4001))
    shifted = scores - scores.max(axis=1, keepdims=True)
    values = [
        (np.log(np.exp(b * shifted).sum(1)) - b * shifted[range(60), right]).mean() for b in grid
    ]
    assert plain == pytest.approx(min(values), rel=1e-5)
    assert fitted_cross_entropy([[0.0, -np.inf], [-np.inf, 0.0]], [0, 1]) == pytest.approx(0)


def test_balanced_weights_are_scikit_learns_and_a_label_without_rows_counts_nowhere():
    from sklearn.utils.class_weight import compute_class_weight

    right = [0] * 7 + [1] * 2 + [3]
    expected = compute_class_weight("balanced", classes=np.array([0, 1, 3]), y=right)
    assert balanced_weights(right, 4) == pytest.approx([expected[0], expected[1], 1.0, expected[2]])


def test_smoothing_is_torchs():
    import torch

    scores, right = torch.randn(5, 4), [0, 3, 1, 1, 2]
    expected = torch.nn.functional.cross_entropy(
        scores, torch.tensor(right), reduction="sum", label_smoothing=0.1
    )
    found = smoothed_cross_entropy(scores, right, 0.1, [1.0] * 4)
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_labels_are_cut_where_nothing_else_begins_so():
    assert told_apart([[1, 2, 9], [1, 3, 9], [4, 9]]) == [[1, 2], [1, 3], [4]]
    assert told_apart([[1, 9], [1, 2, 9]]) == [[1, 9], [1, 2]]
    assert told_apart([[1], [1, 2]]) == [[1], [1, 2]]
    assert told_apart([[7, 9]]) == [[7]]


def test_a_text_that_stands_twice_behind_a_prompt_is_scored_twice():
    lm = build("llama")
    found = likelihoods(lm, [([3, 4], [[5, 6], [5, 6]]), ([3, 4], [[5, 6]])]).tolist()
    assert found == pytest.approx([found[0]] * 3)


def test_pieces_count_what_prompts_share_once():
    shared = list(range(100, 140))
    rows = [([*shared, place], [1, 2]) for place in range(10)]
    assert [len(piece) for piece in pieces(rows, 60, padded=False)] == [6, 4]
    assert [len(piece) for piece in pieces(rows, 90, padded=True)] == [2] * 5
    assert [len(piece) for piece in pieces(rows, 60, False, [[7, 8], [9, 8]])] == [6, 4]
