"""Runs of words of a text: what an answer that is copied from it may be.

A run begins and ends where a word does and stays within a line. Knows nothing of tokens, grammars
or why an answer is copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

_WITHOUT_SPACES = "ぁ-ヿ㐀-䶿一-鿿豈-﫿가-힯\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
"""Chinese, Japanese, Thai, Lao, Burmese and Khmer; and Korean, whose words take endings."""
_MARKS = "\u0300-\u036f\u0591-\u05bd\u064b-\u065f\u0900-\u0dff\u200c\u200d"
"""Marks that belong to the letter before them, among them whole scripts of India."""
_WORD = rf"(?:(?![{_WITHOUT_SPACES}])[\w{_MARKS}])+"
_CHUNK = re.compile(rf"[{_WITHOUT_SPACES}]|{_WORD}|\s|.")


def lines(text: str) -> Iterator[str]:
    """Yield the lines of a text that hold anything, each run of blanks as one space."""
    for line in text.splitlines():
        if plain := " ".join(line.split()):
            yield plain


def chunks(line: str) -> list[str]:
    """Return a line in the pieces that no run of words cuts; together they are the line.

    A word is one; each blank and each sign is one; in scripts without spaces each character is.
    """
    return _CHUNK.findall(line)


def holds(text: str, run: str) -> bool:
    """Tell whether a text holds a run of words, whatever the blanks between them."""
    wanted = " ".join(run.split())
    return bool(wanted) and any(_line_holds(line, wanted) for line in lines(text))


def _line_holds(line: str, wanted: str) -> bool:
    at = line.find(wanted)
    if at < 0:
        return False
    ends = set(accumulate(map(len, chunks(line)), initial=0))
    while at >= 0:
        if at in ends and at + len(wanted) in ends:
            return True
        at = line.find(wanted, at + 1)
    return False
