"""Cuts documents into passages: by headings first, then by length, with overlap.

Knows nothing of vectors or search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from harness.types import Document

LONGEST_HEADING = 200
"""Characters; a longer line is text: headings are repeated with every passage below them."""
_HEADING = re.compile(rf"^ {{0,3}}(#{{1,6}})\s+(\S.{{0,{LONGEST_HEADING - 1}}})$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-{2,})\s*$")
"""Below a line of text, it makes that line a heading: of the first level, or of the second."""
_BLOCK = re.compile(r"^\s*([-*+•]\s|\d+[.)]\s|\||>|```|~~~)")
"""Begins a list item, a row of a table, a quotation or code: a line of its own."""
_FENCE = re.compile(r"^\s*(`{3,}(?=[^`]*$)|~{3,})")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？][”’」』）]*|\n+")
_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯฀-๿]|[^\s぀-ヿ㐀-䶿一-鿿가-힯฀-๿]{1,40}")
"""What counts as a word: a run without spaces, of which 40 characters at most; each character of
the scripts that write none (Chinese, Japanese, Thai), and of Korean, whose words are short."""


class _Piece(NamedTuple):
    """A sentence, or a part of one that is too long."""

    text: str
    words: int
    breaks: bool
    """It begins a line of its own."""


@dataclass(frozen=True)
class Passage:
    """A stretch of a document that is found and shown as one."""

    document_id: str
    title: str
    heading: str
    """The headings it stands under, joined by " › "; "" where there is none."""
    text: str
    allow: tuple[str, ...] | None = None
    """As the document's."""

    @property
    def headed_text(self) -> str:
        """The text under its title and headings: what is embedded, searched and shown."""
        above = [self.title] if self.title else []
        above += [part for part in self.heading.split(" › ") if part and part != self.title]
        return "\n".join([*([" › ".join(above)] if above else []), self.text])


def cut(documents: Sequence[Document], words: int, overlap_words: int) -> list[Passage]:
    """Cut documents into passages of whole sentences.

    Args:
        documents: in order.
        words: the most words in a passage; only a single sentence that is longer is cut inside.
        overlap_words: a passage repeats the last sentences of the one before it, as far as these
            have no more words than this.

    Returns:
        The passages, in the documents' order. A document without text gives none.
    """
    return [
        Passage(document.id, document.title, heading, text, document.allow)
        for document in documents
        for heading, body in _sections(document.text)
        for text in _windows(body, words, overlap_words)
    ]


def count_words(text: str) -> int:
    """Count the words of a text, as passages are measured."""
    return sum(1 for _ in _WORD.finditer(text))


def sentences(text: str) -> list[str]:
    """Return a text's sentences and list items, without the space around them."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    parts = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return [part for part in parts if part]


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield (path of headings, text below) of a Markdown text; any other text is one section.

    A heading with neither text nor headings below it is the text of the section that it is in.
    """
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        fence = _fence_after(line, fence)
        heading = None if fence else _heading(line, lines)
        if heading is None:
            lines.append(line)
            continue
        level, name = heading
        yield _section(path, lines, deeper=bool(path) and level > path[-1][0])
        lines = []
        path = [*(above for above in path if above[0] < level), (level, name)]
    yield _section(path, lines, deeper=False)


def _heading(line: str, before: list[str]) -> tuple[int, str] | None:
    """Return level and name of a heading that ends with a line, if one does.

    Of an underlined one the name is taken off the lines before it: it must stand by itself.
    """
    if found := _HEADING.match(line):
        return len(found[1]), _name(found[2])
    underline = _UNDERLINE.match(line)
    name = before[-1].strip() if before else ""
    alone = not "".join(before[-2:-1]).strip()
    if not (underline and name and alone) or _BLOCK.match(name) or len(name) > LONGEST_HEADING:
        return None
    before.pop()
    return 1 if underline[1].startswith("=") else 2, name


def _section(
    path: Sequence[tuple[int, str]], lines: Sequence[str], *, deeper: bool
) -> tuple[str, str]:
    names, body = [name for _, name in path], "\n".join(lines)
    if names and not deeper and not body.strip():
        body = names.pop()
    return " › ".join(names), body


def _fence_after(line: str, fence: str) -> str:
    """Return the marks that the code at the end of a line is fenced with; "" where it is none."""
    found = _FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and found[1] == line.strip() else fence


def _name(heading: str) -> str:
    """Return a heading without the marks that may close it: "C# ##" is "C#"."""
    bare = heading.rstrip().rstrip("#")
    return bare.rstrip() if bare.endswith((" ", "\t")) else heading.rstrip()


def _windows(text: str, words: int, overlap_words: int) -> Iterator[str]:
    kept: list[_Piece] = []
    fresh = False
    for piece in _pieces(text, words):
        if fresh and sum(one.words for one in kept) + piece.words > words:
            yield _joined(kept)
            kept, fresh = _tail(kept, min(overlap_words, words - piece.words)), False
        kept.append(piece)
        fresh = True
    if fresh:
        yield _joined(kept)


def _joined(pieces: Sequence[_Piece]) -> str:
    """Return pieces as one text: lines that were only wrapped are joined, others stay lines."""
    return "".join(("\n" if piece.breaks else " ") + piece.text for piece in pieces).strip()


def _tail(pieces: Sequence[_Piece], words: int) -> list[_Piece]:
    tail: list[_Piece] = []
    for piece in reversed(pieces):
        if sum(one.words for one in tail) + piece.words > words:
            break
        tail.insert(0, piece)
    return tail


def _pieces(text: str, words: int) -> Iterator[_Piece]:
    """Yield sentences with their numbers of words, one that is too long in parts."""
    for block in re.split(r"\n\s*\n", text):
        breaks = True
        for line in block.split("\n"):
            breaks |= bool(_BLOCK.match(line))
            parts = (part for sentence in sentences(line) for part in _parts(sentence, words))
            for part, size in parts:
                yield _Piece(part, size, breaks)
                breaks = False


def _parts(sentence: str, words: int) -> Iterator[tuple[str, int]]:
    spans = [found.span() for found in _WORD.finditer(sentence)]
    for start in range(0, len(spans), words):
        part = spans[start : start + words]
        yield sentence[part[0][0] : part[-1][1]], len(part)
