"""Search by meaning: exact where it says so, near enough where not, and never what is forbidden."""

import numpy as np
import pytest

from harness.retrieval.vector_index import VectorIndex, building_bytes, index_bytes, kind_for

N, DIMENSIONS = 20_000, 32


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def vectors():
    draw = np.random.default_rng(0)
    centres = draw.normal(size=(200, DIMENSIONS))
    return unit(centres[draw.integers(200, size=N)] + 0.4 * draw.normal(size=(N, DIMENSIONS)))


@pytest.fixture(scope="module")
def queries(vectors):
    draw = np.random.default_rng(1)
    return unit(vectors[draw.integers(N, size=100)] + 0.05 * draw.normal(size=(100, DIMENSIONS)))


@pytest.fixture(scope="module")
def indexes(vectors):
    return {kind: VectorIndex.build(vectors, kind) for kind in ("exact", "hnsw", "ivf")}


def nearest(queries, vectors, k):
    return np.argsort(-(queries @ vectors.T), axis=1)[:, :k]


def recall(found, right):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found, right, strict=True)])


def test_an_exact_search_is_that_of_numpy(indexes, vectors, queries):
    places, cosines = indexes["exact"].search(queries, 10)
    right = nearest(queries, vectors, 10)
    assert np.array_equal(places, right)
    assert cosines == pytest.approx(np.take_along_axis(queries @ vectors.T, right, 1), abs=1e-5)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_other_indexes_find_nine_of_ten_of_the_nearest(indexes, vectors, queries, kind):
    places, _ = indexes[kind].search(queries, 10)
    assert recall(places, nearest(queries, vectors, 10)) >= 0.9


@pytest.mark.parametrize(("kind", "least"), [("exact", 1.0), ("hnsw", 1.0), ("ivf", 0.9)])
@pytest.mark.parametrize("share", [0.0002, 0.5, 0.999])
def test_a_restricted_search_is_exact_and_finds_nothing_forbidden(
    indexes, vectors, queries, kind, least, share
):
    allowed = np.random.default_rng(2).random(N) < share
    places, _ = indexes[kind].search(queries, 10, allowed)
    k = min(10, int(allowed.sum()))
    assert places.shape == (len(queries), k)
    assert allowed[places].all()
    right = np.flatnonzero(allowed)[nearest(queries, vectors[allowed], k)]
    # The inverted file keeps 8 bits of each number: of what is nearly equal another may be first.
    assert recall(places, right) >= least


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_fewer_allowed_than_asked_for_are_all_there_is(indexes, queries, kind):
    allowed = np.zeros(N, bool)
    assert [found.shape for found in indexes[kind].search(queries, 5, allowed)] == [(100, 0)] * 2
    allowed[[3, N - 1]] = True
    assert {frozenset(row) for row in indexes[kind].search(queries, 5, allowed)[0].tolist()} == {
        frozenset([3, N - 1])
    }


def test_fewer_vectors_than_asked_for_are_all_there_is(vectors):
    index = VectorIndex.build(vectors[:3])
    assert sorted(index.search(vectors[:1], 10)[0][0].tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("kind", "within"), [("exact", 1e-6), ("hnsw", 1e-6), ("ivf", 0.02)])
def test_cosines_of_named_places(indexes, vectors, queries, kind, within):
    places = np.array([5, 17, 5])
    found = indexes[kind].cosines(queries[0], places)
    assert found == pytest.approx(vectors[places] @ queries[0], abs=within)
    assert indexes[kind].cosines(queries[0], np.array([], np.int64)).shape == (0,)


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_a_saved_index_finds_the_same(indexes, queries, kind, tmp_path):
    indexes[kind].save(tmp_path / "v.faiss")
    loaded = VectorIndex.load(tmp_path / "v.faiss")
    assert (loaded.kind, loaded.n) == (kind, N)
    allowed = np.arange(N) % 7 == 0
    for restriction in (None, allowed):
        before = indexes[kind].search(queries, 10, restriction)
        after = loaded.search(queries, 10, restriction)
        assert all(map(np.array_equal, before, after))
    assert np.array_equal(
        loaded.cosines(queries[0], np.arange(9)), indexes[kind].cosines(queries[0], np.arange(9))
    )


@pytest.mark.parametrize("kind", ["exact", "hnsw", "ivf"])
def test_the_memory_of_an_index_is_that_of_its_file(indexes, tmp_path, kind):
    indexes[kind].save(tmp_path / "v.faiss")
    size = (tmp_path / "v.faiss").stat().st_size
    assert size == pytest.approx(index_bytes(N, DIMENSIONS, kind), rel=0.05)


GROWN_BYTES = {
    20_000: 35_651_584,
    100_000: 163_573_760,
    250_000: 317_747_200,
    1_000_000: 534_462_464,
}
"""By number of vectors: growth of a process from the vectors alone to the index built."""


def test_what_stands_beside_an_index_while_it_is_built_is_what_was_measured():
    for n, grown_bytes in GROWN_BYTES.items():
        reckoned = index_bytes(n, 384, "ivf") + building_bytes(n, 384, "ivf") - n * 4 * 384
        assert reckoned == pytest.approx(grown_bytes, rel=0.15)
    for kind in ("exact", "hnsw"):
        assert building_bytes(1000, 384, kind) == 1000 * 4 * 384


def test_the_kind_follows_the_number():
    assert [kind_for(n) for n in (1, 100_000, 100_001, 300_000, 300_001)] == [
        "exact",
        "exact",
        "hnsw",
        "hnsw",
        "ivf",
    ]
