"""Cuts documents into passages: by headings first, then by length, with overlap.

Reads Markdown, which plain text is too. Knows nothing of vectors or search.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from harness.types import Document, content_of

LONGEST_HEADING = 200
"""Characters; a longer line is text: headings are repeated with every passage below them."""
MOST_NESTED = 8
"""Lists and quotations inside each other that are told apart: each is read through once more."""
_BLOCK = re.compile(r"^\s*([-*+•]\s|\d+[.)]\s|\||>|```|~~~)")
"""The beginning of a list item, a table row, a quotation or code, which keeps its own line."""
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*(?=\s)|[。！？][”’」』）]*|\n+")
_WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯฀-๿]|[^\s぀-ヿ㐀-䶿一-鿿가-힯฀-๿]{1,40}")
"""A word: a run without spaces of at most 40 characters. In scripts without spaces (Chinese,
Japanese, Thai) and in Korean, whose words are short, each character is a word."""


class _Line(NamedTuple):
    """A line of a document."""

    text: str
    is_code: bool = False
    """It stands in fenced code: it stays a line of its own, with its indentation."""


class _Heading(NamedTuple):
    """A heading, and the lines that it takes: from `start` up to and without `end`."""

    start: int
    end: int
    level: int
    name: str


class _Piece(NamedTuple):
    """A sentence or a line of code, or a part of one that is too long."""

    text: str
    words: int
    breaks: bool
    """It begins a line of its own."""


@dataclass(frozen=True)
class Passage:
    """A part of a document that is found and shown as one."""

    document_id: str
    title: str
    heading: str
    """The headings above it, joined by " › "; "" if there is none."""
    text: str
    allow: tuple[str, ...] | None = None
    """As the document's."""
    copies: tuple[str, ...] = ()
    """Ids of further documents that hold the same passage and stand for nothing beside it."""

    @property
    def content(self) -> str:
        """Hash of what it says with its headings: as `Document.content` has it."""
        return content_of(self.document_id, self.title, self.heading, self.text)

    @property
    def headed_text(self) -> str:
        """Its title, headings and text: what is embedded, searched and shown."""
        above = [self.title] if self.title else []
        above += [part for part in self.heading.split(" › ") if part and part != self.title]
        return "\n".join([*([" › ".join(above)] if above else []), self.text])


def cut(documents: Sequence[Document], words: int, overlap_words: int) -> list[Passage]:
    """Cut documents into passages of whole sentences.

    Args:
        documents: in order.
        words: the most words in a passage. Only a sentence that is longer is cut inside.
        overlap_words: a passage repeats the last sentences of the passage before it, up to so many
            words.

    Returns:
        The passages, in the order of the documents. A document without text gives none.
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
    """Return the sentences and list items of a text, without surrounding space."""
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    parts = (text[start:end].strip() for start, end in pairwise([0, *ends, len(text)]))
    return [part for part in parts if part]


def _sections(text: str) -> Iterator[tuple[str, list[_Line]]]:
    """Yield (path of headings, lines below) of a Markdown text; any other text is one section.

    A heading with neither text nor headings below it is the text of the section that it is in.
    """
    lines, headings = _read(text)
    path: list[_Heading] = []
    begin = 0
    for heading in headings:
        deeper = bool(path) and heading.level > path[-1].level
        yield _section(path, lines[begin : heading.start], deeper=deeper)
        begin = heading.end
        path = [*(above for above in path if above.level < heading.level), heading]
    yield _section(path, lines[begin:], deeper=False)


def _section(
    path: Sequence[_Heading], lines: list[_Line], *, deeper: bool
) -> tuple[str, list[_Line]]:
    names = [heading.name for heading in path]
    if names and not deeper and not any(line.text.strip() for line in lines):
        lines = [_Line(names.pop())]
    return " › ".join(names), lines


def _read(text: str) -> tuple[list[_Line], list[_Heading]]:
    """Return the lines of a Markdown text, and its headings as CommonMark has them.

    Some of those are text here: those in list items and quotations, empty ones, those longer than
    `LONGEST_HEADING`, and underlined paragraphs of several lines.
    """
    lines = text.splitlines()
    begin = _after_front_matter(lines)
    tokens = _parser().parse("\n".join([*[""] * begin, *lines[begin:]]))
    code: set[int] = set()
    headings = []
    for place, token in enumerate(tokens):
        if token.map is None:
            continue
        start, end = token.map
        if token.type == "fence":
            code.update(range(start, end))
        elif token.type == "heading_open" and token.level == 0:
            heading = _Heading(start, end, int(token.tag[1:]), tokens[place + 1].content)
            if _is_heading(heading):
                headings.append(heading)
    return [_Line(line, place in code) for place, line in enumerate(lines)], headings


def _is_heading(heading: _Heading) -> bool:
    underlined_lines = heading.end - heading.start - 1
    if underlined_lines and (underlined_lines > 1 or _BLOCK.match(heading.name)):
        return False
    return 0 < len(heading.name) <= LONGEST_HEADING


def _after_front_matter(lines: Sequence[str]) -> int:
    """Return the line at which a document begins after its front matter, which YAML marks off."""
    if len(lines) < 2 or lines[0].rstrip() != "---" or ":" not in lines[1]:
        return 0
    ends = (place for place, line in enumerate(lines[1:], start=2) if line.rstrip() == "---")
    return next(ends, 0)


@cache
def _parser() -> Any:
    """Return a parser of Markdown's blocks; what stands within a line is left as it is."""
    from markdown_it import MarkdownIt

    # A page's headings count within HTML too.
    return MarkdownIt("commonmark", {"maxNesting": MOST_NESTED}).disable(
        ["inline", "text_join", "html_block"]
    )


def _windows(lines: Sequence[_Line], words: int, overlap_words: int) -> Iterator[str]:
    kept: list[_Piece] = []
    fresh = False
    for piece in _pieces(lines, words):
        if fresh and sum(one.words for one in kept) + piece.words > words:
            yield _joined(kept)
            kept, fresh = _tail(kept, min(overlap_words, words - piece.words)), False
        kept.append(piece)
        fresh = True
    if fresh:
        yield _joined(kept)


def _joined(pieces: Sequence[_Piece]) -> str:
    """Return pieces as one text: wrapped lines are joined, other lines stay lines."""
    text = "".join(("\n" if piece.breaks else " ") + piece.text for piece in pieces)
    return text[1:].lstrip("\n")


def _tail(pieces: Sequence[_Piece], words: int) -> list[_Piece]:
    tail: list[_Piece] = []
    for piece in reversed(pieces):
        if sum(one.words for one in tail) + piece.words > words:
            break
        tail.insert(0, piece)
    return tail


def _pieces(lines: Sequence[_Line], words: int) -> Iterator[_Piece]:
    """Yield sentences and lines of code with their numbers of words, the too long ones in parts."""
    breaks, empty_lines = True, 0
    for line in lines:
        if not line.text.strip():
            breaks, empty_lines = True, empty_lines + line.is_code
        elif line.is_code:
            for part, size in _parts(line.text, words, is_code=True):
                yield _Piece("\n" * empty_lines + part, size, breaks=True)
                empty_lines = 0
            breaks = True
        else:
            breaks |= bool(_BLOCK.match(line.text))
            for sentence in sentences(line.text):
                for part, size in _parts(sentence, words):
                    yield _Piece(part, size, breaks)
                    breaks = False
            empty_lines = 0


def _parts(text: str, words: int, *, is_code: bool = False) -> Iterator[tuple[str, int]]:
    """Yield parts of at most so many words; code keeps its indentation."""
    spans = [found.span() for found in _WORD.finditer(text)]
    for start in range(0, len(spans), words):
        part = spans[start : start + words]
        begin = 0 if is_code and start == 0 else part[0][0]
        yield text[begin : part[-1][1]], len(part)
