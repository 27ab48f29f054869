"""Draws a comparison's sections as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from markupsafe import Markup

from harness.analysis import Comparison
from reports.all_rows import Browser, with_browser
from reports.first_screen import first_screen, subject
from reports.plots import draw, palette
from reports.section import GROUPS, Section
from reports.sections import SECTIONS
from reports.sections.examples import PICKED
from reports.templating import source, template
from reports.verdicts import is_partial


@dataclass(frozen=True)
class GroupOfSections:
    """Sections under one heading that the page's navigation leads to."""

    anchor: str
    title: str
    sections: tuple[Section, ...]


def html(comparison: Comparison, browser: Browser | None = None) -> str:
    """Return the report as HTML.

    Args:
        comparison: what it says.
        browser: over all rows, which stands below the picked ones; None: there is no run folder.
    """
    of, ids = subject(comparison), count(1)
    return template("page.html.j2").render(
        task=comparison.task,
        verdict=comparison.recommendation.verdict,
        partial=is_partial(comparison),
        first=first_screen(comparison),
        subject=of.strategy if of else "",
        groups=list(_groups(comparison, browser)),
        can_draw=draw.available(),
        drawn=draw.drawn,
        narrow=draw.NARROW,
        colours=Markup(palette.style()),  # noqa: S704 - names and values of our own
        rows_style=Markup(source("rows.css")),  # noqa: S704 - ours
        next_id=lambda: next(ids),
    )


def _groups(comparison: Comparison, browser: Browser | None) -> Iterator[GroupOfSections]:
    """Yield the groups that have any section, in reading order."""
    made = [
        with_browser(section, browser) if section.key == PICKED else section
        for make in SECTIONS
        if (section := make(comparison)) is not None
    ]
    for letter, (anchor, title) in GROUPS.items():
        of_group = tuple(section for section in made if section.group == letter)
        if of_group:
            yield GroupOfSections(anchor, title, of_group)
