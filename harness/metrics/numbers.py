"""Metrics of answers that are numbers: sign, point and separators count, spelling does not."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from itertools import islice

from harness.metrics.metric import Array, Items, Metric, each_counts, mean_of
from harness.metrics.reading import final_answer
from harness.metrics.words import with_ascii_marks

_NUMBER = re.compile(
    r"(?:(?P<sign>[+-])\s*)?(?P<digits>\d[\d.,' \u2009]*|[.,]\d+)(?P<power>e[+-]?\d+)?",
    re.IGNORECASE,
)
_UNIT_SIGNS = "$€£¥%°"
CLOSE = Decimal("1e-9")
"""Two numbers whose relative difference is at most this are the same: rounding of a division."""


def read_number(text: str) -> tuple[Decimal, str] | None:
    """Return the one number of an answer and its unit; None where there is none, or several.

    A comma with three digits behind it, and a point beside it or after it, parts thousands; the
    last mark that is not such is the decimal point: 1,234.5, 1.234,5 and 1 234,5 are the same.
    """
    said = with_ascii_marks(final_answer(text)).strip()
    found = list(islice(_NUMBER.finditer(said), 2))
    if len(found) != 1:
        return None
    number = found[0]
    try:
        value = Decimal(_plain_digits(number["digits"].strip()) + (number["power"] or ""))
    except InvalidOperation:
        return None
    before, after = said[: number.start()].strip(), said[number.end() :].strip()
    if before.endswith("-") or (before and before[:-1].endswith("-") and before[-1] in _UNIT_SIGNS):
        value, before = -value, before.replace("-", "")
    unit = (before + after).casefold().strip(" .,;:!")
    return (-value if number["sign"] == "-" else value), unit


def _plain_digits(digits: str) -> str:
    digits = re.sub(r"['\s\u2009]", "", digits.rstrip(".,"))
    marks = [mark for mark in digits if mark in ".,"]
    if not marks:
        return digits
    point = marks[-1] if len(set(marks)) == 2 else _single_point(digits, marks)
    whole, _, part = digits.rpartition(point) if point else (digits, "", "")
    whole = re.sub(r"[.,]", "", whole)
    return f"{whole or 0}.{part}" if point else whole


def _single_point(digits: str, marks: list[str]) -> str:
    """Return the decimal point of a number with one kind of mark; "" where it parts thousands."""
    mark = marks[0]
    thousands = re.fullmatch(rf"[1-9]\d{{0,2}}(\{mark}\d{{3}})+", digits)
    return "" if len(marks) > 1 or (mark == "," and thousands) else mark


def _matches(items: Items, units: bool) -> Array:
    """Return [n, 2]: 1 where an answer is an accepted number, and 1 for counting."""
    return each_counts(
        [
            text is not None and any(_same(text, target, units) for target in accepted)
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def _same(text: str, target: str, units: bool) -> bool:
    said, right = read_number(text), read_number(target)
    if said is None or right is None or (units and said[1] != right[1]):
        return False
    return abs(said[0] - right[0]) <= CLOSE * max(abs(said[0]), abs(right[0]))


def _with_units(items: Items) -> Array:
    return _matches(items, units=True)


def _without_units(items: Items) -> Array:
    return _matches(items, units=False)


NUMERIC_MATCHES = tuple(
    Metric(name, summary, frozenset({"text"}), statistics, mean_of, binary=True)
    for name, summary, statistics in (
        (
            "numeric_match",
            "share of answers that are an accepted number with its unit, however it is written",
            _with_units,
        ),
        (
            "numeric_match_any_unit",
            "share of answers that are an accepted number, whatever unit stands beside it",
            _without_units,
        ),
    )
)
