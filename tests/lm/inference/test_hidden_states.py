"""Pooled states are the means of what transformers itself returns, packed or not."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_configs import ENCODER_DECODER
from tiny_models import build

from harness.errors import ModelError
from harness.lm import depth_of, pooled_states
from harness.lm.sizing.budget import RowLimit

SEQUENCES = [[5, 6, 7], [5, 6, 8, 9], [3], [5, 6, 7], [4, 3, 2, 9, 8, 7, 6, 5]]


def alone(lm, sequence, depths):
    """Return what transformers gives for one sequence by itself."""
    import torch

    model = lm.model.get_encoder() if lm.has_encoder else lm.model
    more = {} if lm.has_encoder else {"use_cache": False}
    with torch.inference_mode():
        output = model(input_ids=torch.tensor([sequence]), output_hidden_states=True, **more)
    streams = [output.hidden_states[d].flatten(0, -3)[0] for d in depths]  # [tokens, width]
    return np.stack([stream.float().mean(dim=0).numpy() for stream in streams])


def test_of_every_architecture_they_are_transformers_own(tiny):
    depths = [0, 1, depth_of(tiny)]
    found = pooled_states(tiny, SEQUENCES, depths)
    assert found.dtype == np.float32
    for sequence, states in zip(SEQUENCES, found, strict=True):
        assert states == pytest.approx(alone(tiny, sequence, depths), abs=1e-3, rel=1e-3)


@pytest.mark.parametrize("limit", [32, 512])
def test_however_few_tokens_fit_a_row_they_are_the_same(limit):
    lm = build("llama-tied")
    assert lm.packs
    many = [[1 + n % 9, 2, 3, 4, 5, n % 11] for n in range(40)] + SEQUENCES
    lm.rows = RowLimit(limit)
    seen = []
    found = pooled_states(lm, many, [1], lambda done, of: seen.append((done, of)))
    expected = np.stack([alone(lm, sequence, [1]) for sequence in many])
    assert np.allclose(found, expected, atol=1e-3)
    assert seen[-1] == (len(many), len(many))
    assert (len(seen) > 3) == (limit == 32)


def test_memory_that_runs_out_in_a_row_costs_that_row_alone(monkeypatch):
    lm = build("llama-tied")
    whole, calls = pooled_states(lm, SEQUENCES, [1]), []
    forward = type(lm.model).forward

    def short(self, *args, **words):
        calls.append(words["input_ids"].shape[1])
        if len(calls) == 1:
            raise MemoryError
        return forward(self, *args, **words)

    monkeypatch.setattr(type(lm.model), "forward", short)
    assert np.allclose(pooled_states(lm, SEQUENCES, [1]), whole, atol=1e-4)
    assert len(calls) == 2


def test_nothing_is_asked_for_nothing():
    assert len(pooled_states(build("llama-tied"), [], [1])) == 0


def test_an_empty_or_too_long_sequence_is_refused():
    lm = build("llama-tied")
    with pytest.raises(ModelError, match="prompt 1 has no tokens"):
        pooled_states(lm, [[1], []], [1])
    with pytest.raises(ModelError, match="takes at most"):
        pooled_states(lm, [[1] * (lm.context_tokens + 1)], [1])


def test_states_that_are_no_numbers_are_refused():
    import torch

    lm = build("llama-tied")
    with torch.no_grad():
        next(lm.model.parameters()).fill_(float("nan"))
    with pytest.raises(ModelError, match=r"gave NaN in .* → set `dtype: float32`"):
        pooled_states(lm, [[1, 2]], [1])


def test_some_have_an_encoder_and_some_have_none():
    assert ENCODER_DECODER  # else the first test would be of decoders alone
