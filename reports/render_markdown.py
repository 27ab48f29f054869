"""Draws a comparison's sections as Markdown, in which no text of data can become markup."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.analysis import Comparison
from harness.wording import numbers
from harness.wording.visible import visible
from reports.first_screen import warning_lines
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
    Text,
)
from reports.sections import SECTIONS
from reports.sections.evidence import VERDICTS


def markdown(comparison: Comparison) -> str:
    """Return the report as Markdown."""
    return "\n".join([*_head(comparison), *_body(comparison), ""])


def _head(comparison: Comparison) -> Iterator[str]:
    found = comparison.recommendation
    choice = f" – {safe(found.choice)}" if found.choice else ""
    provisional = " (provisional)" if found.choice and found.provisional else ""
    yield f"# {safe(comparison.task['name'])}: {safe(found.headline)}"
    yield ""
    yield f"**Verdict: {VERDICTS[found.verdict]}{choice}{provisional}**"
    yield ""
    yield from (f"- {safe(reason)}" for reason in found.reasons)
    if warnings := list(warning_lines(comparison)):
        yield ""
        yield from (f"> {_item(line)}" for line in warnings)


def _body(comparison: Comparison) -> Iterator[str]:
    for make in SECTIONS:
        if section := make(comparison):
            yield ""
            yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    title = safe(section.title)
    yield from ("<details>", f"<summary>{title}</summary>") if section.closed else (f"## {title}",)
    for block in section.blocks:
        yield ""
        yield from _block(block)
    if section.closed:
        yield ""
        yield "</details>"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Text():
            yield safe(block.text)
        case Items():
            yield from map(_item, block.lines)
        case Table():
            yield from _table(block)
        case Plot():
            yield safe(block.caption)
            yield ""
            yield from _table(block.data)
        case Beside():
            for part in block.blocks:
                yield from _block(part)
        case Choice():
            yield from _block(block.plots[0][1])
        case Embedded():
            yield safe(block.text)


def _item(item: Item) -> str:
    text = safe(item.text)
    if item.strong:
        text = f"**{text}**"
    return f"- **{safe(item.term)}**: {text}" if item.term else f"- {text}"


def _table(table: Table) -> Iterator[str]:
    """Yield a table without its drawings; reasons that stand for figures follow it as a list."""
    drawn = {at for row in table.rows for at, cell in enumerate(row) if isinstance(cell, Bar)}
    kept = [at for at in range(len(table.headings)) if at not in drawn]
    yield f"| {' | '.join(safe(table.headings[at]) for at in kept)} |"
    yield f"|{'---|' * len(kept)}"
    reasons: list[str] = []
    for row in table.rows:
        cells = list(row)
        if isinstance(reason := row[-1], Reason):
            cells[-1:] = [numbers.NOT_MEASURED] * (len(table.headings) - len(row) + 1)
            reasons.append(f"- **{safe(row[0])}** {safe(row[1])}: {safe(reason.text)}")
        yield f"| {' | '.join(safe(_cell(cells[at])) for at in kept)} |"
    if reasons:
        yield ""
        yield from reasons


def _cell(cell: Cell) -> object:
    """Return what a cell reads as; an address is text here, which nothing links."""
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
