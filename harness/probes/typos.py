"""Slips of the finger: a neighbouring key, or two letters the wrong way round.

After Pruthi et al. 2019 (arXiv 1905.11268): only letters inside a word of at least four are hit,
since people rarely miss the first and the last.
"""

from __future__ import annotations

import random
import re

RATE = 0.2
"""Share of the long words that get one typo each: heavy, but still easily read by people."""
SHORTEST = 4
"""Letters below which a word is left alone."""
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_WORD = re.compile(r"[^\W\d_]+")


def neighbours(letter: str) -> str:
    """Return the keys beside a small letter on its row of a QWERTY keyboard; "" for others."""
    for row in ROWS:
        place = row.find(letter)
        if place >= 0:
            return row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    return ""


def with_typos(text: str, draw: random.Random, rate: float = RATE) -> str:
    """Return the text with typos.

    Args:
        text: any text.
        draw: decides which words are hit, and how.
        rate: probability with which a word of at least SHORTEST letters gets a typo.
    """

    def hit(match: re.Match[str]) -> str:
        word = match[0]
        if len(word) < SHORTEST or draw.random() >= rate:
            return word
        return _slipped(word, draw)

    return _WORD.sub(hit, text)


def _slipped(word: str, draw: random.Random) -> str:
    """Replace an inner letter by its neighbour, or swap it with the next inner one."""
    place = draw.randrange(1, len(word) - 2)
    beside = neighbours(word[place].lower())
    if beside and draw.random() < 0.5:
        letter = draw.choice(beside)
        letter = letter.upper() if word[place].isupper() else letter
        return word[:place] + letter + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]
