"""Forecasts: memory, time and money of every arm, on this machine and on priced ones.

Reads what strategies declare (harness/workload.py), models' configurations and the data; runs
nothing. A run is handed a forecast to record before anything runs.
"""

from harness.plan.arm_forecast import total_usd
from harness.plan.curve_forecast import RowsForecast, curve_json, curve_lines, foresee_curve
from harness.plan.demand import total
from harness.plan.quick import QuickChoice, quick_choice
from harness.plan.target_machine import Place
from harness.plan.task_forecast import Outlook, foresee

__all__ = [
    "Outlook",
    "Place",
    "QuickChoice",
    "RowsForecast",
    "curve_json",
    "curve_lines",
    "foresee",
    "foresee_curve",
    "quick_choice",
    "total",
    "total_usd",
]
