"""Which arms a quick run takes: those that are forecast to be done together within three minutes.

Knows forecasts alone. What is left out is named, with what it is expected to take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.errors import UserError
from harness.plan.demand import total
from harness.plan.task_forecast import Outlook
from harness.store.records import Forecast
from harness.wording import numbers

QUICK_S = 180.0
"""What a reader waits for a first answer: a choice of ours."""


@dataclass(frozen=True)
class QuickChoice:
    """The arms of a quick run, and the others."""

    arms: tuple[str, ...]
    left_out: Mapping[str, Forecast]
    trainings: Mapping[str, int] = field(default_factory=dict)
    """How many times each arm is prepared and serves, where that is more than once."""

    def said(self) -> Iterator[str]:
        """Yield a line for each arm that is left out."""
        for arm, forecast in self.left_out.items():
            low, high = _span_s(forecast)
            times = f"{n} × " if (n := self.trainings.get(arm, 1)) > 1 else ""
            takes = f"forecast: {times}{numbers.span(low, high)}"
            takes = "no forecast" if high is None else takes
            room = ", and it is not expected to fit" if forecast.fits is False else ""
            yield f"{arm} is left out by --quick ({takes}{room})"


def quick_choice(outlook: Outlook) -> QuickChoice:
    """Return the arms to take: the quickest first, while what they are expected to take fits.

    Expected is the middle of a forecast: an upper bound alone would leave out nearly everything on
    a machine that is not known well. An arm without a forecast is left out: it may take hours.

    Raises:
        UserError: no arm is forecast to be done within three minutes.
    """
    expected = {arm: _expected_s(found) for arm, found in outlook.here.items()}
    trainings = {arm: outlook.trainings(arm) for arm in outlook.here}
    known = {arm: trainings[arm] * s for arm, s in expected.items() if s is not None}
    taken: list[str] = []
    left_s = QUICK_S
    for arm in sorted(known, key=lambda arm: known[arm]):
        if known[arm] <= left_s:
            taken.append(arm)
            left_s -= known[arm]
    if not taken:
        raise UserError(
            "no arm is forecast to be done within three minutes → run without --quick, or name an"
            " arm with --only"
        )
    arms = tuple(arm for arm in outlook.here if arm in taken)
    left_out = {arm: found for arm, found in outlook.here.items() if arm not in taken}
    return QuickChoice(arms, left_out, trainings)


def _span_s(forecast: Forecast) -> tuple[float | None, float | None]:
    """Return what both halves take together, at the least and at the most."""
    low = total([forecast.fit_wall_low_s, forecast.serve_wall_low_s])
    return low, total([forecast.fit_wall_s, forecast.serve_wall_s])


def _expected_s(forecast: Forecast) -> float | None:
    """Return the middle of a forecast; None for an arm that is not expected to fit at all."""
    low, high = _span_s(forecast)
    if high is None or forecast.fits is False:
        return None
    return high if low is None else (low + high) / 2
