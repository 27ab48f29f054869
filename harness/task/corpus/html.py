"""Reads .html files as Markdown: headings, text, tables, preformatted text; no links, no pictures.

Knows nothing of how a page looks: text that a style sheet hides is read too.
"""

from __future__ import annotations

import logging
import re
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from copy import copy
from functools import cache
from pathlib import Path
from typing import Any

from harness.task.corpus.skipped import DAMAGED, NOT_TEXT, TOO_LARGE, UnreadableError

LEFT_OUT = frozenset(
    ["iframe", "nav", "noscript", "object", "script", "style", "svg", "template", "title"]
)
HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
CELLS = ("td", "th")
IN_TABLES = ["br", "caption", "div", "p", "table", "td", "th", "tr"]
"""What of a table is Markdown; of any other tag in it the text is kept."""
DEEP = 50
MOST_TAGS = 400_000
"""A tag takes a kilobyte while its page is read."""
LAYOUT = ("dl", "form", "ol", "pre", "table", "ul", *HEADINGS)
"""What a table holds that only arranges a page: it is read as text, cell by cell."""
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
        UnreadableError: it is not text, or its markup cannot be parsed.
        OSError: it cannot be opened.
    """
    from bs4 import XMLParsedAsHTMLWarning
    from bs4.exceptions import ParserRejectedMarkup

    content = file.read_bytes()
    if content.count(b"<") > MOST_TAGS:
        raise UnreadableError(TOO_LARGE)
    if b"\0" in content and not content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        raise UnreadableError(NOT_TEXT)
    logging.getLogger("bs4.dammit").setLevel(logging.CRITICAL)  # unreadable bytes are an error here
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is meant
        try:
            page: Any = _page_class()(content, "html.parser")
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
        elif type(node) in (
            NavigableString,
            CData,
        ):  # not its subclasses: comments …
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
    if tag.name == "table" and (table := _table(tag)):
        return f"\n\n{table}\n\n", [], ""
    if _BLOCK.fullmatch(tag.name):
        return "\n", tag.contents, "\n"
    return " " if tag.name in CELLS else "", tag.contents, ""


def _table(tag: Any) -> str | None:
    """Return a table in Markdown, a row a line; None for one that only arranges a page."""
    from markdownify import MarkdownConverter

    if tag.find(LAYOUT) or _is_deep(tag):
        return None
    table = copy(tag)  # the page keeps what is left out here
    for left_out in table.find_all(LEFT_OUT):
        left_out.decompose()
    converter = MarkdownConverter(
        convert=IN_TABLES,
        table_infer_header=True,
        escape_asterisks=False,
        escape_underscores=False,
        escape_misc=False,
    )
    lines = str(converter.convert_soup(table)).strip().split("\n")
    return "\n".join(" ".join(line.split()) for line in lines)


def _is_deep(tag: Any) -> bool:
    """Tell whether tags are nested more deeply than one call for each level can go."""
    from bs4 import Tag

    level = [tag]
    for _ in range(DEEP):
        level = [inner for outer in level for inner in outer.contents if isinstance(inner, Tag)]
    return bool(level)


@cache
def _page_class() -> Any:
    """Return the class of a page: BeautifulSoup, but for cells and rows that are not closed.

    HTML lets the next cell or row close them, which Python's parser does not know.
    """
    from bs4 import BeautifulSoup

    class Page(BeautifulSoup):  # type: ignore[misc]
        def handle_starttag(self, name: str, *rest: Any, **named: Any) -> Any:
            closed = {"td": CELLS, "th": CELLS, "tr": (*CELLS, "tr")}.get(name, ())
            for outer in reversed(self.tagStack) if closed else ():
                if outer.name == "table":
                    break
                if outer.name in closed:
                    self.handle_endtag(outer.name)
            return super().handle_starttag(name, *rest, **named)

    return Page


def _words(tag: Any) -> str:
    return " ".join(tag.get_text().split())
