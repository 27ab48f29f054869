"""The plot of scores against labels: where its lines, bands and crossovers go, and its drawing.

The axis of labels is logarithmic. Nothing is computed here that the comparison does not hold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import log

from markupsafe import Markup

from harness.analysis import LearningCurve
from harness.analysis.schema.curve import CurveLine, CurvePoint
from harness.wording import numbers
from reports.plots import Frame, Tick
from reports.section import Plot, Table
from reports.templating import template

MOST_LINES = 4
"""That have a colour and a dash of their own; further arms are in the table alone."""
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def plot(curve: LearningCurve) -> Plot:
    """Return the plot of learning curves, with its data as a table."""
    drawing = Drawing(curve)
    sizes = drawing.sizes
    caption = (
        f"{curve.metric} by number of labels (logarithmic scale), with 95% bands. A level line"
        " needs no labels; shaded stretches of the axis: where one arm overtakes another."
    )
    rows = tuple((line.strategy, *(_cell(line, size) for size in sizes)) for line in curve.lines)
    headings = ("arm", *(f"{size:,} labels" for size in sizes))
    drawn = Markup(template("learning_curve.svg.j2").render(drawing=drawing))  # noqa: S704 - a template that escapes
    return Plot(drawn, caption, Table(headings, rows))


def _cell(line: CurveLine, size: int) -> str:
    point = point_at(line, size)
    if point is None:
        return numbers.NOT_MEASURED
    failed = f", {point.failed} failed" if point.failed else ""
    span = f"{numbers.score(point.ci_low)} to {numbers.score(point.ci_high)}"
    return f"{numbers.score(point.value)} ({span}{failed})"


def point_at(line: CurveLine, size: int) -> CurvePoint | None:
    """Return an arm's point at a size; one that needs no labels has the same at all."""
    if not line.learns:
        return line.points[-1]
    return next((point for point in line.points if point.labels_n == size), None)


@dataclass(frozen=True)
class Drawing(Frame):
    """Learning curves, laid out."""

    curve: LearningCurve

    @property
    def sizes(self) -> list[int]:
        """Every size that any arm has a point at, ascending."""
        found = {point.labels_n for line in self.curve.lines for point in line.points}
        return sorted(found | {self.curve.labels_n})

    @property
    def shown(self) -> list[CurveLine]:
        """The arms that are drawn: those that learn, the best first, then the others."""
        by_score = sorted(self.curve.lines, key=lambda line: -line.points[-1].value)
        return sorted(by_score, key=lambda line: not line.learns)[:MOST_LINES]

    @property
    def lines(self) -> list[tuple[str, str, str]]:
        """Each arm's name, its points and its band, as SVG takes them."""
        return [(line.strategy, self._points(line), self._band(line)) for line in self.shown]

    @property
    def labels(self) -> list[Tick]:
        """Labels of the axis of labels: the sizes."""
        return [Tick(self.x(size), f"{size:,}") for size in self.sizes]

    @property
    def scores(self) -> list[Tick]:
        """Labels of the axis of scores, at most seven."""
        low, high = self._span()
        step = next((step for step in STEPS if (high - low) / step <= 6), STEPS[-1])
        first = int(low / step)
        ticks = [n * step for n in range(first, int(high / step) + 2)]
        return [Tick(self.y(t), numbers.score(t)) for t in ticks if low <= t <= high]

    @property
    def ranges(self) -> list[tuple[float, float, str]]:
        """Where each crossover that has a range between two sizes begins, its width, and words."""
        drawn = {line.strategy for line in self.shown}
        return [
            (self.x(found.low), self.x(found.high) - self.x(found.low), found.text)
            for found in self.curve.crossovers
            if found.low is not None
            and found.high is not None
            and {found.first, found.second} <= drawn
        ]

    @property
    def finding(self) -> str:
        """What the plot shows, for whoever does not see it."""
        found = self.curve.crossovers
        return found[0].text if found else f"{self.curve.metric} by number of labels"

    def x(self, labels: float) -> float:
        """Return where a number of labels stands."""
        least, most = log(self.sizes[0]), log(self.sizes[-1])
        share = (log(labels) - least) / (most - least) if most > least else 0.5
        return self.left + share * (self.right - self.left)

    def y(self, score: float) -> float:
        """Return where a score stands."""
        low, high = self._span()
        return self.bottom - (score - low) / (high - low) * (self.bottom - self.top)

    def _span(self) -> tuple[float, float]:
        points = [point for line in self.curve.lines for point in line.points]
        low, high = min(p.ci_low for p in points), max(p.ci_high for p in points)
        return low, max(high, low + 0.01)

    def _measured(self, line: CurveLine) -> list[tuple[int, CurvePoint]]:
        found = ((size, point_at(line, size)) for size in self.sizes)
        return [(size, point) for size, point in found if point is not None]

    def _points(self, line: CurveLine) -> str:
        return _path((self.x(n), self.y(p.value)) for n, p in self._measured(line))

    def _band(self, line: CurveLine) -> str:
        along = self._measured(line)
        above = [(self.x(n), self.y(p.ci_high)) for n, p in along]
        below = [(self.x(n), self.y(p.ci_low)) for n, p in reversed(along)]
        return _path([*above, *below])


def _path(places: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
