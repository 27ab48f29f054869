"""Search by meaning: an index of vectors (FAISS), exact if that is quick enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from harness.retrieval.embedder import Vectors

Kind = Literal["exact", "hnsw", "ivf"]
Found = tuple[NDArray[np.int64], NDArray[np.float32]]

EXACT_UP_TO = 100_000
"""One core compares so many vectors of 384 dimensions with a query in about 10 ms."""
HNSW_UP_TO = 300_000
"""A graph is built by searching it: one core did not finish a graph of a million in 50 minutes. An
inverted file of a million takes minutes, and a quarter of the memory."""
LINKS = 32
"""Neighbours that a vector is linked with (FAISS: 32 for 384 to 768 dimensions)."""
CONSTRUCTION_BREADTH, SEARCH_BREADTH = 200, 128
PROBED_SHARE = 1 / 32
"""Share of the lists of an inverted file that a query searches."""
TRAINED_ON = 64
"""Vectors from which the centre of a list is learnt. FAISS wants at least 39 and takes up to 256,
which is no better and four times the work."""
QUANTISER_TRAINED_ON = 100_000
"""Vectors from which the rounding to 8 bits is learnt (FAISS)."""
GROWN_LISTS = 1.44
"""Average capacity of a list that grows by doubling, relative to its length: 1/ln 2."""


def kind_for(n: int) -> Kind:
    """Return the kind of index for so many vectors."""
    return "exact" if n <= EXACT_UP_TO else "hnsw" if n <= HNSW_UP_TO else "ivf"


def index_bytes(n: int, dimensions: int, kind: Kind) -> int:
    """Return the memory that an index of so many vectors takes.

    FAISS keeps 4 bytes a dimension; a graph adds two times LINKS neighbours of 4 bytes a vector;
    an inverted file keeps 1 byte a dimension (8-bit scalar quantisation), an 8-byte id and an
    8-byte place by which a vector is found again, and the centre of each list
    (https://github.com/facebookresearch/faiss/wiki/Faiss-indexes).
    """
    if kind == "ivf":
        return n * (dimensions + 16) + _lists(n) * 4 * dimensions
    return n * (4 * dimensions + (2 * LINKS * 4 if kind == "hnsw" else 0))


def building_bytes(n: int, dimensions: int, kind: Kind) -> int:
    """Return the memory that building an index of so many vectors takes beside the index.

    That is the vectors themselves and, for an inverted file, the largest of three: a copy of the
    vectors from which its centres are learnt; a copy of those for its rounding, with their
    residuals; the capacity of its lists at the end.
    """
    vectors = n * 4 * dimensions
    if kind != "ivf":
        return vectors
    centres, rounding = (
        4 * dimensions * (count if count < n else 0)
        for count in (TRAINED_ON * _lists(n), QUANTISER_TRAINED_ON)
    )
    rounding += 4 * dimensions * min(n, QUANTISER_TRAINED_ON)
    index = index_bytes(n, dimensions, kind)
    return vectors + max(centres, rounding, int(GROWN_LISTS * index)) - index


class VectorIndex:
    """Vectors of length one, searched by cosine.

    Args:
        index: a FAISS index, its vectors in it.
        kind: what it is.
    """

    def __init__(self, index: Any, kind: Kind):
        self.index = index
        self.kind = kind

    @classmethod
    def build(cls, vectors: Vectors, kind: Kind | None = None) -> VectorIndex:
        """Index vectors, [n, dimensions]; the kind is chosen by their number if None."""
        import faiss

        n, dimensions = vectors.shape
        kind = kind or kind_for(n)
        inner = faiss.METRIC_INNER_PRODUCT
        index: Any
        if kind == "exact":
            index = faiss.IndexFlatIP(dimensions)
        elif kind == "hnsw":
            index = faiss.IndexHNSWFlat(dimensions, LINKS, inner)
            index.hnsw.efConstruction = CONSTRUCTION_BREADTH
            index.hnsw.efSearch = SEARCH_BREADTH
        else:
            lists = _lists(n)
            index = faiss.index_factory(dimensions, f"IVF{lists},SQ8", inner)
            index.cp.max_points_per_centroid = TRAINED_ON
            index.train(vectors)
            index.nprobe = max(1, int(lists * PROBED_SHARE))
            index.make_direct_map()
        index.add(vectors)
        return cls(index, kind)

    @property
    def n(self) -> int:
        """Number of vectors."""
        return int(self.index.ntotal)

    def search(self, queries: Vectors, k: int, allowed: NDArray[np.bool_] | None = None) -> Found:
        """Find the nearest vectors of each query.

        Args:
            queries: [q, dimensions], of length one.
            k: how many.
            allowed: [n] of bool; only these are searched, and always exactly: a walk through a
                graph of forbidden vectors can miss the few allowed ones.

        Returns:
            Places and cosines, each [q, min(k, number allowed)], the nearest first. An index that
            is not exact may find fewer: the place is then -1.
        """
        k = min(k, self.n if allowed is None else int(allowed.sum()))
        if not k:
            return np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32)
        if allowed is None:
            cosines, places = self.index.search(queries, k)
        else:
            cosines, places = self._search_all(queries, k, allowed)
        return places, cosines

    def _search_all(self, queries: Vectors, k: int, allowed: NDArray[np.bool_]) -> Any:
        """Compare queries with every allowed vector, without a copy of them."""
        import faiss

        untyped: Any = faiss  # its stubs lack the keywords of its constructors
        chosen = untyped.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if self.kind == "ivf":
            every = untyped.SearchParametersIVF(sel=chosen, nprobe=self.index.nlist)
            return self.index.search(queries, k, params=every)
        vectors = self.index.storage if self.kind == "hnsw" else self.index
        return vectors.search(queries, k, params=untyped.SearchParameters(sel=chosen))

    def cosines(self, query: Vectors, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosine of a query, [dimensions], with each of the vectors at `places`."""
        return np.asarray(self.index.reconstruct_batch(places) @ query, dtype=np.float32)

    def save(self, path: Path) -> None:
        """Write the index to a file."""
        import faiss

        faiss.write_index(self.index, str(path))

    @classmethod
    def load(cls, path: Path) -> VectorIndex:
        """Read an index."""
        import faiss

        index = faiss.read_index(str(path))
        kinds: dict[type, Kind] = {faiss.IndexFlatIP: "exact", faiss.IndexHNSWFlat: "hnsw"}
        return cls(index, kinds.get(type(index), "ivf"))


def _lists(n: int) -> int:
    """Return how many lists an inverted file of so many vectors has (FAISS: 4√n and more)."""
    return int(4 * n**0.5)
