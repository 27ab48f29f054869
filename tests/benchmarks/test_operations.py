"""Operations and rates, counted by hand."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from benchmarks import (
    operations,
    utilisation,
)


def test_operations_are_those_counted_by_hand():
    shape = operations.Shape(weights=1000, layers=2, attention_width=8, hidden=4, vocabulary=10)
    # Contexts of blocks of 3 and 2 tokens: 1+2+3 and 1+2.
    attention = 4 * 8 * 9 * 2
    assert operations.forward_operations(shape, [3, 2], 2) == 2 * 1000 * 5 + attention + 2 * 40 * 2
    assert operations.lora_operations(shape, [3, 2], 2) == 4 * 1000 * 5 + 3 * attention + 4 * 40 * 2


@pytest.mark.parametrize("tied", [True, False])
def test_a_shape_leaves_out_embedding_and_head(tied):
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        tie_word_embeddings=tied,
    )
    model = transformers.LlamaForCausalLM(config)
    layer = 16 * 32 + 2 * 16 * 16 + 32 * 16 + 3 * 16 * 24 + 2 * 16
    assert operations.shape_of(model) == operations.Shape(3 * layer + 16, 3, 32, 16, 50)


def test_rates_count_every_token_that_is_computed():
    shape = operations.Shape(weights=10**6, layers=1, attention_width=0, hidden=0, vocabulary=0)
    rates = utilisation._rates(shape, sequence_s=2.0, step_s=0.5)
    assert rates["prefill_tokens_per_s"] == 512 / 2
    assert rates["prefill"] == pytest.approx(2e6 * 512 / 2 / 1e9)
    assert rates["train_tokens_per_s"] == 63 * 8 / 0.5  # a row's last token is never an input
    assert rates["train"] == pytest.approx(4e6 * 504 / 0.5 / 1e9)


def test_sequences_of_utilisation_share_nothing():
    texts = utilisation._Texts.__new__(utilisation._Texts)
    texts._ids, texts._first = [7] * 2000, 1000
    texts._draw = SimpleNamespace(randrange=lambda _: 0)
    one, other = texts.cut(512), texts.cut(512)
    assert (len(one), len(other)) == (512, 512)
    assert one[0] != other[0]
