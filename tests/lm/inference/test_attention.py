"""Spans of a packed row: every visible key is in them, and nothing changes but the cost."""

from __future__ import annotations

import random

import pytest
from adapters import add_lora
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_configs import WORDS
from tiny_models import build
from tuning_rows import pairs
from tuning_rows import settings as tune_settings

from harness.lm import score_options, tune
from harness.lm.inference import attention
from harness.lm.inference.attention import NAME, spans_of
from harness.lm.inference.token_tree import TokenTree

SEQUENCES = st.lists(st.lists(st.integers(1, 3), min_size=1, max_size=12), min_size=1, max_size=9)


@pytest.fixture
def short_spans(monkeypatch):
    """Rows of a few tokens are cut too, whether or not it is worth it."""
    monkeypatch.setattr(attention, "SHORTEST_SPAN", 4)
    monkeypatch.setattr(attention, "WORTH_SHARE", 9.0)


@given(SEQUENCES, st.integers(0, 6), st.integers(1, 5))
@settings(max_examples=200)
def test_a_span_holds_every_key_that_its_nodes_see(sequences, past, shortest):
    tree = TokenTree()
    for sequence in sequences:
        tree.add(sequence)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention, "SHORTEST_SPAN", shortest)
        patch.setattr(attention, "WORTH_SHARE", 9.0)
        spans = spans_of(tree, past)
    visible = tree.visible(past)
    assert [span.first for span in spans[1:]] == [span.last for span in spans[:-1]]
    if spans:
        assert (spans[0].first, spans[-1].last) == (0, len(tree))
    for span in spans:
        keys = span.keys.tolist()
        assert len(set(keys)) == len(keys)
        outside = [key for key in range(past + len(tree)) if key not in set(keys)]
        assert not visible[span.first : span.last, outside].any()


def test_a_row_that_would_save_nothing_is_not_cut():
    chain, fan = TokenTree(), TokenTree()
    chain.add(range(300))
    assert spans_of(chain, 0) == ()
    for first in range(8):
        fan.add([first] * 64)
    assert len(spans_of(fan, 0)) == 8
    assert spans_of(fan, 5000) == ()  # the past is most of the work, and is not saved


@pytest.mark.parametrize("name", ["llama", "mistral-window", "gemma3-window", "gpt2", "gpt-neox"])
def test_scores_are_the_same_with_and_without_spans(name, short_spans, monkeypatch):
    lm = build(name)
    draw = random.Random(3)
    words = lambda n: [draw.randrange(WORDS) for _ in range(n)]  # noqa: E731
    opening = words(20)
    prompts = [opening + words(draw.randint(1, 15)) for _ in range(9)]
    options = [[[1, 2, 3], [1, 2], [4]]] * len(prompts)
    cut, _ = score_options(lm, prompts, options)
    monkeypatch.setattr(attention, "SHORTEST_SPAN", 10**6)
    lm.prefix.clear()
    dense, _ = score_options(lm, prompts, options)
    for a, b in zip(cut, dense, strict=True):
        assert a == pytest.approx(b, abs=1e-4)


@pytest.mark.parametrize("checkpointing", [False, True])
def test_training_is_the_same_with_and_without_spans(short_spans, monkeypatch, checkpointing):
    import torch

    runs = []
    for shortest in (4, 10**6):
        monkeypatch.setattr(attention, "SHORTEST_SPAN", shortest)
        lm, logged = build("llama"), []
        torch.manual_seed(1)
        add_lora(lm, 4, 8, 0.0)
        given = tune_settings(checkpointing=checkpointing)
        tune(lm, pairs(3), [], given, lambda **row: logged.append(row["train_loss"]))  # noqa: B023
        runs.append(logged)
    assert runs[0] == pytest.approx(runs[1], rel=1e-4)


def test_spans_are_used_where_the_model_has_fused_attention(short_spans, monkeypatch):
    lm, cut = build("llama"), []
    assert lm.model.config._attn_implementation == NAME
    real = attention.spans_of

    def watched(tree, past):
        cut.append(len(real(tree, past)))
        return real(tree, past)

    monkeypatch.setattr("harness.lm.inference.attention.spans_of", watched)
    score_options(lm, [[9] * 8, [8] * 8], [[[1]], [[2]]])
    assert cut == [2]
