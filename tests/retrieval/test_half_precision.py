"""Embedding models stored in half precision, as most new ones are: they embed, and can be tuned."""

from __future__ import annotations

import numpy as np
import pytest
from small_world import context, fit_and_ship, rows, write_embedder

from harness.retrieval import Embedder

TEXTS = ["a storm of rain", "sun", "rain and wind all day"]


@pytest.fixture(scope="module", params=["bfloat16", "float16"])
def stored(request, tmp_path_factory):
    """A tiny model in float32, and the same in half precision."""
    import torch

    folder = tmp_path_factory.mktemp("half")
    whole = write_embedder(folder / "whole")
    model = Embedder(whole).model.to(getattr(torch, request.param))
    model.save(str(folder / "half"))
    return whole, str(folder / "half")


def test_they_embed_as_their_like_in_float32(stored):
    whole, half = stored
    vectors = Embedder(half).embed(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, Embedder(whole).embed(TEXTS), atol=2e-2)
    again = Embedder(half, dtype="float32")
    assert {str(weight.dtype) for weight in again.model.parameters()} == {"torch.float32"}


def test_they_can_be_tuned(stored, tmp_path):
    _, half = stored
    params = {"trains": "all", "embedder": half, "epochs": 2}
    served = fit_and_ship("encoder", params, context(), tmp_path)
    asked = rows("test").queries
    assert [answer.text for answer in served.predict(asked)] == ["sky"] * 3 + ["sea"] * 3
