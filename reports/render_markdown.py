"""Draws a comparison's sections as Markdown, in which no text of data can become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.analysis import Comparison
from harness.wording import numbers
from harness.wording.visible import visible
from reports.first_screen import first_plots, first_screen
from reports.plots import draw
from reports.section import (
    Bar,
    Beside,
    Block,
    Cell,
    Choice,
    Embedded,
    Item,
    Items,
    Link,
    Plot,
    Reason,
    Section,
    Table,
    Tagged,
    Text,
)
from reports.sections import SECTIONS
from reports.verdicts import VERDICTS

PLOTS = "report-plots"
"""The folder beside report.md whose files it shows."""


def markdown(comparison: Comparison) -> str:
    """Return the report as Markdown for a pull request: verdict, table, plots and reasons.

    What is longer stands in report.html; of each further section its finding is named.
    """
    made = _made(comparison)
    lines = [*_head(comparison), *_plots(comparison)]
    for section in made:
        if section.weight:
            lines += ["", *_section(section)]
    found = [
        f"- **{safe(s.title)}**: {safe(s.finding)}" for s in made if s.finding and not s.weight
    ]
    if found:
        lines += ["", "## More in report.html", "", *found]
    return "\n".join([*lines, ""])


def whole_markdown(comparison: Comparison) -> str:
    """Return every section as Markdown, as long as that is."""
    lines = list(_head(comparison))
    for section in _made(comparison):
        lines += ["", *_section(section, whole=True)]
    return "\n".join([*lines, ""])


def plot_files(comparison: Comparison) -> dict[str, str]:
    """Return the plots that the Markdown shows: each file's path beside it, with its content."""
    if not draw.available():
        return {}
    return {_file(plot): draw.as_file(plot) for plot in _shown(comparison)}


def _made(comparison: Comparison) -> list[Section]:
    return [section for make in SECTIONS if (section := make(comparison)) is not None]


def _shown(comparison: Comparison) -> Iterator[Plot]:
    """Yield the plots of the first screen, of those that a reader picks from the first."""
    for block in first_plots(comparison):
        for part in block.blocks if isinstance(block, Beside) else (block,):
            plot = part.plots[0][1] if isinstance(part, Choice) else part
            if isinstance(plot, Plot):
                yield plot


def _file(plot: Plot) -> str:
    return f"{PLOTS}/{plot.name}.svg"


def _plots(comparison: Comparison) -> Iterator[str]:
    for plot in _shown(comparison):
        yield ""
        if draw.available():
            yield f"![{safe(plot.finding).replace('[', '(').replace(']', ')')}]({_file(plot)})"
            yield ""
        yield f"{safe(plot.finding)}"


def _head(comparison: Comparison) -> Iterator[str]:
    found, first = comparison.recommendation, first_screen(comparison)
    choice = f" – {safe(found.choice)}" if found.choice else ""
    provisional = " (provisional)" if found.choice and found.provisional else ""
    yield f"# {safe(comparison.task['name'])}: {safe(found.headline)}"
    yield ""
    yield f"**Verdict: {VERDICTS[found.verdict]}{choice}{provisional}** · " + " · ".join(
        safe(part) for part in first.about[1:]
    )
    if first.sentence:
        yield ""
        yield safe(first.sentence)
    if first.tiles:
        yield ""
        yield from (
            f"- {safe(t.label)}: **{safe(t.value)}** ({safe(t.detail)})" for t in first.tiles
        )
    if first.caveats:
        yield ""
        yield from (f"> {_item(line)}" for line in first.caveats)
        if first.more:
            yield f"> - and {first.more} more, under Warnings and notes of report.html"
    yield ""
    command = f": `{safe(first.next.command).replace('`', '')}`" if first.next.command else ""
    yield f"Next: {safe(first.next.text)}{command}"


def _section(section: Section, whole: bool = False) -> Iterator[str]:
    title = safe(section.title)
    yield from ("<details>", f"<summary>{title}</summary>") if section.closed else (f"## {title}",)
    if section.finding:
        yield ""
        yield safe(section.finding)
    for block in section.blocks:
        yield ""
        yield from _block(block, whole)
    if section.closed:
        yield ""
        yield "</details>"


def _block(block: Block, whole: bool) -> Iterator[str]:
    match block:
        case Text():
            yield safe(block.text)
        case Items():
            yield from map(_item, block.lines)
        case Table():
            yield from _table(block, whole)
        case Plot():
            yield safe(block.caption)
            yield ""
            yield from _table(block.data, whole)
        case Beside():
            for part in block.blocks:
                yield from _block(part, whole)
        case Choice():
            yield from _block(block.plots[0][1], whole)
        case Embedded():
            yield safe(block.text)


def _item(item: Item) -> str:
    text = safe(item.text)
    if item.strong:
        text = f"**{text}**"
    return f"- **{safe(item.term)}**: {text}" if item.term else f"- {text}"


def _table(table: Table, whole: bool) -> Iterator[str]:
    """Yield a table without its drawings; reasons that stand for figures follow it as a list."""
    drawn = {at for row in table.rows for at, cell in enumerate(row) if isinstance(cell, Bar)}
    open_n = len(table.headings) if whole or not table.lead else table.lead
    kept = [at for at in range(len(table.headings)) if at not in drawn and at < open_n]
    yield f"| {' | '.join(safe(table.headings[at]) for at in kept)} |"
    yield f"|{'---|' * len(kept)}"
    reasons: list[str] = []
    for row in table.rows:
        cells = list(row)
        if isinstance(reason := row[-1], Reason):
            cells[-1:] = [numbers.NOT_MEASURED] * (len(table.headings) - len(row) + 1)
            reasons.append(
                f"- **{safe(_cell(row[0]))}** {safe(_cell(row[1]))}: {safe(reason.text)}"
            )
        yield f"| {' | '.join(safe(_cell(cells[at])) for at in kept)} |"
    if reasons:
        yield ""
        yield from reasons


def _cell(cell: Cell) -> object:
    """Return what a cell reads as; an address is text here, which nothing links."""
    if isinstance(cell, Tagged):
        return f"{cell.text} ({cell.tag})" if cell.tag else cell.text
    return (cell.text or cell.address) if isinstance(cell, Link) else cell


def safe(text: object) -> str:
    """Make a text safe anywhere in Markdown: one line, and only text.

    It breaks out of no cell, begins no block, and makes neither HTML nor a link or an image, which
    a page that draws the report would fetch: `[text](address)`, or `[text]` with `[text]: address`
    elsewhere, or an address by itself, which GitHub links.
    """
    one_line = visible(" ".join(str(text).split()))
    # Backslashes first: in front of a pipe, the text's own one would undo the escape.
    escaped = one_line.replace("\\", "\\\\").replace("|", "\\|")
    escaped = escaped.replace("](", "]\\(").replace("]:", "]\\:")
    escaped = ENTITY.sub("&amp;", escaped).replace("<", "&lt;").replace(">", "&gt;")
    return BLOCK.sub(r"\1\\\2", ADDRESS.sub(r"\1\\\2", escaped))


ENTITY = re.compile(r"&(?=#?\w+;)")
"""What would be read as another character."""
ADDRESS = re.compile(r"\b(https?(?=:)|ftp(?=:)|mailto(?=:)|xmpp(?=:)|www(?=\.))(.)", re.IGNORECASE)
"""Beginnings of addresses that are made links, and the sign without which they are none."""
BLOCK = re.compile(
    r"^(\d{0,9})"
    r"((?<=\d)[.)](?=\s|$)|(?<!\d)(?:#{1,6}(?=\s|$)|[-+*](?=\s|$)|```|~~~|\[[ xX]\])"
    r"|([-*_])(?:\s*\3){2,}\s*$)"
)
"""What makes of the first signs of a line or of a list's item a list, a heading, code, a box to
tick or a rule."""
