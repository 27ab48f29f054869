"""The encoding of a text file: named by the task, by the file's first bytes, or found by a rule.

The rule, in this order: a byte order mark; zeros at every other place, which only UTF-16 has in a
text; UTF-8; windows-1252, where it is a text in it. No byte is ever replaced: what no rule fits is
refused with its line.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""First bytes and the codec that reads them and what follows; longer marks come first."""
FIRST = 4096
"""Bytes in which zeros are counted."""
OLD = "windows-1252"
"""What Excel and older Windows programs of Western Europe and America write."""
NAME_IT = "save it as UTF-8, or name its encoding, e.g. `read: {encoding: gb18030}` under `data`"


class EncodingFault(NamedTuple):
    """Why bytes are no text that can be read, with the line, and what to do."""

    line: int
    what: str
    fix: str


class Decoded(NamedTuple):
    """A text, and its encoding where nobody named it and it is not UTF-8."""

    text: str
    found: str | None


def decoded(content: bytes, named: str | None) -> Decoded | EncodingFault:
    """Return the text of a file.

    Args:
        content: all its bytes.
        named: the encoding that the task gives; a byte order mark in the file goes before it.
    """
    marked = next((codec for mark, codec in MARKS.items() if content.startswith(mark)), None)
    codec = marked or named or _wide(content) or "utf-8"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as problem:
        if codec != "utf-8" or named:
            what = f"is not {codec.removesuffix('-sig').upper()} ({problem.reason})"
            return EncodingFault(_line(content, problem.start), what, NAME_IT)
        return _old(content, problem)
    wide = codec if codec.startswith(("utf-16", "utf-32")) and not named else None
    return Decoded(text.removeprefix("\ufeff"), wide and wide.upper())


def _line(content: bytes, at: int) -> int:
    return content.count(b"\n", 0, at) + 1


def _wide(content: bytes) -> str | None:
    """Return UTF-16's name where nearly every other byte is zero, as in its Latin texts."""
    first = content[:FIRST]
    half = len(first) // 2
    if half < 2:
        return None
    even, odd = first[::2].count(0), first[1::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else None


HIGH = re.compile(rb"[\x80-\xff]+")
NOT_PRINTED = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


def _old(content: bytes, problem: UnicodeDecodeError) -> Decoded | EncodingFault:
    """Return the text where it is one in windows-1252.

    It is none where the file is UTF-8 but for some bytes, where it holds control characters, or
    where letters beyond ASCII mostly stand side by side: in languages of Western Europe they stand
    alone, in Chinese, Japanese, Cyrillic or Greek encodings they do not.
    """
    line = _line(content, problem.start)
    loose = content.decode("utf-8", "surrogateescape")
    bad = sum("\udc80" <= letter <= "\udcff" for letter in loose)
    good = sum(letter > "\x7f" for letter in loose) - bad
    if good >= bad:
        what = f"is not UTF-8 text ({problem.reason}), and is so elsewhere"
        return EncodingFault(line, what, "save it as UTF-8")
    runs = [len(run) for run in HIGH.findall(content)]
    together = sum(length for length in runs if length > 1)
    if NOT_PRINTED.search(content) or together > sum(runs) / 2:
        return EncodingFault(line, f"is neither UTF-8 text ({problem.reason}) nor {OLD}", NAME_IT)
    try:
        return Decoded(content.decode("cp1252"), OLD)
    except UnicodeDecodeError:
        return EncodingFault(line, f"is neither UTF-8 text ({problem.reason}) nor {OLD}", NAME_IT)
