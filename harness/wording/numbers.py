"""All number text, in one pure place: the same figure reads the same everywhere.

`None` is "–": not measured. Units are part of the text.
"""

from __future__ import annotations

from math import floor, log10

NOT_MEASURED = "–"
GIB = 2**30
"""Bytes."""


def significant(value: float, digits: int = 3) -> str:
    """Return a plain decimal with `digits` significant digits and thousands separators."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - floor(log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text and decimals > digits else text


def score(value: float | None) -> str:
    """Return a metric's value with three decimals."""
    return NOT_MEASURED if value is None else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """Return a 95% interval as text."""
    return NOT_MEASURED if low is None or high is None else f"{low:.3f} to {high:.3f}"


def points(value: float) -> str:
    """Return a difference of scores in points (hundredths), signed only if negative."""
    return f"{round(100 * value, 1) + 0.0:.1f} points"  # + 0.0: never "-0.0"


def percent(share: float) -> str:
    """Return a share in whole per cent; what is not all, or not nothing, never reads as such."""
    whole = round(100 * share)
    if 0 < share < 1 and whole in (0, 100):
        return "less than 1%" if whole == 0 else "more than 99%"
    return f"{whole}%"


def p_value(p: float) -> str:
    """Return a p-value with its sign of equality; what is very small is not given exactly."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def duration(seconds: float | None) -> str:
    """Return a duration in the unit a person would choose, from µs to hours."""
    if seconds is None:
        return NOT_MEASURED
    if seconds < 1e-3:
        return f"{significant(seconds * 1e6, 2)} µs"
    if seconds < 1:
        return f"{significant(seconds * 1e3, 3)} ms"
    if seconds < 120:
        return f"{significant(seconds, 3)} s"
    if seconds < 7200:
        return f"{significant(seconds / 60, 3)} min"
    return f"{significant(seconds / 3600, 3)} h"


def span(low_s: float | None, high_s: float | None) -> str:
    """Return a range of time; below a tenth of a second it is nothing worth telling apart."""
    if low_s is None or high_s is None:
        return NOT_MEASURED
    if high_s < 0.1:
        return "under 0.1 s"
    return f"{duration(low_s)} to {duration(high_s)}"


def size(size_bytes: int | None) -> str:
    """Return a size in binary units."""
    if size_bytes is None:
        return NOT_MEASURED
    value = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{significant(value, 3)} {unit}" if unit != "B" else f"{size_bytes} B"
        value /= 1024
    return f"{significant(value, 3)} GiB"


def memory(ram_bytes: int | None, gpu_bytes: int | None) -> str:
    """Return peak memory on a machine with a GPU, where each figure says what it is of."""
    if gpu_bytes is None:
        return NOT_MEASURED if ram_bytes is None else f"{size(ram_bytes)} RAM"
    on_gpu = f"{size(gpu_bytes)} GPU"
    return on_gpu if ram_bytes is None else f"{on_gpu}, {size(ram_bytes)} RAM"


def energy(joules: float) -> str:
    """Return an energy in joules, kilojoules or megajoules."""
    for unit, size_j in (("MJ", 1e6), ("kJ", 1e3)):
        if joules >= size_j:
            return f"{significant(joules / size_j, 3)} {unit}"
    return f"{significant(joules, 3)} J"


def usd(value: float | None) -> str:
    """Return money: cents where they matter, more digits where cents would read as nothing."""
    if value is None:
        return NOT_MEASURED
    if value == 0:
        return "$0"
    if abs(value) >= 100:
        return f"${value:,.0f}"
    if abs(value) >= 1:
        return f"${value:,.2f}"
    return f"${significant(value, 2)}"


def count(value: float | None) -> str:
    """Return a whole number with thousands separators."""
    return NOT_MEASURED if value is None else f"{value:,.0f}"


def rate(per_s: float | None) -> str:
    """Return a throughput."""
    return NOT_MEASURED if per_s is None else f"{significant(per_s, 3)}/s"
