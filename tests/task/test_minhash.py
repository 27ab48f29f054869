"""MinHash: what it calls alike is what a comparison of all pairs calls alike."""

import random
from itertools import combinations

from harness.task.audit import minhash
from harness.task.audit.minhash import ALIKE, jaccard, near_pairs

WORDS = ["card", "arrive", "week", "transfer", "change", "address", "money", "cash", "limit", "fee"]


def varied(n, seed=0):
    """Texts of random words, and of every one a copy with one letter changed."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        text = " ".join(draw.choices(WORDS, k=10))
        at = draw.randrange(len(text))
        found += [text, f"{text[:at]}q{text[at + 1 :]}"]
    return found


def test_a_comparison_of_all_pairs_finds_no_more():
    texts = varied(150)
    exact = {
        b for a, b in combinations(range(len(texts)), 2) if jaccard(texts[a], texts[b]) >= ALIKE
    }
    found = {later for _, _, later in near_pairs(texts, [0] * len(texts))}
    assert found <= exact
    assert len(found) >= 0.99 * len(exact) > 100


def test_what_is_kept_apart_is_never_alike():
    assert near_pairs(["one and the same"] * 2, [0, 1]) == []
    assert near_pairs(["one and the same"] * 2, [1, 1]) == [(1.0, 0, 1)]


def test_texts_are_told_with_those_that_are_known_even_where_others_are_more_alike():
    one = "please pay the yearly fee of my new card before the end of this week"
    texts = [one, one.replace("fee", "fei"), one.replace("fee", "fei").replace("week", "weak")]
    assert [first for _, first, _ in near_pairs(texts, [0] * 3)] == [0, 1]
    assert [first for _, first, _ in near_pairs(texts, [0] * 3, known=1)] == [0, 0]


def test_where_texts_are_cut_into_parts_changes_nothing(monkeypatch):
    texts = varied(40)
    whole = near_pairs(texts, [0] * len(texts))
    monkeypatch.setattr(minhash, "CHARACTERS_AT_ONCE", 100)
    assert near_pairs(texts, [0] * len(texts)) == whole != []


def test_short_texts_and_none():
    assert near_pairs([], []) == near_pairs(["a"], [0]) == []
    assert near_pairs(["", "a", "\U0001f600", "\ud800"], [0] * 4) == []
    assert jaccard("ab", "cd") == 0.0


def test_a_thousand_equal_texts_are_a_thousand_comparisons():
    assert len(near_pairs(["the same text again"] * 1000, [0] * 1000)) == 999


def test_texts_of_one_mould_are_not_all_compared(monkeypatch):
    """They share bands by chance, about one in three pairs does; what is near is still found."""
    draw = random.Random(0)
    texts = [" ".join(f"word{draw.randrange(3000)}" for _ in range(12)) for _ in range(400)]
    texts.append(f"{texts[7]}x")
    compared = []

    def counted(one: str, other: str) -> float:
        compared.append((one, other))
        return jaccard(one, other)

    monkeypatch.setattr(minhash, "jaccard", counted)
    assert [(first, later) for _, first, later in near_pairs(texts, [0] * 401)] == [(7, 400)]
    assert len(compared) < 40
