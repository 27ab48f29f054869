"""Draws a comparison's sections as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from harness.analysis import Comparison
from reports.sections import SECTIONS
from reports.sections.evidence import VERDICTS

TEMPLATES = Path(__file__).parent / "templates"


def html(comparison: Comparison) -> str:
    """Return the report as HTML."""
    made = (make(comparison) for make in SECTIONS)
    sections = [section for section in made if section is not None]
    return _template().render(
        task=comparison.task,
        found=comparison.recommendation,
        verdict=VERDICTS[comparison.recommendation.verdict],
        sections=sections,
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["kind"] = lambda value, name: type(value).__name__ == name
    return environment.get_template("page.html.j2")
