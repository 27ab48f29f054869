"""TF-IDF on inputs without words: character n-grams hold all there is."""

import pytest
import small_world

from harness import Example, Query, Split
from harness.errors import StrategyError
from strategies.tfidf import TfIdf

EMOJI = ["\U0001f600", "\U0001f621", "\U0001f44d", "\U0001f44e"]


def rows(name, texts):
    """Each text in turn; the first half of them is labelled "a"."""
    half = len(texts) // 2
    return Split(
        name,
        tuple(
            Example(Query(f"{name}{n}", text), ("ab"[place >= half],))
            for n, (place, text) in enumerate([*enumerate(texts)] * 5)
        ),
    )


def answered(folder, train, test, notes=None, **params):
    folder.mkdir()
    given = TfIdf.Params(**params)
    TfIdf(given, small_world.context(notes=notes)).fit(train, Split("validation", ()), folder)
    fresh = TfIdf(given, small_world.context())
    fresh.load(folder)
    return fresh.predict(test.queries)


@pytest.mark.parametrize(
    "texts",
    [
        [*"abcdefgh"],
        EMOJI,
        [f"{one} {one}" for one in EMOJI],
        ["!", "?", "...", "-"],
        [*"12345678"],
        [*"\u597d\u574f\u662f\u975e"],
        ["a b", "b c", "x y", "y z"],
    ],
)
def test_inputs_without_a_word_of_two_letters_are_told_apart(tmp_path, texts):
    train, test = rows("train", texts), rows("test", texts)
    found = answered(tmp_path / "artifact", train, test)
    assert [one.text for one in found] == [example.targets[0] for example in test]


def test_that_there_are_no_words_is_noted(tmp_path):
    notes = []
    answered(tmp_path / "artifact", rows("train", EMOJI), rows("test", EMOJI), notes)
    assert ("features", "no training row has a word of two letters") in notes


@pytest.mark.parametrize("text", ["", " ", "\n", "never seen", "\u2603"])
def test_an_input_without_known_features_gets_an_answer(tmp_path, text):
    test = Split("test", (Example(Query("q", text), ("a",)),))
    (found,) = answered(tmp_path / "artifact", rows("train", [*"abcd"]), test)
    assert found.text in "ab"


def test_without_words_and_character_ngrams_the_remedy_is_told(tmp_path):
    train = rows("train", EMOJI)
    with pytest.raises(StrategyError, match="→ write character_ngrams: true"):
        answered(tmp_path / "artifact", train, train, character_ngrams=False)
