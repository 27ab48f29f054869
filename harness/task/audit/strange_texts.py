"""Inputs that are not what they should be: garbled, hidden, mixed scripts, nothing, enormous.

Knows nothing of splits and labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median

from harness.store.finding import Finding

MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]{1,3}"
)
"""What UTF-8 looks like where it was read as windows-1252 or Latin-1."""
HIDDEN = re.compile(
    "[\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)
"""Characters that nobody sees; joiners, which scripts and emoji need, are none of them."""
MIXED = re.compile("[A-Za-z][\u0400-\u04ff]|[\u0400-\u04ff][A-Za-z]")
"""Latin and Cyrillic letters side by side in one word: lookalikes are other letters to a model."""
TIMES_MEDIAN, LEAST_EXTREME = 20, 2000
"""An input is extreme from so many times the median's characters, and from so many of them."""


def is_garbled(text: str) -> bool:
    """Tell whether a text holds a replacement character, or UTF-8 that was read as another code."""
    if text.isascii():
        return False
    return "\ufffd" in text or any(_undone(match[0]) for match in MOJIBAKE.finditer(text))


def _undone(garbled: str) -> bool:
    """Tell whether some first characters of it are one character's bytes in UTF-8."""
    for code in ("cp1252", "latin-1"):
        for end in range(2, len(garbled) + 1):
            try:
                garbled[:end].encode(code).decode("utf-8")
            except UnicodeError:
                continue
            return True
    return False


def is_hidden(text: str) -> bool:
    """Tell whether a text holds characters that nobody sees."""
    return bool(HIDDEN.search(text))


def is_mixed(text: str) -> bool:
    """Tell whether a word of a text mixes Latin and Cyrillic letters."""
    return not text.isascii() and bool(MIXED.search(text))


def _is_wordless(text: str) -> bool:
    """Tell whether a text holds no letter and no digit; most begin with one."""
    return not text[:1].isalnum() and not any(map(str.isalnum, text))


def strange_texts(split: str, ids: Sequence[str], texts: Sequence[str]) -> Iterator[Finding]:
    """Yield what is strange about the inputs of a split.

    Args:
        split: its name.
        ids: of its rows.
        texts: their inputs.
    """
    usual = median(map(len, texts)) if texts else 0
    most = max(TIMES_MEDIAN * usual, LEAST_EXTREME)
    checks = (
        ("garbled characters", "warning", is_garbled, "hold characters that were read in a wrong"
         " encoding (such as 'Ã©' for 'é', or '\ufffd')", "read the source again in its own"
         " encoding"),
        ("hidden characters", "note", is_hidden, "hold control or zero-width characters",
         "take them out"),
        ("mixed scripts", "note", is_mixed, "mix Latin and Cyrillic letters in a word",
         "write each word in one script"),
        ("inputs without words", "note", _is_wordless,
         "hold no letter and no digit", "leave them out if they are no inputs"),
        ("extreme inputs", "note", lambda text: len(text) > most,
         f"are longer than {most:,.0f} characters, where half are shorter than {usual:,.0f}",
         "look whether they are one input each"),
    )  # fmt: skip
    for kind, severity, holds, what, remedy in checks:
        found = [row for row, text in zip(ids, texts, strict=True) if holds(text)]
        if found:
            said = f"{len(found)} of {len(texts)} {split} inputs {what} ({', '.join(found[:5])})"
            yield Finding.of(kind, said, found, severity=severity, remedy=remedy)
