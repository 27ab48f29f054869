"""A Vega-Lite specification → SVG that fits the page. Knows nothing of runs or of what it draws.

vl-convert (BSD-3) draws offline and without a browser. What it writes is made smaller and made
ours: text stays text in the page's font, colours become variables of the page's style, and one
label on the whole takes the place of a role on every mark. Text in a specification is data of
others: it is made visible first, and XML writing escapes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from harness.wording.visible import visible
from reports.plots.palette import sign, style, variables
from reports.section import Plot, Spec

NARROW = 340
"""Pixels: what a phone of 390 leaves between its margins."""
VEGA_LITE = "5.21"
"""The version whose specifications these are; vl-convert holds several."""
LONGEST = 60
"""Characters of a text in a plot: a longer one is cut, its whole stands in the plot's table."""
SVG = "{http://www.w3.org/2000/svg}"


def available() -> bool:
    """Tell whether plots can be drawn here: vl-convert is installed."""
    from importlib.util import find_spec

    return find_spec("vl_convert") is not None


def drawn(plot: Plot, width: int) -> Markup:
    """Return a plot as an `<svg>` element of a page whose style holds the colours."""
    return Markup(_svg(plot, width))  # noqa: S704 - written by ElementTree, which escapes


def as_file(plot: Plot) -> str:
    """Return a plot as an SVG file by itself, on paper of its own, for light and dark pages."""
    root = ElementTree.fromstring(_svg(plot, plot.wide))  # noqa: S314 - ours
    root.set("style", "font: 12px system-ui, sans-serif")
    sheet = ElementTree.Element("style")
    sheet.text = style()
    paper = {"width": "100%", "height": "100%", "fill": "var(--paper)"}
    root.insert(0, ElementTree.Element("rect", paper))
    root.insert(0, sheet)
    root.set("xmlns", "http://www.w3.org/2000/svg")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _svg(plot: Plot, width: int) -> str:
    spec = {**_shared(), **plot.spec(width)}
    return _clean(_converted(json.dumps(_shown(spec))), f"{plot.name}-{width}", plot.finding)


@lru_cache(maxsize=64)
def _converted(spec: str) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[]))


def _shared() -> Spec:
    """Return what all specifications share: fonts, colours and axes."""
    soft, line = sign("soft"), sign("line")
    axis = {
        "labelColor": soft,
        "titleColor": soft,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "gridColor": line,
        "domainColor": line,
        "tickColor": line,
        "labelLimit": 200,
    }
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "config": {
            "background": None,
            "font": "sans-serif",
            "aria": False,
            "view": {"stroke": None},
            "axis": axis,
            "text": {"fontSize": 12, "color": sign("ink")},
            "legend": {"labelColor": soft, "titleColor": soft, "labelFontSize": 12},
            "header": {"labelColor": soft, "titleColor": soft},
        },
    }


def _shown(value: Any, key: str = "") -> Any:
    """Return a specification whose texts do nothing and are short enough to be drawn.

    Only texts of rows and titles are data; the others are words of Vega-Lite.
    """
    if isinstance(value, dict):
        inside = key if key == "values" else ""
        return {name: _shown(part, inside or name) for name, part in value.items()}
    if isinstance(value, list):
        return [_shown(part, key) for part in value]
    return short(value) if isinstance(value, str) and key in ("values", "title") else value


def short(text: str) -> str:
    """Return a text as a plot shows it: on one line, without acting characters, not too long."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _clean(svg: str, name: str, finding: str) -> str:
    """Return what vl-convert drew, smaller, with our colours, ids and one label."""
    root = ElementTree.fromstring(_numbered(svg))  # noqa: S314 - written by vl-convert
    for element in list(root.iter()):
        element.tag = element.tag.removeprefix(SVG)
        element.attrib = dict(_attributes(element, name))
    _prune(root)
    width, height = root.attrib.pop("width"), root.attrib.pop("height")
    root.attrib = {
        "class": "plot",
        "viewBox": f"0 0 {width} {height}",
        "style": f"max-width:{width}px",
        "role": "img",
        "aria-label": visible(" ".join(finding.split())),
    }
    return ElementTree.tostring(root, encoding="unicode")


def _numbered(svg: str) -> str:
    """Return a drawing whose clips count from 0: vl-convert counts on from one to the next."""
    found = list(dict.fromkeys(CLIP.findall(svg)))
    return CLIP.sub(lambda clip: f"clip{found.index(clip[1])}", svg)


CLIP = re.compile(r"\bclip(\d+)\b")
DROPPED = {"role", "class", "font-family", "pointer-events", "version", "stroke-miterlimit"}
PRECISE = {"transform", "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"}
REFERENCE = re.compile(r"url\(#([^)]+)\)")
DECIMALS = re.compile(r"-?\d+\.\d{2,}")
NOTHING = {"", "M0,0h0v0h0Z"}


def _attributes(element: ElementTree.Element, name: str) -> Iterator[tuple[str, str]]:
    """Yield an element's attributes, but for roles, with our colours and an id of our own."""
    colours = variables()
    for key, value in element.attrib.items():
        if key in DROPPED or key.startswith("aria-") or (key, value) == ("opacity", "1"):
            continue
        ours = REFERENCE.sub(rf"url(#{name}-\1)", value)
        if key in ("fill", "stroke"):
            ours = colours.get(value.lower(), ours)
        elif key == "id":
            ours = f"{name}-{value}"
        elif key in PRECISE:
            ours = DECIMALS.sub(lambda found: f"{float(found[0]):.1f}", value)
        if (key, ours) != ("transform", "translate(0,0)"):
            yield key, ours


def _prune(parent: ElementTree.Element) -> None:
    """Remove what draws nothing, and groups that do nothing but hold others."""
    kept: list[ElementTree.Element] = []
    for child in parent:
        _prune(child)
        if child.tag == "path" and child.get("d", "") in NOTHING:
            continue
        if child.tag == "text" and (not child.text or child.get("opacity") == "0"):
            continue
        if child.tag == "g" and not len(child):
            continue
        kept += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = kept
