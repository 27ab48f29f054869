"""Pairs of nearly equal texts among a million: MinHash signatures, cut into bands (LSH).

Broder 1997, "On the resemblance and containment of documents"; the bands are those of Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4. `datasketch` does the same with a
Python object a row and dictionaries of sets, which a million rows make too large and too slow: here
signatures are one array, and bands are sorted. Knows nothing of splits and labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHINGLE = 3
"""Characters of a shingle: a text is the set of its shingles."""
BANDS, BAND_ROWS = 16, 4
"""A pair of Jaccard similarity s shares a band with probability 1 - (1 - s⁴)¹⁶: above 0.999 at 0.8,
below 0.13 at 0.3."""
HASHES = BANDS * BAND_ROWS
AGREEING = 39
"""Hashes of a signature in which a pair agrees at the least before its texts are compared. Each one
agrees with the pair's similarity as its probability: of pairs at 0.8 one in 8,000 has fewer
(binomial), of pairs at 0.4, as texts of one mould are, one in 1,500 has as many."""
ALIKE = 0.8
"""Jaccard similarity from which two texts count as nearly the same: one letter of forty changed is
0.86, another word of ten about 0.7."""
CHARACTERS_AT_ONCE = 2**20
"""Of texts whose signatures are computed together, some 40 bytes a character; one text may have
more."""
PAIRS_AT_ONCE = 2**18
"""Whose signatures are compared together, 200 bytes each."""
SEED = 7
NEVER = (False, 0.0, -1)
Hashes = NDArray[np.uint64]


def near_pairs(
    texts: Sequence[str], apart: Sequence[int], known: int = 0
) -> list[tuple[float, int, int]]:
    """Return pairs of nearly equal texts: similarity, and the places of the two, earlier first.

    Of many texts in one band each is compared with the first and with the one before it, so that
    the work grows with the number of texts and not with its square.

    Args:
        texts: as they are compared.
        apart: a number of each text; those with different ones are never alike.
        known: how many of the first texts the others are told with, where they are alike, even if
            another one is more so.

    Returns:
        Each later text once, with the most similar one that it was compared with.
    """
    if len(texts) < 2:
        return []
    numbers = np.asarray(apart, np.uint64)
    bands, signatures = _signed(texts, numbers)
    found = [_likely(_candidates(bands[:, at]), numbers, signatures) for at in range(BANDS)]
    best: dict[int, tuple[bool, float, int]] = {}
    for pair in np.unique(np.concatenate(found)).tolist():
        first, later = divmod(pair, len(texts))
        similarity = jaccard(texts[first], texts[later])
        rank = (first < known <= later, similarity)
        if similarity >= ALIKE and rank > best.get(later, NEVER)[:2]:
            best[later] = (*rank, first)
    return [(similarity, first, later) for later, (_, similarity, first) in sorted(best.items())]


def jaccard(one: str, other: str) -> float:
    """Return the Jaccard similarity of two texts' sets of shingles."""
    if one == other:
        return 1.0
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b)


def _shingles(text: str) -> set[str]:
    padded = _padded(text)
    return {padded[at : at + SHINGLE] for at in range(len(padded) - SHINGLE + 1)}


def _padded(text: str) -> str:
    """Return a text with a blank at each end, and as long as a shingle at the least."""
    return f" {text} ".ljust(SHINGLE)


def _signed(texts: Sequence[str], apart: Hashes) -> tuple[Hashes, NDArray[np.uint8]]:
    """Return a hash of each band of each text's signature, [texts, bands], and the signatures.

    Of a signature's hashes their last eight bits are kept, [texts, hashes]: those of two that
    differ are the same once in 256 (Li and König 2010, "b-Bit Minwise Hashing").
    """
    draw = np.random.default_rng(SEED)
    factors = draw.integers(1, 2**63, HASHES, np.uint64) | np.uint64(1)
    offsets = draw.integers(0, 2**63, HASHES, np.uint64)
    found = np.empty((len(texts), BANDS), np.uint64)
    signatures = np.empty((len(texts), HASHES), np.uint8)
    for rows in _parts(texts):
        hashes, begins = _hashes([_padded(text) for text in texts[rows]])
        for band in range(BANDS):
            mixed = apart[rows].copy()
            for at in range(band * BAND_ROWS, (band + 1) * BAND_ROWS):
                # Multiply-shift hashing (Dietzfelbinger et al. 1997): its high bits are good.
                least = np.minimum.reduceat((hashes * factors[at] + offsets[at]) >> 32, begins)
                signatures[rows, at] = least.astype(np.uint8)
                mixed = (mixed ^ least) * np.uint64(0x9E3779B97F4A7C15)
                mixed ^= mixed >> np.uint64(29)
            found[rows, band] = mixed
    return found, signatures


def _parts(texts: Sequence[str]) -> Iterator[slice]:
    """Yield which texts are taken together."""
    start = size = 0
    for at, text in enumerate(texts):
        if size and size + len(text) > CHARACTERS_AT_ONCE:
            yield slice(start, at)
            start, size = at, 0
        size += len(text) + SHINGLE
    yield slice(start, len(texts))


def _hashes(texts: Sequence[str]) -> tuple[Hashes, Any]:
    """Return the hashes of all shingles of all texts, and where each text's begin."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    wide = characters.astype(np.uint64)
    count = len(wide) - SHINGLE + 1
    hashes = np.zeros(count, np.uint64)
    for at in range(SHINGLE):
        hashes = hashes * np.uint64(0x100000001B3) + wide[at : at + count]
    hashes *= np.uint64(0x9E3779B97F4A7C15)
    lengths = np.array([len(text) for text in texts])
    ends = np.cumsum(lengths)
    inside = np.ones(len(wide), bool)
    for back in range(1, SHINGLE):
        inside[ends - back] = False  # these shingles would reach into the next text
    kept = lengths - (SHINGLE - 1)
    return hashes[inside[:count]], np.concatenate([[0], np.cumsum(kept)[:-1]])


def _candidates(band: Hashes) -> NDArray[np.int64]:
    """Return pairs of texts with the same hash of one band, as first * texts + later."""
    order = np.argsort(band, kind="stable")
    ordered = band[order]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    first = order[np.flatnonzero(starts)[np.cumsum(starts) - 1]]
    later = order[~starts]
    before = order[np.flatnonzero(~starts) - 1]
    pairs: NDArray[np.int64] = np.concatenate([first[~starts], before]) * len(band)
    found: NDArray[np.int64] = pairs + np.tile(later, 2)
    return found


def _likely(
    pairs: NDArray[np.int64], apart: Hashes, signatures: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """Return the pairs that may be alike by their numbers and signatures.

    A band is shared by chance, and in texts of one mould by most: comparing all of them as texts
    would take most of an audit.
    """
    likely = []
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = pairs[start : start + PAIRS_AT_ONCE]
        first, later = np.divmod(part, len(apart))
        agreeing = np.count_nonzero(signatures[first] == signatures[later], axis=1)
        likely.append(part[(agreeing >= AGREEING) & (apart[first] == apart[later])])
    return np.concatenate(likely) if likely else pairs
