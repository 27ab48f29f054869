"""What plots share beside colours: logarithmic axes in words, and places for labels.

A logarithmic axis is drawn as a linear one of logarithms, so that its ticks are ours: 1, 2 and 5
of each power of ten or powers alone, each with its unit in words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from reports.section import Spec

CHARACTER = 6.6
"""Pixels that a character of 12 pixels takes on average, roughly."""


@dataclass(frozen=True)
class LogAxis:
    """A logarithmic axis: its ends and its ticks, as logarithms to the base of ten."""

    low: float
    high: float
    ticks: tuple[float, ...]
    labels: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[float], words: Callable[[float], str], most: int) -> LogAxis:
        """Return an axis that holds all values, with at most so many ticks.

        Args:
            values: above 0, at least one.
            words: what a tick's value reads as, with its unit.
            most: ticks that there is room for.
        """
        logs = [log10(value) for value in values]
        low, high = min(logs) - 0.15, max(logs) + 0.15
        middle, half = (low + high) / 2, max((high - low) / 2, 0.35)
        low, high = middle - half, middle + half
        ticks = _ticks(low, high, most)
        return cls(low, high, tuple(ticks), tuple(_round(words(10**tick)) for tick in ticks))

    def axis(self, title: str) -> Spec:
        """Return the axis of a Vega-Lite encoding."""
        words = ",".join(f"'{label}'" for label in self.labels)
        values = ",".join(f"{tick!r}" for tick in self.ticks)
        return {
            "title": title,
            "values": list(self.ticks),
            "labelExpr": f"[{words}][indexof([{values}], datum.value)]",
            "labelFlush": True,
        }

    @property
    def scale(self) -> Spec:
        """Its scale, in logarithms."""
        return {"domain": [self.low, self.high], "nice": False, "zero": False}


def _round(words: str) -> str:
    """Return a tick's words without zeros that say nothing: "1.00 ms" is "1 ms"."""
    return re.sub(r"\.0+(?!\d)|(\.\d*[1-9])0+(?!\d)", lambda found: found[1] or "", words)


def _ticks(low: float, high: float, most: int) -> list[float]:
    """Return logarithms of round figures between two: as many as fit, of the finest steps."""
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        found = [
            round(power + log10(m), 12)
            for power in range(floor(low), ceil(high) + 1)
            for m in mantissas
            if low <= power + log10(m) <= high
        ]
        if 2 <= len(found) <= most:
            return found
    powers = range(ceil(low), floor(high) + 1)
    every = max(1, ceil(len(powers) / most))
    return [float(power) for power in powers][::every]


@dataclass(frozen=True)
class Placed:
    """Where a point's label stands: beside it, in pixels."""

    dx: float
    dy: float
    align: str


PLACES = (
    Placed(10, 0, "left"), Placed(-10, 0, "right"), Placed(8, -13, "left"), Placed(8, 13, "left"),
    Placed(-8, -13, "right"), Placed(-8, 13, "right"), Placed(8, -27, "left"),
    Placed(8, 27, "left"), Placed(-8, -27, "right"), Placed(-8, 27, "right"),
)  # fmt: skip
"""Tried in this order."""


def placed(
    points: Sequence[tuple[float, float, str]], width: float, height: float
) -> list[Placed | None]:
    """Return a place for each label where it meets neither others nor points nor the edge.

    Args:
        points: across and down from the top left corner, in pixels, with the label; the more
            important first.
        width: of the drawing's inner part, in pixels.
        height: likewise.

    Returns:
        None where there is no such place: the label is left out.
    """
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y, _ in points]
    found: list[Placed | None] = []
    for x, y, label in points:
        own = (x - 6, y - 6, x + 6, y + 6)
        place = next(
            (p for p in PLACES if _free(_box(x, y, label, p), taken, own, width, height)), None
        )
        found.append(place)
        if place is not None:
            taken.append(_box(x, y, label, place))
    return found


Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def _box(x: float, y: float, label: str, place: Placed) -> Box:
    wide = CHARACTER * len(label)
    left = x + place.dx - (wide if place.align == "right" else 0)
    return left, y + place.dy - 7, left + wide, y + place.dy + 7


def _free(box: Box, taken: Sequence[Box], own: Box, width: float, height: float) -> bool:
    left, top, right, bottom = box
    if left < 0 or top < -6 or right > width + 8 or bottom > height + 2:
        return False
    return not any(
        left < other[2] and other[0] < right and top < other[3] and other[1] < bottom
        for other in taken
        if other != own
    )
