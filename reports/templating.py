"""The templates that pages and plots are drawn with: they escape, and refuse what is not given."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from harness.wording.visible import visible


def template(name: str) -> Template:
    """Return the template of that file name."""
    return _environment().get_template(name)


def source(name: str) -> str:
    """Return the text of that file beside the templates, which no template engine reads."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


ADDRESS = re.compile(r"(https?://[^\s()<>\"']+[^\s()<>\"'.,;:])", re.IGNORECASE)


def linked(text: str) -> Markup:
    """Return a text whose addresses of the web are links that tell nothing of the page."""
    link = Markup('<a href="{0}" rel="noopener noreferrer">{0}</a>')
    # Every other part is an address.
    parts = ADDRESS.split(visible(text))
    made = [link.format(part) if at % 2 else escape(part) for at, part in enumerate(parts)]
    return Markup().join(made)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters["linked"] = linked
    environment.tests["kind"] = lambda value, name: type(value).__name__ == name
    return environment


def _visible(value: object) -> object:
    """Return a text of data with its acting characters as escapes; HTML of ours as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
