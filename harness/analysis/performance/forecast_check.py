"""Forecasts, recorded before an arm ran, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.performance import measured
from harness.analysis.run_data import ArmData
from harness.analysis.schema.comparison import Foresight
from harness.store.records import Forecast

PEAK_SHARE, PEAK_BYTES = 0.2, 200_000_000
WALL_SHARE, WALL_S = 0.35, 5.0
"""How far off a forecast may be: by the share or by the figure, whichever is more."""


def foresight_of(arm: ArmData) -> Foresight | None:
    """Compare the forecast made before an arm's first trial with what it took."""
    forecast = arm.trials[0].forecast if arm.trials else arm.plan.forecast
    if not arm.finished:
        return foresight(forecast, (None, None), ((), ()))
    peaks = measured.fit_peaks(arm).limited_bytes, measured.serve_peaks(arm).limited_bytes
    return foresight(forecast, peaks, (measured.fit_walls_s(arm), measured.serve_walls_s(arm)))


def foresight(
    forecast: Forecast | None,
    peaks: tuple[int | None, int | None],
    walls: tuple[Sequence[float], Sequence[float]],
) -> Foresight | None:
    """Compare a forecast with an arm's trials.

    Args:
        forecast: as it is on record; None: none was made.
        peaks: measured bytes of preparation and serving.
        walls: measured seconds of preparation and serving, one a seed.
    """
    if forecast is None:
        return None
    predicted = (forecast.fit_peak_bytes, forecast.predict_peak_bytes)
    spans = (
        (forecast.fit_wall_low_s, forecast.fit_wall_s),
        (forecast.serve_wall_low_s, forecast.serve_wall_s),
    )
    ratios = [p / m if p and m else None for p, m in zip(predicted, peaks, strict=True)]
    checked = [
        *(_near(p, m) for p, m in zip(predicted, peaks, strict=True)),
        *(_inside(span, wall) for span, each in zip(spans, walls, strict=True) for wall in each),
    ]
    known = [near for near in checked if near is not None]
    return Foresight(
        fit_peak_bytes=predicted[0],
        predict_peak_bytes=predicted[1],
        fit_peak_ratio=ratios[0],
        predict_peak_ratio=ratios[1],
        fit_wall_low_s=spans[0][0],
        fit_wall_high_s=spans[0][1],
        serve_wall_low_s=spans[1][0],
        serve_wall_high_s=spans[1][1],
        serve_wall_s=sum(walls[1]) / len(walls[1]) if walls[1] else None,
        within=all(known) if known else None,
        why=forecast.why,
    )


def _near(predicted: int | None, found: int | None) -> bool | None:
    if predicted is None or found is None:
        return None
    return abs(predicted - found) <= max(PEAK_SHARE * found, PEAK_BYTES)


def _inside(span: tuple[float | None, float | None], wall_s: float) -> bool | None:
    low, high = span
    if low is None or high is None:
        return None
    lowest = min(low * (1 - WALL_SHARE), low - WALL_S)
    return lowest <= wall_s <= max(high * (1 + WALL_SHARE), high + WALL_S)
