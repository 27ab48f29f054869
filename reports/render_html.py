"""Draws a comparison's sections as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from markupsafe import Markup

from harness.analysis import Comparison
from reports.all_rows import Browser, with_browser
from reports.first_screen import first_plots, warning_lines
from reports.plots import draw, palette
from reports.sections import SECTIONS
from reports.sections.evidence import VERDICTS
from reports.sections.examples import PICKED
from reports.templating import source, template


def html(comparison: Comparison, browser: Browser | None = None) -> str:
    """Return the report as HTML.

    Args:
        comparison: what it says.
        browser: over all rows, which stands below the picked ones; None: there is no run folder.
    """
    made = (make(comparison) for make in SECTIONS)
    sections = [
        with_browser(section, browser) if section.key == PICKED else section
        for section in made
        if section is not None
    ]
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
        rows_style=Markup(source("rows.css")),  # noqa: S704 - ours
    )
