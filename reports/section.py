"""What a report is made of: sections of text, lists, tables and plots, whatever draws them.

A section is data. `render_html` and `render_markdown` draw the same list of them
(`reports.sections.SECTIONS`), so that a finding is written once. All text in it is plain text: what
draws it makes it safe. The one exception is `Embedded`, whose HTML our own templates made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

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


@dataclass(frozen=True)
class Link:
    """An address, shown as itself. What is no http or https address is drawn as text."""

    address: str
    text: str = ""
    """What stands for the address; empty: itself."""

    @property
    def safe(self) -> bool:
        """Whether a page may link it: it begins as an address of the web does."""
        return self.address.lower().startswith(("http://", "https://"))


@dataclass(frozen=True)
class Tagged:
    """A text with a remark in small beside it: "lora", "1 seed"."""

    text: str
    tag: str


Cell = str | Bar | Reason | Link | Tagged


@dataclass(frozen=True)
class Table:
    """A table. Each row has a cell a heading, but for one that ends in a `Reason`."""

    headings: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marked: str | None = None
    """The first cell of the row that stands out: the chosen arm."""
    caption: str = ""
    """What it holds, for whoever hears the page."""
    lead: int = 0
    """So many columns stand open; the others are shown on demand and in print. 0: all of them."""

    def marks(self, row: tuple[Cell, ...]) -> bool:
        """Tell whether a row is the marked one."""
        first = row[0].text if isinstance(row[0], Tagged) else row[0]
        return self.marked is not None and first == self.marked


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
    linked: bool = False
    """Addresses of the web in it are links on a page."""


Spec = dict[str, Any]
"""A Vega-Lite specification."""


@dataclass(frozen=True)
class Plot:
    """A plot that is not drawn yet, what it shows in words, and its data as a table.

    `reports.plots.draw` draws it. Its `finding` is the label for whoever does not see it.
    """

    name: str
    """In small letters and underscores, one of a kind on a page: its file's name and its id."""
    finding: str
    """What it shows, in a sentence with figures."""
    caption: str
    """How to read it, in one or two sentences."""
    spec: Callable[[int], Spec]
    """Its specification for a width in pixels: it is drawn anew for a phone, not shrunk."""
    data: Table
    wide: int = 1160
    """Its width where there is room, in pixels: 1160 fills the page, 560 half of it."""


@dataclass(frozen=True)
class Beside:
    """Blocks that stand beside each other where there is room, else below each other."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Choice:
    """Plots of which a reader picks one; the first is shown, and paper shows all."""

    name: str
    """One of a kind on a page."""
    legend: str
    """What is picked: "score against"."""
    plots: tuple[tuple[str, Plot], ...]
    """Each with what picks it."""


@dataclass(frozen=True)
class Embedded:
    """HTML that a template of this package made; Markdown and terminal show its text instead."""

    html: Markup
    text: str


Block = Table | Items | Text | Plot | Beside | Choice | Embedded
Group = Literal["C", "D", "E", "F", "G", "H", "I", "J"]

GROUPS: dict[Group, tuple[str, str]] = {
    "C": ("arms", "Approaches"),
    "D": ("costs", "Costs"),
    "E": ("weaknesses", "Weaknesses"),
    "F": ("examples", "Examples"),
    "G": ("training", "Training"),
    "H": ("speed", "Speed and memory"),
    "I": ("evidence", "Evidence"),
    "J": ("method", "Method and reproduction"),
}
"""The groups of a page in reading order, each with its anchor and its title."""


@dataclass(frozen=True)
class Section:
    """A part of the report under a title of its own."""

    key: str
    """Its anchor: small letters and hyphens, one of a kind on a page."""
    group: Group
    title: str
    blocks: tuple[Block, ...]
    finding: str = ""
    """What it comes to, with figures, in one sentence; stands first, and open where the section is
    closed."""
    closed: bool = False
    """Folded away until a reader opens it; open on paper."""
    weight: int = 0
    """1: it also stands in the Markdown of a pull request, which is short; 0: in HTML alone."""

    @property
    def told_by_plot(self) -> bool:
        """Whether its finding is what its plots say, which stands above each of them."""
        blocks = [p for b in self.blocks for p in (b.blocks if isinstance(b, Beside) else (b,))]
        return any(isinstance(b, Plot) and b.finding in self.finding for b in blocks)


SectionOf = Callable[[Comparison], Section | None]
"""Makes a section of a comparison; None where it would have nothing to say."""


def items(*lines: str | Item) -> Items:
    """Return a list of these lines."""
    return Items(tuple(line if isinstance(line, Item) else Item(line) for line in lines))
