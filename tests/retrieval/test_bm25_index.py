"""Search by words: rare words count most, unknown ones nothing; what is saved is the same."""

import math

import numpy as np
import pytest

from harness.retrieval.bm25_index import BM25Index, words_of

TEXTS = ["the bike has a bolt", "the bike has a bell", "the shop has a bike", "字 and สวัสดี", "👍"]


def test_words_are_lower_case_runs_and_single_characters_of_scripts_without_spaces():
    assert words_of("The R-26's BÄR_3!") == ["the", "r", "26", "s", "bär", "3"]
    assert words_of("字典 ร가") == ["字", "典", "ร", "가"]
    assert words_of("👍 …") == []


def test_a_rare_word_beats_a_common_one():
    scores = BM25Index.build(TEXTS).scores("bike bolt")
    assert scores.argmax() == 0
    assert scores[0] > 2 * scores[1] > 0
    assert scores[3:].tolist() == [0, 0]


def test_the_score_is_that_of_lucene():
    # Two texts of two words, the average length: ln(1 + (2 − 1 + 0.5) / (1 + 0.5)) · 1 / (1 + 1.5).
    scores = BM25Index.build(["red bolt", "red bell"]).scores("bolt")
    assert scores.tolist() == pytest.approx([math.log(2) / 2.5, 0])


@pytest.mark.parametrize("query", ["unknown", "", "👍", "  "])
def test_unknown_words_give_zeros(query):
    assert BM25Index.build(TEXTS).scores(query).tolist() == [0] * 5


def test_scripts_without_spaces_are_found_by_their_characters():
    assert BM25Index.build(TEXTS).scores("字").argmax() == 3


def test_texts_without_any_word_are_found_by_none():
    index = BM25Index.build(["👍", "…"])
    assert index.scores("👍 thumbs").tolist() == [0, 0]


@pytest.mark.parametrize("texts", [TEXTS, ["👍"]])
def test_a_saved_index_gives_the_same_scores(tmp_path, texts):
    index = BM25Index.build(texts)
    index.save(tmp_path / "words")
    loaded = BM25Index.load(tmp_path / "words")
    for query in ("the bike bolt", "字", "unknown"):
        assert np.array_equal(loaded.scores(query), index.scores(query))
