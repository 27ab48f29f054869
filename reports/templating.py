"""The templates that pages and plots are drawn with: they escape, and refuse what is not given."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from harness.wording.visible import visible


def template(name: str) -> Template:
    """Return the template of that file name."""
    return _environment().get_template(name)


def source(name: str) -> str:
    """Return the text of that file beside the templates, which no template engine reads."""
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


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
    environment.tests["kind"] = lambda value, name: type(value).__name__ == name
    return environment


def _visible(value: object) -> object:
    """Return a text of data with its acting characters as escapes; HTML of ours as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
