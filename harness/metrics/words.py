"""Where words begin and end, in any script, for metrics that compare words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Letters of scripts that set no spaces between words: Thai, Lao, Tibetan, Burmese, Khmer, kana and
Chinese characters. Without a dictionary a word cannot be told there, so a character stands for it.
"""
_PUNCTUATION = re.compile(
    "[\u3001-\u3004\u3008-\u3020\u30fb\uff01-\uff0f\uff1a-\uff20\uff61-\uff65]"
)
"""What stands between them."""


class _Table(dict[int, str]):
    """What `str.translate` puts in a character's place, found where it is first met.

    Asked for each character anew, a long answer in Chinese took seconds.
    """

    MOST = 20_000
    """Characters that are kept: more than any language writes with."""

    def __init__(self, form: Callable[[str], str]):
        super().__init__()
        self.form = form

    def __missing__(self, point: int) -> str:
        """Return what stands for a character that was not met before."""
        form = self.form(chr(point))
        if len(self) < self.MOST:
            self[point] = form
        return form


def _apart(character: str) -> str:
    if _PUNCTUATION.match(character):
        return " "
    return f" {character} " if _UNSPACED.match(character) else character


_SPACES = _Table(_apart)


def spaced(text: str) -> str:
    """Return a text with spaces around each letter of a script that sets none."""
    return text if text.isascii() else text.translate(_SPACES)


_KIN = str.maketrans(
    {
        **dict.fromkeys("−‐‑‒–—―﹣", "-"),
        **dict.fromkeys("“”„‟«»〝〞「」『』", '"'),
        **dict.fromkeys("‘’‚‛‹›′", "'"),
        **dict.fromkeys("。｡．", "."),
        **dict.fromkeys("、，､", ","),
        "…": ".",
        "·": " ",
        "・": " ",
        "\u00a0": " ",
        "\u202f": " ",
        "\u3000": " ",
        **{chr(0xFF01 + n): chr(0x21 + n) for n in range(94)},
    }
)
"""Marks and full-width forms outside ASCII to their ASCII kin; the forms are U+FF01 to U+FF5E."""


def with_ascii_marks(text: str) -> str:
    """Return a text whose dashes, quotes, stops and full-width forms are those of ASCII."""
    return text if text.isascii() else text.translate(_KIN)


_LETTER = "w"
_KINDS = _Table(
    lambda it: _LETTER if (it == "_" or _in_word(it)) and not _UNSPACED.match(it) else " "
)


def letters_of(text: str) -> str:
    """Return a text of the same length that has "w" for each character that joins its neighbours.

    Two neighbours with "w" are of one word. A letter of a script that sets no spaces is none of
    them: it begins and ends words as it likes.
    """
    return text.translate(_KINDS)


def cuts_no_word(letters: str, begin: int, end: int) -> bool:
    """Tell whether a part of a text begins and ends where words do.

    Args:
        letters: of the text, as `letters_of` has it.
        begin: of the part.
        end: of the part, behind its last character.
    """
    before, behind = letters[max(begin - 1, 0) : begin + 1], letters[end - 1 : end + 1]
    return _LETTER * 2 not in (before, behind)


class WordTokenizer:
    """Cuts texts as rouge-score does by default, but keeps the letters of all scripts.

    rouge-score keeps a to z and 0 to 9 alone. On ASCII the two are the same.
    """

    def tokenize(self, text: str) -> list[str]:
        """Return a text's words in lower case: runs of letters, digits and their marks."""
        kept = spaced(unicodedata.normalize("NFC", text).lower())
        return kept.translate(_WORDS).split()


def _in_word(character: str) -> bool:
    """Tell whether a character is part of a word: marks are the vowels of many scripts."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


_WORDS = _Table(lambda character: character if _in_word(character) else " ")
