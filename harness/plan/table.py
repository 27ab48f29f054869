"""Forecasts as plain text: a line an arm, then what will not fit and what would make it fit."""

from __future__ import annotations

from collections.abc import Iterator

from harness import numbers
from harness.plan.outlook import Outlook
from harness.records import Forecast

COLUMNS = ("arm", "memory fitting", "memory serving", "fitting", "serving", "cost", "fits")
FITS = {True: "yes", False: "NO", None: "unknown"}


def cells(arm: str, found: Forecast) -> tuple[str, ...]:
    """Return an arm's line of the table."""
    known = [usd for usd in (found.fit_usd, found.serve_usd) if usd is not None]
    return (
        arm,
        numbers.size(found.fit_peak_bytes),
        numbers.size(found.predict_peak_bytes),
        numbers.span(found.fit_wall_low_s, found.fit_wall_s),
        numbers.span(found.serve_wall_low_s, found.serve_wall_s),
        numbers.usd(sum(known) if known else None),
        FITS[found.fits],
    )


def lines(outlook: Outlook) -> Iterator[str]:
    """Yield what stands below the table: misfits, reasons and other machines."""
    room = numbers.size(outlook.place.usable_bytes)
    yield f"Memory that is there: {room}. Times and cost are at the most where one figure stands."
    for arm, found in outlook.here.items():
        if found.fits is False:
            yield f"- {arm} will not fit: {found.why}"
            way = "; ".join(found.would_fit) or "nothing that was tried"
            yield f"  would make it fit: {way}"
    yield from _remarks(outlook)
    names = [found.machine for found in next(iter(outlook.elsewhere.values()), ())]
    for number, name in enumerate(names):
        yield f"On {name}: {_elsewhere(outlook, number)}"


def _remarks(outlook: Outlook) -> Iterator[str]:
    """Yield what is to be said of arms, each thing once with all that it is true of."""
    said: dict[str, list[str]] = {}
    for arm, found in outlook.here.items():
        unknown = [found.why] if found.why and found.fits is not False else []
        for text in [*unknown, *found.notes]:
            said.setdefault(text, []).append(arm)
    for text, arms in said.items():
        yield f"- {', '.join(arms)}: {text}"


def _elsewhere(outlook: Outlook, number: int) -> str:
    """Return in a line how the arms do on a machine of the price file."""
    by_arm = {arm: found[number] for arm, found in outlook.elsewhere.items()}
    failing = [arm for arm, found in by_arm.items() if found.fits is False]
    unknown = [arm for arm, found in by_arm.items() if found.fits is None]
    highs = [found.fit_wall_s for found in by_arm.values()]
    parts = []
    if failing:
        parts.append(f"will not fit: {', '.join(failing)}")
    if len(unknown) == len(by_arm):
        reasons = dict.fromkeys(found.why for found in by_arm.values() if found.why)
        return "; ".join(reasons)
    if unknown:
        parts.append(f"unknown: {', '.join(unknown)}")
    if not parts:
        parts.append("all arms fit")
    known = [high for high in highs if high is not None]
    if len(known) == len(highs):
        parts.append(f"fitting all takes {numbers.duration(sum(known))} at the most")
    else:
        parts.append("times are unknown (no `teraflops` in the price file)")
    return "; ".join(parts)
