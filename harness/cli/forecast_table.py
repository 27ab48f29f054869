"""Forecasts as plain text: a table for each machine, a line an arm.

Below each table stand the arms that will not fit, with what makes them fit; those that fit
narrowly; and what is not known, with the reason. Knows nothing of screens but their width.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.cli.table import table_width
from harness.plan import Outlook, Place, total, total_usd
from harness.store.records import Forecast
from harness.wording import numbers

COLUMNS = (
    "arm", "preparation memory", "serving memory", "preparation", "serving", "cost", "fits",
)  # fmt: skip
TOGETHER = "takes"
"""The column that stands for both times where a screen is too narrow for two."""
NARROWER = (
    ("arm", "preparation", "serving", "cost", "fits"),
    ("arm", TOGETHER, "cost", "fits"),
    ("arm", TOGETHER, "fits"),
)
"""The columns of narrower screens; the first that fits is shown, or the last."""
UNKNOWN = "unknown"
TIMES = "×"
FITS = {True: "yes", False: "NO", None: UNKNOWN}
TIGHT = 0.85
"""Share of the memory above which an arm that fits is said to be tight: a forecast of memory is
held to be right if it is within 20% (analysis/performance/forecast_check.py), so such an arm may
fail."""


@dataclass(frozen=True)
class Section:
    """The forecasts for one machine."""

    heading: str
    rows: Sequence[tuple[str, ...]]
    """The first one names the columns."""
    below: Sequence[str]


def sections(outlook: Outlook, others: Sequence[int], width: int | None) -> Iterator[Section]:
    """Yield machines of the price file, then this one.

    Args:
        outlook: the forecasts.
        others: places of the machines to show.
        width: of the screen in characters; None: there is no limit.
    """
    here = outlook.here
    said = {text for found in here.values() for text in found.notes}
    for number in others:
        place = outlook.others[number]
        there = {arm: found[number] for arm, found in outlook.elsewhere.items()}
        yield _section(_heading(there, place, outlook), there, place, outlook, (said, width))
    heading = f"On this machine, where {_room(outlook.place)} are there:"
    yield _section(heading, here, outlook.place, outlook, (frozenset(), width))


def closing(outlook: Outlook) -> Iterator[str]:
    """Yield what is true of all tables."""
    yield "Single figures of time and cost are upper bounds."
    if outlook.seeds_n > 1:
        n = outlook.seeds_n
        yield (
            f"{n} {TIMES}: the arm is prepared and answers {n} times, once for each of its {n}"
            " seeds; what follows is of one."
        )
    yield (
        "Not counted: diagnostics and floors (`diagnostics` in the task file), which are measured"
        " when the arms are done."
    )
    for text in outlook.stale_prices:
        yield f"- {text}"


def _section(
    heading: str,
    by_arm: Mapping[str, Forecast],
    place: Place,
    outlook: Outlook,
    shown: tuple[Collection[str], int | None],
) -> Section:
    """Return one machine's table with what is to be said below it.

    Args:
        heading: above it.
        by_arm: the forecasts.
        place: the machine.
        outlook: what they are of.
        shown: the notes that stand elsewhere, and the screen's width.
    """
    said, width = shown
    costs = {arm: total_usd(found, place, outlook.priced) for arm, found in by_arm.items()}
    rows = [
        _cells(arm, outlook.trainings(arm), found, place, costs[arm][0])
        for arm, found in by_arm.items()
    ]
    below = [
        *_misfits(by_arm),
        *_narrow(by_arm, place),
        *_remarks(by_arm, {arm: why for arm, (_, why) in costs.items()}, said),
    ]
    return Section(heading, _fitting(rows, width), below)


def _fitting(rows: Sequence[Mapping[str, str]], width: int | None) -> Sequence[tuple[str, ...]]:
    """Return the table with as many columns as a screen takes, the headings first."""
    for columns in (COLUMNS, *NARROWER):
        table = [columns, *(tuple(row[column] for column in columns) for row in rows)]
        if width is None or table_width(table) <= width:
            break
    return table


def _cells(
    arm: str, trainings: int, found: Forecast, place: Place, usd: float | None
) -> dict[str, str]:
    """Return an arm's cells by column; what is of each of several trainings says how many."""
    low = total([found.fit_wall_low_s, found.serve_wall_low_s])
    high = total([found.fit_wall_s, found.serve_wall_s])
    cells = {
        "arm": arm,
        "preparation memory": place.memory(found.fit_peak_bytes, found.fit_on_gpu),
        "serving memory": place.memory(found.predict_peak_bytes, found.predict_on_gpu),
        "preparation": _each(trainings, numbers.span(found.fit_wall_low_s, found.fit_wall_s)),
        "serving": _each(trainings, numbers.span(found.serve_wall_low_s, found.serve_wall_s)),
        TOGETHER: _each(trainings, numbers.span(low, high)),
        "cost": _each(trainings, numbers.usd(usd)),
        "fits": _fits(found),
    }
    return {
        column: UNKNOWN if cell == numbers.NOT_MEASURED else cell for column, cell in cells.items()
    }


def _each(trainings: int, figure: str) -> str:
    """Return a figure of one of several trainings."""
    several = trainings > 1 and figure != numbers.NOT_MEASURED
    return f"{trainings} {TIMES} {figure}" if several else figure


def _fits(found: Forecast) -> str:
    if found.memory_share is not None and _tight(found):
        return f"tight: {numbers.percent(found.memory_share)}"
    return FITS[found.fits]


def _room(place: Place) -> str:
    return place.room if place.device == "cuda" else f"{place.room} of memory"


def _tight(found: Forecast) -> bool:
    return found.fits is True and found.memory_share is not None and found.memory_share > TIGHT


def _misfits(by_arm: Mapping[str, Forecast]) -> Iterator[str]:
    """Name the arms that will not fit, and what was found to make them fit."""
    for arm, found in by_arm.items():
        if found.fits is False:
            yield f"- {arm} will not fit: {found.why}"
            if found.would_fit:
                yield f"  would make it fit: {'; '.join(found.would_fit)}"


def _narrow(by_arm: Mapping[str, Forecast], place: Place) -> Iterator[str]:
    """Name the arms that fit so narrowly that an error of the forecast decides."""
    arms = [arm for arm, found in by_arm.items() if _tight(found)]
    if arms:
        yield (
            f"- {', '.join(arms)}: tight, more than {numbers.percent(TIGHT)} of"
            f" {place.room}; a forecast of memory may be 20% off"
        )


def _remarks(
    by_arm: Mapping[str, Forecast], why_no_cost: Mapping[str, str | None], said: Collection[str]
) -> Iterator[str]:
    """Yield what else is to be said, each thing once with all arms that it is true of."""
    found_of: dict[str, list[str]] = {}
    for arm, found in by_arm.items():
        # Several reasons stand in one text; arms often share one of them and not the others.
        unknown = found.why.split("; ") if found.why and found.fits is not False else []
        if (why := why_no_cost[arm]) not in (None, found.why):
            unknown.append(f"cost is unknown: {why}")
        for text in [*unknown, *(note for note in found.notes if note not in said)]:
            found_of.setdefault(text, []).append(arm)
    for text, arms in found_of.items():
        yield f"- {'all arms' if len(arms) == len(by_arm) > 1 else ', '.join(arms)}: {text}"


def _heading(by_arm: Mapping[str, Forecast], place: Place, outlook: Outlook) -> str:
    """Return a machine of the price file: what it has and costs, and how long all prepare."""
    parts = ["memory not stated" if place.usable_bytes is None else _room(place)]
    if place.usd_per_hour is not None:
        parts.append(f"{numbers.usd(place.usd_per_hour)} an hour")
    highs = {arm: found.fit_wall_s for arm, found in by_arm.items()}
    known = [outlook.trainings(arm) * s for arm, s in highs.items() if s is not None]
    if len(known) == len(highs):
        every = "all with all seeds" if outlook.seeds_n > 1 else "all"
        most = numbers.duration(sum(known))
        parts.append(f"preparing {every} takes {most} at the most")
    return f"On {place.name} ({', '.join(parts)}):"
