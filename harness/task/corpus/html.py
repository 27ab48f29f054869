"""Reads .html files as Markdown: headings, running text, preformatted text; no links, no pictures.

Knows nothing of how a page looks: what a style sheet hides is read as well.
"""

from __future__ import annotations

import logging
import re
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Any

from harness.task.corpus.skipped import DAMAGED, NOT_TEXT, UnreadableError

LEFT_OUT = frozenset(
    ["iframe", "nav", "noscript", "object", "script", "style", "svg", "template", "title"]
)
HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
CELLS = frozenset(["td", "th"])
_BLOCK = re.compile(
    "address|article|aside|blockquote|body|br|caption|dd|details|dialog|div|dl|dt|fieldset"
    "|figcaption|figure|footer|form|head|header|hr|html|legend|li|main|ol|option|p|section|summary"
    "|table|tbody|tfoot|thead|tr|ul"
)
_SPACE = re.compile(r"\s+")
_EMPTY_LINES = re.compile(r"\n\s*\n")


def read_html(file: Path) -> tuple[str, str]:
    """Return title and text; the title is that of the page, else its first h1 or the file's name.

    Raises:
        UnreadableError: it is not text, or its marks cannot be understood.
        OSError: it cannot be opened.
    """
    from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning
    from bs4.exceptions import ParserRejectedMarkup

    content = file.read_bytes()
    if b"\0" in content and not content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UnreadableError(NOT_TEXT)
    logging.getLogger("bs4.dammit").setLevel(logging.CRITICAL)  # bytes it cannot read are told here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is meant
        try:
            page: Any = BeautifulSoup(content, "html.parser")
        except ParserRejectedMarkup:
            raise UnreadableError(DAMAGED) from None
    if page.contains_replacement_characters:
        raise UnreadableError(NOT_TEXT)
    titles = (_words(found) for found in (page.find("title"), page.find("h1")) if found)
    return next(filter(None, titles), file.stem), _markdown(page)


def _markdown(page: Any) -> str:
    from bs4 import CData, NavigableString, Tag

    parts: list[str] = []
    waiting: list[Any] = [page]  # pages can be nested more deeply than calls can
    while waiting:
        node = waiting.pop()
        if isinstance(node, Tag):
            before, inner, after = _around(node)
            waiting += [after, *reversed(inner), before]
        elif type(node) in (NavigableString, CData):  # and not its kin, comments and doctypes
            parts.append(_SPACE.sub(" ", node))
        elif type(node) is str:
            parts.append(node)
    return _EMPTY_LINES.sub("\n\n", "".join(parts)).strip()


def _around(tag: Any) -> tuple[str, list[Any], str]:
    """Return what is written before a tag's contents, the contents, and what after them."""
    if tag.name in LEFT_OUT or tag.get("role") == "navigation":
        return "", [], ""
    if tag.name in HEADINGS:
        words = _words(tag)
        return (f"\n\n{HEADINGS[tag.name]} {words}\n\n" if words else ""), [], ""
    if tag.name == "pre":
        return f"\n\n```\n{tag.get_text()}\n```\n\n", [], ""
    if _BLOCK.fullmatch(tag.name):
        return "\n", tag.contents, "\n"
    return " " if tag.name in CELLS else "", tag.contents, ""


def _words(tag: Any) -> str:
    return " ".join(tag.get_text().split())
