"""Forecasts held against what was measured."""

from __future__ import annotations

import pytest

from harness.analysis.performance.forecast_check import foresight
from harness.store.records import Forecast

MB = 10**6


def forecast(fit_mb=1000, serve_mb=500, fit_s=(10.0, 20.0), serve_s=(1.0, 2.0)):
    return Forecast(
        machine="this machine",
        fit_peak_bytes=None if fit_mb is None else fit_mb * MB,
        predict_peak_bytes=serve_mb * MB,
        fit_wall_low_s=fit_s[0],
        fit_wall_s=fit_s[1],
        serve_wall_low_s=serve_s[0],
        serve_wall_s=serve_s[1],
    )


def analysed(found, fit_mb=1000, serve_mb=500, fit_s=15.0, serve_s=1.5):
    return foresight(found, (fit_mb * MB, serve_mb * MB), ([fit_s], [serve_s])).within


@pytest.mark.parametrize(
    ("measured", "within"),
    [
        ({}, True),
        ({"fit_mb": 1199}, True),  # 200 MB
        ({"fit_mb": 1251}, False),
        ({"serve_mb": 699}, True),
        ({"serve_mb": 701}, False),
        ({"fit_s": 26.9}, True),  # 35 %
        ({"fit_s": 27.1}, False),
        ({"fit_s": 5.1}, True),
        ({"fit_s": 4.9}, False),  # 5 s: more than 35 % of 10
        ({"serve_s": 6.9}, True),
        ({"serve_s": 7.1}, False),
    ],
)
def test_how_far_off_is_too_far(measured, within):
    assert analysed(forecast(), **measured) is within


def test_what_was_not_foretold_is_not_judged():
    assert analysed(forecast(fit_mb=None), fit_mb=10**6) is True
    nothing = foresight(Forecast(machine="m", why="no estimate"), (MB, MB), ([1.0], [1.0]))
    assert nothing.within is None
    assert nothing.why == "no estimate"
    assert foresight(None, (MB, MB), ([1.0], [1.0])) is None


def test_ratios_are_predicted_over_measured():
    found = foresight(forecast(), (800 * MB, 1000 * MB), ((), ()))
    assert (found.fit_peak_ratio, found.predict_peak_ratio) == (1.25, 0.5)
    assert found.serve_wall_s is None
