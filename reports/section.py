"""What a report is made of: sections of text, lists, tables and plots, whatever draws them.

A section is data. `render_html` and `render_markdown` draw the same list of them
(`reports.sections.SECTIONS`), so that no page says what another one leaves out. All text in it is
plain text: what draws it makes it safe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from harness.analysis import Comparison


@dataclass(frozen=True)
class Bar:
    """A value with its interval on a scale from 0 to 100; drawn where there is room for a drawing.

    Attributes:
        low: where the interval begins.
        width: of the interval.
        at: where the value stands.
    """

    low: float
    width: float
    at: float


@dataclass(frozen=True)
class Reason:
    """Why an arm has no figures: it takes the place of all further cells of its row."""

    text: str


Cell = str | Bar | Reason


@dataclass(frozen=True)
class Table:
    """A table. Each row has a cell a heading, but for one that ends in a `Reason`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: str | None = None
    """The first cell of the row that stands out: the chosen arm."""


@dataclass(frozen=True)
class Item:
    """One line of a list: a term, if it has one, and what is said of it."""

    text: str
    term: str = ""
    code: bool = False
    """The text is a command, a hash or a path."""
    strong: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    lines: tuple[Item, ...]


@dataclass(frozen=True)
class Text:
    """A paragraph; a small one says how to read what stands beside it."""

    text: str
    small: bool = False


@dataclass(frozen=True)
class Plot:
    """A drawing, what it shows in words, and its data as a table for whoever does not see it."""

    svg: Markup
    """An `<svg>` element with `role="img"` and a label; every text in it is escaped."""
    caption: str
    data: Table


Block = Table | Items | Text | Plot


@dataclass(frozen=True)
class Section:
    """A part of the report under a title of its own."""

    title: str
    blocks: tuple[Block, ...]
    closed: bool = False
    """Folded away until a reader opens it."""


SectionOf = Callable[[Comparison], Section | None]
"""Makes a section of a comparison; None where it would have nothing to say."""


def items(*lines: str | Item) -> Items:
    """Return a list of these lines."""
    return Items(tuple(line if isinstance(line, Item) else Item(line) for line in lines))
