"""The plot of total cost against volume: where its lines and labels go, and its drawing.

Both axes are logarithmic; nothing is computed here that the comparison does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from markupsafe import Markup

from harness.analysis import CostCurve
from harness.wording import numbers
from reports.section import Plot, Table
from reports.templating import template

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 84, 16, 28, 44
"""Room around the plot for its labels, in the drawing's units."""


def plot(curve: CostCurve) -> Plot:
    """Return the plot of a cost curve."""
    drawing = Drawing(curve)
    volumes = tuple(tick.text for tick in drawing.volumes)
    caption = (
        f"Total {drawing.what} over the horizon, by requests a month. The dashed line is the task's"
        " own volume. Both scales are logarithmic."
    )
    rows = tuple((name, *totals) for name, totals in drawing.table)
    return Plot(_drawn(drawing), caption, Table(("arm", *volumes), rows))


def _drawn(drawing: Drawing) -> Markup:
    return Markup(template("curve.svg.j2").render(drawing=drawing))  # noqa: S704 - a template that escapes


@dataclass(frozen=True)
class Tick:
    """One label of an axis, and where it stands."""

    at: float
    text: str


class Frame:
    """Where the axes of a plot stand."""

    width = WIDTH
    height = HEIGHT
    left = LEFT
    right = WIDTH - RIGHT
    top = TOP
    bottom = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Drawing(Frame):
    """A cost curve, laid out."""

    curve: CostCurve

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Each arm's name and its points, as an SVG polyline takes them."""
        volumes = self.curve.requests_per_month
        return [
            (
                line.strategy,
                " ".join(
                    f"{self._x(volume):.1f},{self._y(total):.1f}"
                    for volume, total in zip(volumes, line.totals, strict=True)
                    if total > 0
                ),
            )
            for line in self.curve.lines
        ]

    @property
    def volumes(self) -> list[Tick]:
        """Labels of the volume axis: every tenfold of the task's own."""
        return [Tick(self._x(volume), numbers.count(volume)) for volume in self._decades()]

    @property
    def totals(self) -> list[Tick]:
        """Labels of the cost axis: powers of ten, at most seven."""
        low, high = self._cost_span()
        every = max(1, ceil((high - low) / 6))
        powers = range(low, high + 1, every)
        return [Tick(self._y(10.0**power), self.text(10.0**power)) for power in powers]

    @property
    def here(self) -> float:
        """Where the task's own volume stands."""
        volumes = self.curve.requests_per_month
        return self._x(volumes[len(volumes) // 2])

    @property
    def table(self) -> list[tuple[str, list[str]]]:
        """Each arm's name and its totals at every tenfold, as text."""
        volumes = list(self.curve.requests_per_month)
        columns = [volumes.index(volume) for volume in self._decades()]
        return [
            (line.strategy, [self.text(line.totals[column]) for column in columns])
            for line in self.curve.lines
        ]

    @property
    def what(self) -> str:
        """What the cost axis is in."""
        return "dollars" if self.curve.unit == "usd" else "machine time"

    def text(self, total: float) -> str:
        """Return a total in words."""
        return numbers.usd(total) if self.curve.unit == "usd" else numbers.duration(total)

    def _decades(self) -> list[float]:
        volumes = self.curve.requests_per_month
        steps = round(log10(volumes[-1] / volumes[0]))
        return list(volumes[:: (len(volumes) - 1) // steps])

    def _cost_span(self) -> tuple[int, int]:
        """Return the powers of ten between which all totals lie."""
        totals = [total for line in self.curve.lines for total in line.totals if total > 0]
        low, high = floor(log10(min(totals, default=1.0))), ceil(log10(max(totals, default=10.0)))
        return low, max(high, low + 1)

    def _x(self, volume: float) -> float:
        volumes = self.curve.requests_per_month
        share = log10(volume / volumes[0]) / log10(volumes[-1] / volumes[0])
        return self.left + share * (self.right - self.left)

    def _y(self, total: float) -> float:
        low, high = self._cost_span()
        return self.bottom - (log10(total) - low) / (high - low) * (self.bottom - self.top)
