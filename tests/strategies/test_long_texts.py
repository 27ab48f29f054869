"""What is too long for an embedding model is noted by every strategy that embeds."""

from __future__ import annotations

import pytest
from small_world import context, fit_and_ship, write_embedder

from harness.types import Query


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    return write_embedder(tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize(
    ("name", "kind", "named"),
    [
        ("nearest", "choice", "texts"),
        ("encoder", "choice", "texts"),
        ("retrieve", "text", "queries"),
    ],
)
def test_queries_that_fill_the_window_are_noted(name, kind, named, embedder, tmp_path):
    notes = []
    world = context(kind=kind, notes=notes)
    served = fit_and_ship(name, {"embedder": embedder}, world, tmp_path)
    assert not [text for kind, text in notes if kind == "embedding"]
    served.predict([Query("1", "cloud " * 99), Query("2", "fish"), Query("3", "bird " * 99)])
    (said,) = [text for kind, text in notes if kind == "embedding"]
    assert said.startswith(f"2 of 3 {named} fill the 64 tokens")
