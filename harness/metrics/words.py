"""Where words begin and end, in any script, for metrics that compare words."""

from __future__ import annotations

import re
import unicodedata

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


def spaced(text: str) -> str:
    """Return a text with spaces around each letter of a script that sets none."""
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", _PUNCTUATION.sub(" ", text))


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


def joined(left: str, right: str) -> bool:
    """Tell whether two neighbouring characters are of one word.

    A letter of a script that sets no spaces begins and ends words as it likes.
    """
    if _UNSPACED.match(left) or _UNSPACED.match(right):
        return False
    return all(character == "_" or _in_word(character) for character in (left, right))


class WordTokenizer:
    """Cuts texts as rouge-score does by default, but keeps the letters of all scripts.

    rouge-score keeps a to z and 0 to 9 alone. On ASCII the two are the same.
    """

    def tokenize(self, text: str) -> list[str]:
        """Return a text's words in lower case: runs of letters, digits and their marks."""
        kept = spaced(unicodedata.normalize("NFC", text).lower())
        return "".join(character if _in_word(character) else " " for character in kept).split()


def _in_word(character: str) -> bool:
    """Tell whether a character is part of a word: marks are the vowels of many scripts."""
    return character.isalnum() or unicodedata.category(character).startswith("M")
