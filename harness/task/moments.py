"""Times as rows write them: ISO 8601, or numbers since 1970. Knows nothing of splits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from harness.errors import Fault, shown
from harness.task.rows import Row, as_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
MONTH = re.compile(r"\d{4}-\d{2}")
SCALES = ((10**11, 10**6), (10**14, 10**3), (10**17, 1))
"""Up to which number since 1970 it counts seconds, milliseconds, microseconds, and how many
microseconds one is; beyond, it counts nanoseconds. 10^11 seconds are the year 5138, as many
milliseconds 1973: no time of our days could be read both ways."""
FURTHEST = 10**20
"""Nanoseconds since 1970: the year 5138."""
WRITE_ISO = "write e.g. 2026-03-01 or 2026-03-01T14:30:00+01:00, or seconds since 1970"
NO_ZONE = "none"


@dataclass(frozen=True, slots=True)
class Moment:
    """A time that was read."""

    at: int
    """Microseconds since 1970, UTC."""
    zone: str | None
    """As it is written ("+01:00"), `NO_ZONE` where none is; None: a number, which has none."""


def moments_of(rows: Sequence[Row], column: str, faults: list[Fault]) -> list[Moment]:
    """Read the times of rows.

    Args:
        rows: all of a file.
        column: of times.
        faults: receives one fault for all rows whose time cannot be read, with the first of them,
            or where some are numbers and others dates.

    Returns:
        One moment a row; none where there is a fault.
    """
    found = [_moment(row.values.get(column)) for row in rows]
    unread = [row for row, moment in zip(rows, found, strict=True) if moment is None]
    if unread:
        value = unread[0].values.get(column)
        what = f"'{column}' is {shown(value)}, which is no time that can be read"
        if len(unread) > 1:
            what += f", and so it is with {len(unread) - 1} more"
        faults.append(Fault(unread[0].where, what, WRITE_ISO))
        return []
    moments = [moment for moment in found if moment is not None]
    numbers = [moment.zone is None for moment in moments]
    if any(numbers) and not all(numbers):
        fewer = numbers.count(True) <= numbers.count(False)
        row = rows[numbers.index(fewer)]
        what = (
            f"'{column}' is {shown(row.values[column])}, a {'number' if fewer else 'date'}, and in"
            f" {numbers.count(not fewer)} other rows it is a {'date' if fewer else 'number'}"
        )
        faults.append(Fault(row.where, what, "write all of them the same way"))
        return []
    return moments


def zones_told(moments: Sequence[Moment], column: str) -> Iterator[str]:
    """Say, in a sentence, that times are of several zones, or that some name none."""
    zones = Counter(moment.zone for moment in moments if moment.zone is not None)
    without = zones.pop(NO_ZONE, 0)
    if len(zones) > 1:
        counts = ", ".join(f"{zone} ({n})" for zone, n in zones.most_common(3))
        more = f" and {len(zones) - 3} more" if len(zones) > 3 else ""
        yield (
            f"'{column}' holds times of {len(zones)} time zones ({counts}{more}): they are compared"
            " as the moments that they are"
        )
    if zones and without:
        yield (
            f"'{column}' names no time zone in {without} of {len(moments)} rows: these are taken as"
            " UTC → write the zone, e.g. 2026-03-01T14:30:00+01:00"
        )


def _moment(value: Any) -> Moment | None:
    """Return the time that a value is; None: it is none."""
    if isinstance(value, datetime | date):
        value = value.isoformat()
    text = None if isinstance(value, bool) else as_text(value)
    if text is None:
        return None
    text = text.strip()
    try:
        return _of_number(text) if NUMBER.fullmatch(text) else _of_date(text)
    except (ValueError, ArithmeticError):
        return None


def _of_number(text: str) -> Moment:
    number = Decimal(text)
    for most, microseconds in SCALES:
        if abs(number) < most:
            return Moment(int(number * microseconds), None)
    if abs(number) >= FURTHEST:
        raise ValueError("no time of our days")
    return Moment(int(number // 1000), None)


def _of_date(text: str) -> Moment:
    if text.endswith(" UTC"):
        text = f"{text[:-4]}+00:00"
    if MONTH.fullmatch(text):
        text += "-01"
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        return Moment((read.replace(tzinfo=UTC) - EPOCH) // MICROSECOND, NO_ZONE)
    offset = read.strftime("%z")
    return Moment((read - EPOCH) // MICROSECOND, f"{offset[:3]}:{offset[3:]}")
