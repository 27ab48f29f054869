"""The general probe: well-formed, balanced, without repetitions."""

from __future__ import annotations

from collections import Counter

from harness.probes import general_knowledge as probe

PASSAGES = [item for item in probe.items() if "bytes" in item]
QUESTIONS = [item for item in probe.items() if "right" in item]


def test_there_are_enough_of_each_kind():
    assert len(PASSAGES) + len(QUESTIONS) == len(probe.items())
    assert Counter(item["kind"] for item in PASSAGES) == dict.fromkeys(probe.OPENINGS, 9)
    assert len(probe.OPENINGS) == 7
    assert Counter(item["kind"] for item in QUESTIONS) == dict.fromkeys(
        ("geography", "nature", "science", "arithmetic", "language", "everyday"), 10
    )


def test_the_right_answers_are_spread_evenly_over_the_four_places():
    assert Counter(item["right"] for item in QUESTIONS) == dict.fromkeys(range(4), 15)


def test_nothing_stands_twice():
    ids = [item["id"] for item in probe.items()]
    texts = [item["completions"][0] for item in PASSAGES] + [item["prompt"] for item in QUESTIONS]
    assert len(set(ids)) == len(ids)
    assert len({text.lower() for text in texts}) == len(texts)


def test_passages_are_short_and_plain():
    for item in PASSAGES:
        [text] = item["completions"]
        assert item["bytes"] == len(text.encode())
        assert 60 <= item["bytes"] <= 400, item["id"]
        assert text == text.strip()
        assert text.isascii(), item["id"]


def test_options_can_be_told_apart_and_are_of_like_length():
    for item in QUESTIONS:
        options = item["completions"]
        assert len(set(options)) == 4
        for option in options:
            # One that another begins with would be the likelier one, whatever is right.
            others = [other for other in options if other != option]
            assert not any(other.startswith(option) for other in others), item["id"]
        assert max(map(len, options)) <= 5 * min(map(len, options)), item["id"]


def test_the_right_option_is_neither_the_longest_nor_the_shortest_as_a_rule():
    """Whoever guessed by length would not do much better than by chance."""
    longest = shortest = 0
    for item in QUESTIONS:
        lengths = [len(option) for option in item["completions"]]
        right = lengths[item["right"]]
        longest += right == max(lengths) and lengths.count(right) == 1
        shortest += right == min(lengths) and lengths.count(right) == 1
    assert longest <= 25
    assert shortest <= 25
