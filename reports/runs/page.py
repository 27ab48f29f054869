"""Draws sections on several runs as one HTML page that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Literal

from markupsafe import Markup

from reports.plots import draw, palette
from reports.section import Section
from reports.templating import source, template


@dataclass(frozen=True)
class Head:
    """What stands first on a page."""

    title: str
    """Of the window."""
    about: tuple[str, ...]
    headline: str
    sentence: str
    tone: Literal["", "tie", "nothing_feasible"] = ""
    """Colour of its edge, named as a verdict's: good, undecided, bad."""


def page(head: Head, sections: Sequence[Section]) -> str:
    """Return a page of sections in this order."""
    ids = count(1)
    return template("runs.html.j2").render(
        head=head,
        sections=sections,
        can_draw=draw.available(),
        drawn=draw.drawn,
        narrow=draw.NARROW,
        colours=Markup(palette.style()),  # noqa: S704 - names and values of our own
        rows_style=Markup(source("rows.css")),  # noqa: S704 - ours
        next_id=lambda: next(ids),
    )
