"""Perturbed texts: what may change, what may not, and always the same under one seed."""

from __future__ import annotations

import random
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.probes import perturbations as perturb
from harness.probes.noise import SENTENCES, with_noise
from harness.probes.typos import RATE, SHORTEST, neighbours, with_typos
from harness.types import Query, TaskInfo

TEXTS = st.text(max_size=200)
SEEDS = st.integers(0, 2**32)
WORD = re.compile(r"[^\W\d_]+")


def typed(text, seed, rate=RATE):
    return with_typos(text, random.Random(seed), rate)


@given(TEXTS, SEEDS)
def test_typos_leave_length_spaces_digits_and_short_words(text, seed):
    after = typed(text, seed, rate=1.0)
    assert len(after) == len(text)
    assert WORD.sub("", after) == WORD.sub("", text)
    for was, now in zip(WORD.findall(text), WORD.findall(after), strict=True):
        if len(was) < SHORTEST:
            assert now == was
        else:
            assert (now[0], now[-1]) == (was[0], was[-1])


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=SHORTEST, max_size=20), SEEDS)
def test_a_typo_is_one_neighbouring_key_or_one_swap(word, seed):
    after = typed(word, seed, rate=1.0)
    different = [place for place in range(len(word)) if word[place] != after[place]]
    if len(different) == 1:
        [place] = different
        assert after[place] in neighbours(word[place])
    elif different:
        first, second = different
        assert second == first + 1
        assert (after[first], after[second]) == (word[second], word[first])


def test_as_many_words_are_hit_as_the_rate_says():
    words = ["abcdefgh"] * 5000
    after = typed(" ".join(words), 0).split()
    hit = sum(was != now for was, now in zip(words, after, strict=True))
    assert abs(hit / len(words) - RATE) < 0.03


def test_the_keys_beside_are_those_of_a_keyboard():
    assert {letter: neighbours(letter) for letter in "qapmgñ7"} == {
        "q": "w", "a": "s", "p": "o", "m": "n", "g": "fh", "ñ": "", "7": "",
    }  # fmt: skip
    assert typed("GGGGGG", 3, rate=1.0) in {"GGGGGG"} | {
        "GGGGGG"[:place] + key + "GGGGGG"[place + 1 :] for place in range(1, 5) for key in "FH"
    }


@given(TEXTS)
def test_no_rate_no_typo(text):
    assert typed(text, 0, rate=0.0) == text


@given(TEXTS, SEEDS)
def test_noise_stands_after_the_text_and_is_one_of_the_sentences(text, seed):
    after = with_noise(text, random.Random(seed))
    assert any(after == f"{text} {sentence}".lstrip() for sentence in SENTENCES)


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_row_is_perturbed_alike_whatever_stands_beside_it(texts, order):
    queries = [
        Query(f"q{n}", text, {"seen": text}, groups=("staff",)) for n, text in enumerate(texts)
    ]
    all_of_them = list(perturb.perturbed(queries))
    shuffled = list(queries)
    order.shuffle(shuffled)
    again = {(name, query.id): query for name, query in perturb.perturbed(shuffled)}
    assert len(again) == len(all_of_them)
    own = {query.id: query for query in queries}
    for name, query in all_of_them:
        assert again[name, query.id] == query
        was = own[query.id]
        assert query.text != was.text
        assert (query.fields, query.groups) == (was.fields, was.groups)
        if name in ("lower case", "upper case"):
            assert query.text in (was.text.lower(), was.text.upper())


def test_the_sample_is_seeded_and_keeps_the_order():
    queries = [Query(str(n), "text") for n in range(200)]
    chosen = perturb.sample(queries)
    assert len(chosen) == perturb.SAMPLE_ROWS
    assert chosen == perturb.sample(queries)
    assert [int(query.id) for query in chosen] == sorted(int(query.id) for query in chosen)
    assert perturb.sample(queries[:7]) == queries[:7]


def test_reordered_labels_are_the_same_ones_from_the_last_to_the_first():
    facts = TaskInfo("t", "Which?", "choice", {"a": "first", "b": "second", "c": "third"})
    other = perturb.reordered(facts)
    assert list(other.labels.items()) == [("c", "third"), ("b", "second"), ("a", "first")]
    assert perturb.reordered(other) == facts
    assert list(perturb.reordered(other).labels) == list(facts.labels)
