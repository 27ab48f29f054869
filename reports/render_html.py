"""Draws a comparison's sections as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from harness.analysis import Comparison
from reports.first_screen import first_plots, warning_lines
from reports.plots import draw, palette
from reports.sections import SECTIONS
from reports.sections.evidence import VERDICTS
from reports.templating import template


def html(comparison: Comparison) -> str:
    """Return the report as HTML."""
    made = (make(comparison) for make in SECTIONS)
    sections = [section for section in made if section is not None]
    return template("page.html.j2").render(
        task=comparison.task,
        found=comparison.recommendation,
        verdict=VERDICTS[comparison.recommendation.verdict],
        warnings=list(warning_lines(comparison)),
        severe=any(warning.severity == "severe" for warning in comparison.warnings),
        first_plots=first_plots(comparison),
        sections=sections,
        can_draw=draw.available(),
        drawn=draw.drawn,
        narrow=draw.NARROW,
        colours=palette.style(),
    )
