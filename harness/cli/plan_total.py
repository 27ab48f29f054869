"""What a whole run takes: here, in a sentence, and on the machines of the price file that do best.

Adds up forecasts (forecast_table.py shows them one by one). What is not known of all arms is no
total: it says of which arms nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import UnknownNameError
from harness.plan import Outlook, Place, RowsForecast, total_usd
from harness.store.records import Forecast
from harness.wording import numbers
from harness.wording.sentences import counted

UNITS = ((120.0, 1.0, "second"), (7200.0, 60.0, "minute"), (float("inf"), 3600.0, "hour"))
"""Up to how many seconds a time is told in which unit, and how many seconds that has."""


@dataclass(frozen=True)
class Total:
    """What all arms take together on one machine."""

    place: Place
    low_s: float
    high_s: float
    """Of the arms whose time is known and that fit."""
    usd: float | None
    """At the most; None: not known of all."""
    unknown: tuple[str, ...]
    """Arms whose time is not known."""
    misfits: tuple[str, ...]
    """Arms that will not fit."""

    @property
    def is_whole(self) -> bool:
        """Whether it is of all arms."""
        return not self.unknown and not self.misfits


def closing_lines(
    outlook: Outlook, curve: Sequence[RowsForecast], shown: Sequence[int]
) -> Iterator[str]:
    """Yield what a plan ends with: the total here, and where else the task could run.

    Args:
        outlook: the forecasts.
        curve: those of trials on other rows, which run here too.
        shown: places of the machines whose tables are shown already.
    """
    yield _until_the_verdict(_here(outlook, curve))
    totals = [_there(outlook, number) for number in range(len(outlook.others))]
    if not totals:
        return
    yield from _best(totals)
    if left := len(totals) - len(shown):
        machines = counted(left, "machine")
        yield f"`--machine NAME` shows one, `--all` each of the {machines} of the price file."


def named(outlook: Outlook, name: str | None, every: bool) -> list[int]:
    """Return the places of the machines that are asked for, in the price file's order.

    Raises:
        UnknownNameError: no machine of the price file has that in its name.
    """
    names = [place.name for place in outlook.others]
    if every:
        return [*range(len(names))]
    if name is None:
        return []
    found = [at for at, known in enumerate(names) if name.lower() in known.lower()]
    if not found:
        raise UnknownNameError("machine of the price file", name, names)
    return found


def about(low_s: float, high_s: float) -> str:
    """Return a range of time in words, in one unit: about 14 to 32 minutes."""
    unit_s, unit = next((size, name) for most, size, name in UNITS if high_s < most)
    low, high = (_figure(seconds / unit_s) for seconds in (low_s, high_s))
    plural = "" if high == "1" else "s"
    if high == "0":
        return "less than a second"
    if low == "0":
        return f"less than {high} {unit}{plural}"
    return f"about {high} {unit}{plural}" if low == high else f"about {low} to {high} {unit}s"


def _figure(value: float) -> str:
    """Return a number of units: whole, with a half where it is small."""
    return f"{value:.0f}" if value >= 9.5 or value < 1 else f"{round(2 * value) / 2:g}"


def _until_the_verdict(total: Total) -> str:
    without = [
        *(f"{arm} (time unknown)" for arm in total.unknown),
        *(f"{arm} (will not fit)" for arm in total.misfits),
    ]
    but = f", without {', '.join(without)}" if without else ""
    cost = f", {numbers.usd(total.usd)} at the most" if total.usd else ""
    return f"In all {about(total.low_s, total.high_s)} until the verdict{cost}{but}."


def _here(outlook: Outlook, curve: Sequence[RowsForecast]) -> Total:
    found = _total(outlook, outlook.here, outlook.place)
    spans = [each.span_s for each in curve]
    more = [(low or 0.0, high) for low, high in spans if high is not None]
    unknown = tuple(each.what for each in curve if each.span_s[1] is None)
    usd = [each.usd for each in curve]
    return Total(
        found.place,
        found.low_s + sum(low for low, _ in more),
        found.high_s + sum(high for _, high in more),
        None if found.usd is None or None in usd else found.usd + sum(u for u in usd if u),
        (*found.unknown, *unknown),
        found.misfits,
    )


def _there(outlook: Outlook, number: int) -> Total:
    by_arm = {arm: found[number] for arm, found in outlook.elsewhere.items()}
    return _total(outlook, by_arm, outlook.others[number])


def _total(outlook: Outlook, by_arm: Mapping[str, Forecast], place: Place) -> Total:
    low = high = 0.0
    money: list[float | None] = []
    unknown, misfits = [], []
    for arm, found in by_arm.items():
        times = (found.fit_wall_s, found.serve_wall_s)
        if found.fits is False:
            misfits.append(arm)
        elif times[0] is None or times[1] is None:
            unknown.append(arm)
        else:
            n = outlook.trainings(arm)
            usd, _ = total_usd(found, place, outlook.priced)
            high += n * (times[0] + times[1])
            low += n * ((found.fit_wall_low_s or 0.0) + (found.serve_wall_low_s or 0.0))
            money.append(None if usd is None else n * usd)
    usd_of_all = None if None in money else sum(one for one in money if one)
    return Total(place, low, high, usd_of_all, tuple(unknown), tuple(misfits))


def _best(totals: Sequence[Total]) -> Iterator[str]:
    """Yield the cheapest and the fastest machine that is forecast to do all, or why none is."""
    whole = [total for total in totals if total.is_whole and total.usd is not None]
    if not whole:
        unfit = sum(bool(total.misfits) for total in totals)
        yield (
            f"Of {len(totals)} priced machines none is known to run all arms: on {unfit} an arm"
            f" will not fit, on {len(totals) - unfit} times or prices are not stated."
        )
        return
    cheapest = min(whole, key=lambda total: (total.usd or 0.0, total.high_s))
    fastest = min(whole, key=lambda total: (total.high_s, total.usd or 0.0))
    if cheapest is fastest:
        yield f"Cheapest and fastest priced machine: {_said(cheapest)}"
        return
    yield f"Cheapest priced machine: {_said(cheapest)}"
    yield f"Fastest priced machine: {_said(fastest)}"


def _said(total: Total) -> str:
    takes = about(total.low_s, total.high_s)
    return f"{total.place.name}: {takes}, {numbers.usd(total.usd)} at the most"
