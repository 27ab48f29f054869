"""Fills the two templates; escapes what goes into HTML, and what would break a Markdown table."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from harness.analysis import Comparison
from harness.wording import numbers
from reports.view import View

TEMPLATES = Path(__file__).parent / "templates"


def markdown(comparison: Comparison) -> str:
    """Return the report as Markdown."""
    return _render("report.md.j2", comparison, autoescape=False)


def html(comparison: Comparison) -> str:
    """Return the report as one HTML page that loads nothing from anywhere."""
    return _render("report.html.j2", comparison, autoescape=True)


def _render(template: str, comparison: Comparison, autoescape: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=autoescape,  # noqa: S701 - off for Markdown, whose cells `_cell` makes safe
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["cell"] = _cell
    names = ("score", "interval", "duration", "size", "usd", "count", "rate", "points")
    environment.filters |= {name: getattr(numbers, name) for name in names}
    return environment.get_template(template).render(view=View(comparison), c=comparison)


def _cell(text: object) -> str:
    """Make a text safe inside a Markdown table or list: one line, and only text.

    It breaks out of no cell, and makes neither HTML nor a link or an image, which a page that
    draws the report would fetch: `[text](address)`, or `[text]` with `[text]: address` elsewhere.
    """
    one_line = " ".join(str(text).split())
    # Backslashes first: in front of a pipe, the text's own one would undo the escape.
    escaped = one_line.replace("\\", "\\\\").replace("|", "\\|")
    escaped = escaped.replace("](", "]\\(").replace("]:", "]\\:")
    return escaped.replace("<", "&lt;").replace(">", "&gt;")
